import { useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { post, remove, resource } from '../../api/http.js';
import { dateTime } from '../../format.js';
import { t } from '../../i18n.js';
import { Button } from '../../ui/button.jsx';
import { Snippet } from '../../ui/code.jsx';
import { Dialog, confirm } from '../../ui/dialog.jsx';
import { Card, Empty, Loaded, Notice } from '../../ui/page.jsx';
import { toastProblem } from '../../ui/toast.jsx';

/** Two may live at a time, so that one can follow the other without a gap. */
const MOST = 2;

export function IdentitySecrets() {
  const found = useData('identity-secrets');
  const [made, setMade] = useState(null);
  const make = () =>
    post('identity-secrets').then((one) => (found.reload(), setMade(one)), toastProblem);
  const drop = async (one) => {
    const sure = await confirm({
      title: t('settings.secrets.dropTitle', { last4: one.last4 }),
      text: t('settings.secrets.dropText'),
      action: t('settings.secrets.drop'),
      danger: true,
    });
    if (sure) remove(resource`identity-secrets/${one.id}`).then(found.reload, toastProblem);
  };
  const secrets = found.data?.identity_secrets ?? [];
  return (
    <Card
      flush
      title={t('settings.identity')}
      about={t('settings.secrets.about')}
      actions={
        found.data &&
        secrets.length < MOST && (
          <Button small icon="plus" onClick={make}>
            {t('settings.secrets.make')}
          </Button>
        )
      }
    >
      <Loaded of={found}>
        {() =>
          secrets.length ? (
            <ul class="rows">
              {secrets.map((one) => (
                <li key={one.id}>
                  <div class="row">
                    <span>
                      <code dir="ltr">…{one.last4}</code>
                      <span class="about">{dateTime(one.created_at)}</span>
                    </span>
                    <Button small onClick={() => drop(one)}>
                      {t('settings.secrets.drop')}
                    </Button>
                  </div>
                </li>
              ))}
            </ul>
          ) : (
            <Empty icon="key" title={t('settings.secrets.none')}>
              {t('settings.secrets.noneAbout')}
            </Empty>
          )
        }
      </Loaded>
      {made && (
        <Dialog title={t('settings.secrets.made')} onClose={() => setMade(null)}>
          <div class="stack">
            <Snippet label={t('settings.secrets.made')} text={made.secret} wrap />
            <Notice tone="warn">{t('keys.once')}</Notice>
          </div>
        </Dialog>
      )}
    </Card>
  );
}
