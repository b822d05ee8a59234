import { useEffect } from 'preact/hooks';
import { chooseLanguage, language, languages, t } from '../i18n.js';
import { Notice } from '../ui/page.jsx';

/** What is shown to whom we do not know yet: one small form in the middle. */
export function Gate({ title, about, children }) {
  useEffect(() => {
    document.title = `${title} · Frontdesk`;
  }, [title]);
  return (
    <main class="gate">
      <div class="gate-box">
        <p class="brand">
          <span class="mark" aria-hidden="true" />
          Frontdesk
        </p>
        <h1>{title}</h1>
        {about && <p class="about">{about}</p>}
        {!isSecureContext && <Notice tone="warn">{t('signIn.notEncrypted')}</Notice>}
        {children}
      </div>
      <p class="gate-languages">
        {languages.map(({ code, name }) => (
          <button
            key={code}
            type="button"
            class="link"
            lang={code}
            aria-pressed={language.value === code}
            onClick={() => chooseLanguage(code)}
          >
            {name}
          </button>
        ))}
      </p>
    </main>
  );
}
