import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Button, IconButton } from './button.jsx';

/**
 * A native modal dialog, shown as long as it is rendered: the browser keeps the focus in it and
 * gives it back. `size`: 'small', 'medium', 'large', 'side'. Without onClose it cannot be left.
 */
export function Dialog({ title, onClose, size = 'medium', children }) {
  const dialog = useRef();
  useEffect(() => {
    const element = dialog.current;
    element.showModal();
    return () => element.close();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose?.();
  };
  return (
    <dialog
      ref={dialog}
      class={`dialog ${size}`}
      aria-labelledby="dialog-title"
      onCancel={cancel}
      onMouseDown={(event) => event.target === dialog.current && onClose?.()}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          {onClose && <IconButton icon="close" label={t('common.close')} onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}

const question = signal(null);

/**
 * if (await confirm({ title, text, action, danger })) ...: asks before what cannot be undone.
 * With `type`, the person has to type that word.
 */
export function confirm(asked) {
  return new Promise((resolve) => (question.value = { ...asked, resolve }));
}

export function Confirmations() {
  const asked = question.value;
  if (!asked) return null;
  return <Confirmation key={asked} {...asked} />;
}

function Confirmation({ title, text, action, danger, type, resolve }) {
  const typed = useRef();
  const answer = (value) => {
    question.value = null;
    resolve(value);
  };
  const submit = (event) => {
    event.preventDefault();
    if (!type || typed.current.value.trim() === type) answer(true);
    else typed.current.select();
  };
  return (
    <Dialog title={title} size="small" onClose={() => answer(false)}>
      <form class="stack" onSubmit={submit}>
        {text && <p>{text}</p>}
        {type && (
          <label class="field">
            <span class="label">{t('common.typeToConfirm', { word: type })}</span>
            <input ref={typed} class="input" autocomplete="off" />
          </label>
        )}
        <footer class="dialog-foot">
          <Button onClick={() => answer(false)}>{t('common.cancel')}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'strong'}>
            {action ?? t('common.confirm')}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
