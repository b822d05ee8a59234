import { role, signOut } from '../api/session.js';
import { chooseLanguage, language, languages, t, word } from '../i18n.js';
import { href } from '../router.js';
import { chooseTheme, theme, themes } from '../theme.js';
import { Icon } from '../ui/icon.jsx';
import { Menu } from '../ui/menu.jsx';
import { overlay } from './overlay.js';

export const initials = (name) =>
  name
    .split(/[\s@.]+/)
    .slice(0, 2)
    .map((part) => [...part][0] ?? '')
    .join('')
    .toUpperCase();

/** Who is signed in, and what is theirs to choose. */
export function Account({ user }) {
  const name = user.name || user.email;
  const button = (
    <>
      <span class="avatar" aria-hidden="true">
        {initials(name)}
      </span>
      <span class="who">
        <span class="hidden">{t('shell.account')}</span>
        <b dir="auto">{name}</b>
        <span>{word('roles', role.value)}</span>
      </span>
      <Icon name="more" size={16} />
    </>
  );
  const items = [
    { label: t('nav.account'), icon: 'user', href: href('/account') },
    { label: t('shell.help'), icon: 'help', run: () => (overlay.value = 'help') },
    { heading: t('shell.theme') },
    ...themes.map((one) => ({
      label: t(`shell.themes.${one}`),
      checked: theme.value === one,
      run: () => chooseTheme(one),
    })),
    { heading: t('shell.language') },
    ...languages.map(({ code, name: label }) => ({
      label,
      checked: language.value === code,
      run: () => chooseLanguage(code),
    })),
    { heading: '' },
    { label: t('shell.signOut'), icon: 'exit', run: signOut },
  ];
  return (
    <div class="account">
      <Menu label={t('shell.account')} button={button} items={items} align="start" up />
    </div>
  );
}
