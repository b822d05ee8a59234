import { useAction } from '../api/data.js';
import { comeBack, elsewhere, goAlong, session } from '../api/session.js';
import { t } from '../i18n.js';
import { Button } from '../ui/button.jsx';
import { Dialog } from '../ui/dialog.jsx';
import { Fault } from '../ui/page.jsx';

/** Another tab took the session to another organization: this page sends nothing until one of them wins. */
export function Elsewhere() {
  const [back, { busy, problem }] = useAction(comeBack);
  const here = session.value.organization.name;
  const there = elsewhere.value.name ?? t('elsewhere.another');
  return (
    <Dialog title={t('elsewhere.title')} size="small">
      <p>{t('elsewhere.about', { here, there })}</p>
      <Fault problem={problem} />
      <footer class="dialog-foot">
        <Button onClick={goAlong}>{t('elsewhere.go', { there })}</Button>
        <Button kind="strong" busy={busy} onClick={back}>
          {t('elsewhere.back', { here })}
        </Button>
      </footer>
    </Dialog>
  );
}
