import { signal } from '@preact/signals';
import { useLayoutEffect, useState } from 'preact/hooks';
import { said } from '../explain.js';
import { t } from '../i18n.js';
import { IconButton } from './button.jsx';
import { Icon } from './icon.jsx';

const STAYS_MS = 6000;
const ICONS = { good: 'check', bad: 'alert', info: 'info' };

const toasts = signal([]);
const places = signal([]); // the page, and each dialog over it: all below the last one is inert
let next = 0;

const dismiss = (id) => (toasts.value = toasts.value.filter((one) => one.id !== id));

/** toast(t('...')), toast(text, { tone: 'bad', action: { label, run }, stays }). What is bad stays. */
export function toast(text, { tone = 'good', action, stays = tone === 'bad' } = {}) {
  const id = ++next;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone, action }];
  if (!stays) setTimeout(() => dismiss(id), STAYS_MS);
}

/** What the server refused, where there is no form to show it at. */
export const toastProblem = (problem) => toast(said(problem), { tone: 'bad' });

/** The page and each dialog have one; the one on top shows them. */
export function Toasts() {
  const [me] = useState(() => Symbol('place'));
  useLayoutEffect(() => {
    places.value = [...places.value, me];
    return () => (places.value = places.value.filter((one) => one !== me));
  }, []);
  const shown = places.value.at(-1) === me ? toasts.value : [];
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, tone, action }) => (
        <div key={id} class={`toast ${tone}`}>
          <Icon name={ICONS[tone]} />
          <p>{text}</p>
          {action && (
            <button type="button" class="link" onClick={() => (dismiss(id), action.run())}>
              {action.label}
            </button>
          )}
          <IconButton
            icon="close"
            size={14}
            label={t('common.dismiss')}
            onClick={() => dismiss(id)}
          />
        </div>
      ))}
    </div>
  );
}
