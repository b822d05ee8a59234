import { signal } from '@preact/signals';
import { t } from '../i18n.js';
import { IconButton } from './button.jsx';
import { Icon } from './icon.jsx';

const STAYS_MS = 6000;

const toasts = signal([]);
let next = 0;

const dismiss = (id) => (toasts.value = toasts.value.filter((one) => one.id !== id));

/** toast(t('...')), toast(text, { tone: 'bad', action: { label, run } }). What is bad stays. */
export function toast(text, { tone = 'good', action } = {}) {
  const id = ++next;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone, action }];
  if (tone !== 'bad') setTimeout(() => dismiss(id), STAYS_MS);
}

/** What the server refused, where there is no form to show it at. */
export const toastProblem = (problem) =>
  toast(problem.status === 0 ? t('common.unreachable') : problem.message, { tone: 'bad' });

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone, action }) => (
        <div key={id} class={`toast ${tone}`}>
          <Icon name={tone === 'bad' ? 'alert' : 'check'} />
          <p>{text}</p>
          {action && (
            <button type="button" class="link" onClick={() => (dismiss(id), action.run())}>
              {action.label}
            </button>
          )}
          <IconButton
            icon="close"
            size={14}
            label={t('common.close')}
            onClick={() => dismiss(id)}
          />
        </div>
      ))}
    </div>
  );
}
