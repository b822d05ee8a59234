import { useEffect } from 'preact/hooks';
import { isAway } from '../api/events.js';
import { may } from '../api/session.js';
import { t } from '../i18n.js';
import { useKeys } from '../keys.js';
import { navigate, place } from '../router.js';
import { routes } from '../routes.js';
import { IconButton } from '../ui/button.jsx';
import { Help } from './help.jsx';
import { Outlet } from './outlet.jsx';
import { useNewer } from './newer.js';
import { overlay } from './overlay.js';
import { Palette } from './palette.jsx';
import { Sidebar } from './sidebar.jsx';

const close = () => (overlay.value = null);

/** Around every page: the navigation, what the keyboard does, and where the page goes. */
export function Shell() {
  const { path } = place.value;
  useEffect(close, [path]);
  useNewer();
  useKeys([
    { keys: 'mod+k', label: t('shell.palette'), run: () => (overlay.value = 'palette') },
    { keys: '?', label: t('shell.help'), run: () => (overlay.value = 'help') },
    { keys: '/', label: t('shell.search'), run: focusSearch },
    ...routes
      .filter(({ keys, load, role }) => keys && load && may(role))
      .map(({ keys, name, path: to }) => ({
        keys,
        label: t('shell.goTo', { page: t(`nav.${name}`) }),
        run: () => navigate(to),
      })),
  ]);
  const shown = overlay.value;
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        {t('shell.skip')}
      </a>
      <header class="topbar">
        <IconButton
          icon="menu"
          label={t('shell.navigation')}
          onClick={() => (overlay.value = 'navigation')}
        />
        <b>Frontdesk</b>
        <IconButton
          icon="search"
          label={t('shell.palette')}
          onClick={() => (overlay.value = 'palette')}
        />
      </header>
      <Sidebar open={shown === 'navigation'} onClose={close} />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <div class="away" role="status">
        {isAway.value && <p>{t('shell.away')}</p>}
      </div>
      {shown === 'help' && <Help onClose={close} />}
      {shown === 'palette' && <Palette onClose={close} />}
    </div>
  );
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

function focusSearch() {
  document.querySelector('[data-search]')?.focus();
}
