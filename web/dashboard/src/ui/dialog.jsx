import { signal } from '@preact/signals';
import { createContext } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Button, IconButton } from './button.jsx';
import { Toasts } from './toast.jsx';

/** Where a form in a dialog notes that something was typed which is not saved: {current}. */
export const Typed = createContext(null);

/**
 * A native modal dialog, shown as long as it is rendered: the browser keeps the focus in it and
 * gives it back. `size`: 'small', 'medium', 'large', 'side'. Without onClose it cannot be left.
 * By Escape, or a click beside it, nothing typed is lost unasked.
 */
export function Dialog({ title, onClose, size = 'medium', children }) {
  const dialog = useRef();
  const typed = useRef(false);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element.showModal();
    return () => element.close();
  }, []);
  const leave = async (event) => {
    event?.preventDefault();
    if (!onClose) return;
    if (!typed.current || (await mayLose())) onClose();
    else if (!dialog.current.open) dialog.current.showModal(); // a second Escape closes unasked
  };
  return (
    <dialog
      ref={dialog}
      class={`dialog ${size}`}
      aria-labelledby={id}
      onCancel={leave}
      onMouseDown={(event) => event.target === dialog.current && leave(event)}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          {onClose && <IconButton icon="close" label={t('common.close')} onClick={() => leave()} />}
        </header>
        <Typed.Provider value={typed}>{children}</Typed.Provider>
      </div>
      <Toasts />
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

/** Asked before what was typed is lost. */
export const mayLose = () =>
  confirm({
    title: t('common.leaveTitle'),
    text: t('common.leaveText'),
    action: t('common.leave'),
    danger: true,
  });

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
