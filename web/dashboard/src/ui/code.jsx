import { t } from '../i18n.js';
import { IconButton } from './button.jsx';
import { toast } from './toast.jsx';

export async function copy(text) {
  await navigator.clipboard.writeText(text);
  toast(t('common.copied'));
}

/** A text to take away, such as a snippet or a key, with a button that copies it, unless it is `partial`. */
export function Snippet({ label, text, wrap, partial }) {
  return (
    <div class="snippet" dir="ltr">
      <pre tabIndex={0} aria-label={label} class={wrap ? 'wrap' : undefined}>
        <code>{text}</code>
      </pre>
      {!partial && <IconButton icon="copy" label={t('common.copy')} onClick={() => copy(text)} />}
    </div>
  );
}

/** JSON as people read it. */
export function Json({ label, value }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    <pre class="json" dir="ltr" tabIndex={0} aria-label={label}>
      <code>{text}</code>
    </pre>
  );
}
