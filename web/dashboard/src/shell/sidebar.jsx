import { useEffect, useRef } from 'preact/hooks';
import { may, session } from '../api/session.js';
import { number } from '../format.js';
import { t } from '../i18n.js';
import { href, place } from '../router.js';
import { groups, routes } from '../routes.js';
import { Icon } from '../ui/icon.jsx';
import { Toasts } from '../ui/toast.jsx';
import { Account } from './account.jsx';
import { Organization } from './organization.jsx';
import { useWaiting } from './waiting.js';

/** The navigation: beside the page, or on a narrow screen over it. */
export function Sidebar({ open, onClose }) {
  const drawer = useRef();
  useEffect(() => {
    if (!open) return undefined;
    const element = drawer.current;
    element.showModal();
    return () => element.close();
  }, [open]);
  return (
    <>
      <aside class="sidebar">
        <Content />
      </aside>
      {open && (
        <dialog
          ref={drawer}
          class="drawer"
          aria-label={t('shell.navigation')}
          onCancel={(event) => (event.preventDefault(), onClose())}
          onClick={(event) =>
            (event.target === drawer.current || event.target.closest('a')) && onClose()
          }
        >
          <Content />
          <Toasts />
        </dialog>
      )}
    </>
  );
}

function Content() {
  return (
    <div class="sidebar-box">
      <Organization />
      <nav aria-label={t('shell.navigation')}>
        {groups.map((group) => (
          <Group key={group} group={group} />
        ))}
      </nav>
      <Account user={session.value.user} />
    </div>
  );
}

function Group({ group }) {
  const entries = routes.filter((route) => route.group === group && route.load && may(route.role));
  if (!entries.length) return null;
  return (
    <>
      {group !== 'work' && <p class="nav-group">{t(`nav.${group}Group`)}</p>}
      <ul>
        {entries.map((route) => (
          <Entry key={route.path} {...route} />
        ))}
      </ul>
    </>
  );
}

function Entry({ path, name, icon }) {
  const now = place.value.path;
  const isHere = path === '/' ? now === '/' : now === path || now.startsWith(`${path}/`);
  return (
    <li>
      <a class="nav-entry" href={href(path)} aria-current={isHere ? 'page' : undefined}>
        <Icon name={icon} />
        <span>{t(`nav.${name}`)}</span>
        {name === 'inbox' && <Waiting />}
      </a>
    </li>
  );
}

function Waiting() {
  const n = useWaiting();
  if (!n) return null;
  return (
    <b class="count" title={t('nav.waiting', { n })}>
      <span aria-hidden="true">{number(n)}</span>
      <span class="hidden">{t('nav.waiting', { n })}</span>
    </b>
  );
}
