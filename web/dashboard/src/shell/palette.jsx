import { useId, useRef, useState } from 'preact/hooks';
import { may, signOut } from '../api/session.js';
import { chooseLanguage, language, languages, t } from '../i18n.js';
import { navigate } from '../router.js';
import { routes } from '../routes.js';
import { chooseTheme, isDark } from '../theme.js';
import { Dialog } from '../ui/dialog.jsx';
import { Icon } from '../ui/icon.jsx';

function commands() {
  const pages = routes
    .filter(({ load, role, path }) => load && may(role) && !path.includes(':'))
    .map(({ name, icon = 'user', path }) => ({
      label: t(`nav.${name}`),
      icon,
      run: () => navigate(path),
    }));
  const dark = isDark.peek();
  return [
    ...pages,
    {
      label: t(dark ? 'shell.lightTheme' : 'shell.darkTheme'),
      icon: dark ? 'sun' : 'moon',
      run: () => chooseTheme(dark ? 'light' : 'dark'),
    },
    ...languages
      .filter(({ code }) => code !== language.value)
      .map(({ code, name }) => ({ label: name, icon: 'globe', run: () => chooseLanguage(code) })),
    { label: t('shell.signOut'), icon: 'exit', run: signOut },
  ];
}

/** Everything by its name: type, choose with the arrows, Enter. */
export function Palette({ onClose }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef();
  const id = useId();
  const wanted = text.trim().toLocaleLowerCase();
  const found = commands().filter(({ label }) => label.toLocaleLowerCase().includes(wanted));
  if (may('staff') && text.trim()) {
    found.push({
      label: t('shell.searchConversations', { text: text.trim() }),
      icon: 'search',
      run: () => navigate(`/conversations?q=${encodeURIComponent(text.trim())}`),
    });
  }
  const run = (command) => {
    onClose();
    command?.run();
  };
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') run(found[at]);
    else if (step) setAt((at + step + found.length) % found.length);
    else return;
    event.preventDefault();
    list.current.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <Dialog title={t('shell.palette')} onClose={onClose}>
      <label class="search">
        <Icon name="search" size={16} />
        <span class="hidden">{t('common.search')}</span>
        <input
          autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={found[at] && `${id}-${at}`}
          dir="auto"
          placeholder={t('shell.paletteHint')}
          value={text}
          onInput={(event) => (setText(event.currentTarget.value), setAt(0))}
          onKeyDown={onKeyDown}
        />
      </label>
      <ul ref={list} class="choices" role="listbox" id={id} aria-label={t('shell.palette')}>
        {found.map((command, i) => (
          <li
            key={command.label}
            id={`${id}-${i}`}
            class="choice"
            role="option"
            aria-selected={i === at}
            onClick={() => run(command)}
            onPointerMove={() => i !== at && setAt(i)}
          >
            <Icon name={command.icon} size={16} />
            <span>{command.label}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
