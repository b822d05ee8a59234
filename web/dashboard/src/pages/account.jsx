import { useData } from '../api/data.js';
import { post, remove, resource } from '../api/http.js';
import { session } from '../api/session.js';
import { ago, dateTime } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';
import { Button } from '../ui/button.jsx';
import { Form } from '../ui/form.jsx';
import { Card, Loaded, Page } from '../ui/page.jsx';
import { toast, toastProblem } from '../ui/toast.jsx';

export default function Account() {
  const { user, organization } = session.value;
  return (
    <Page title={t('account.title')} about={`${user.email} · ${organization.name}`}>
      <Sessions />
      <Password />
    </Page>
  );
}

function Sessions() {
  const list = useData('auth/sessions');
  const end = (path) =>
    remove(path).then(() => (toast(t('account.sessionEnded')), list.reload()), toastProblem);
  const others = list.data?.sessions.some(({ current }) => !current);
  return (
    <Card
      flush
      title={t('account.sessions')}
      about={t('account.sessionsAbout')}
      actions={
        others && (
          <Button small onClick={() => end('auth/sessions')}>
            {t('account.endOthers')}
          </Button>
        )
      }
    >
      <Loaded of={list}>
        {({ sessions }) => (
          <ul class="rows">
            {sessions.map(({ id, current, agent, address, used_at: used, created_at: created }) => (
              <li key={id}>
                <div class="row">
                  <span>
                    <b>{browserOf(agent)}</b>{' '}
                    {current && <Badge tone="good">{t('account.thisOne')}</Badge>}
                    <span class="about">
                      <bdi>{address}</bdi> · {t('account.since', { time: dateTime(created) })} ·{' '}
                      {t('account.used', { time: ago(used) })}
                    </span>
                  </span>
                  {!current && (
                    <Button small onClick={() => end(resource`auth/sessions/${id}`)}>
                      {t('account.end')}
                    </Button>
                  )}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

/** "Firefox on Linux" of what a browser says of itself, as far as it can be told. */
function browserOf(agent) {
  const find = (names) => names.find((name) => agent.includes(name));
  const browser = { Edg: 'Edge', OPR: 'Opera' };
  const name = find(['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari']);
  const system = find(['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux']);
  if (!name) return agent.slice(0, 40) || t('account.unknownBrowser');
  return [browser[name] ?? name, system].filter(Boolean).join(' · ');
}

function Password() {
  const fields = [
    { name: 'old_password', type: 'password', label: t('account.oldPassword'), required: true },
    {
      name: 'password',
      type: 'password',
      label: t('reset.password'),
      hint: t('setup.passwordHint'),
      required: true,
      autocomplete: 'new-password',
    },
  ];
  const submit = async (values) => {
    await post('auth/password', values);
    toast(t('account.passwordChanged'));
  };
  return (
    <Card title={t('account.password')} about={t('account.passwordAbout')}>
      <Form fields={fields} onSubmit={submit} submit={t('account.changePassword')} />
    </Card>
  );
}
