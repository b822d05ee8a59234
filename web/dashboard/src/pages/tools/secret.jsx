import { t } from '../../i18n.js';
import { Snippet } from '../../ui/code.jsx';
import { Dialog } from '../../ui/dialog.jsx';
import { Notice } from '../../ui/page.jsx';

/** What signs a webhook, told this once. */
export function SigningSecret({ value, onClose }) {
  return (
    <Dialog title={t('tools.secret')} onClose={onClose}>
      <div class="stack">
        <p>{t('tools.secretAbout')}</p>
        <Snippet label={t('tools.secret')} text={value} wrap />
        <Notice tone="warn">{t('keys.once')}</Notice>
      </div>
    </Dialog>
  );
}
