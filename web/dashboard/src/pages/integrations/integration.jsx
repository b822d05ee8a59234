import { useState } from 'preact/hooks';
import { useAction, useData } from '../../api/data.js';
import { patch, post, remove, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { explain } from '../../explain.js';
import { ago, milliseconds } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Json } from '../../ui/code.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { History } from '../../ui/history.jsx';
import { Menu } from '../../ui/menu.jsx';
import { Card, Empty, Fault, Loaded, Page } from '../../ui/page.jsx';
import { Switch } from '../../ui/switch.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { credentialFields, forCredentials } from './credentials.js';
import { NewEndpoint } from './endpoint.jsx';

const TONES = { ok: 'good', cached: 'good' };

export default function Integration({ id }) {
  const path = resource`integrations/${id}`;
  const found = useData(path);
  const turn = (enabled) =>
    patch(path, { enabled }).then(() => (found.reload(), toast(t('common.saved'))), toastProblem);
  const drop = async () => {
    const sure = await confirm({
      title: t('integrations.dropTitle', { name: found.data.name }),
      text: t('integrations.dropText'),
      action: t('common.delete'),
      danger: true,
    });
    if (sure) remove(path).then(() => navigate('/integrations'), toastProblem);
  };
  const one = found.data;
  return (
    <Page
      title={one?.name ?? t('integrations.title')}
      about={one && `${word('integrations.types', one.type)} · ${one.url}`}
      back={{ href: href('/integrations'), label: t('integrations.title') }}
      actions={
        one &&
        may('admin') && (
          <>
            <History of={`integrations/${one.id}`} />
            <Button kind={one.enabled ? 'plain' : 'strong'} onClick={() => turn(!one.enabled)}>
              {t(one.enabled ? 'integrations.switchOff' : 'integrations.switchOn')}
            </Button>
            <Button icon="trash" onClick={drop}>
              {t('common.delete')}
            </Button>
          </>
        )
      }
    >
      <Loaded of={found} lines={8}>
        {(integration) => (
          <>
            <div class="columns">
              {may('admin') && (
                <Test path={path} last={integration.last_test} reload={found.reload} />
              )}
              {may('admin') && <Credentials path={path} of={integration} reload={found.reload} />}
            </div>
            <Endpoints id={id} path={path} type={integration.type} />
            <Calls path={path} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Test({ path, last, reload }) {
  const [result, setResult] = useState(null);
  const [run, { busy, problem }] = useAction(async () => {
    setResult(await post(`${path}/test`));
    reload();
  });
  return (
    <Card
      title={t('integrations.test')}
      about={
        last?.at ? t('integrations.lastTest', { time: ago(last.at) }) : t('integrations.testAbout')
      }
      actions={
        <Button small kind="strong" busy={busy} onClick={run}>
          {t('integrations.testNow')}
        </Button>
      }
    >
      <Fault problem={problem} />
      {result && (
        <div class="stack" aria-live="polite">
          <ul class="rows">
            {result.checks.map((check) => (
              <li key={check.what}>
                <div class="row">
                  <span>
                    {word('integrations.checks', check.what)}
                    {check.detail && (
                      <span class="about">{explain(check.detail_reason, check.detail)}</span>
                    )}
                  </span>
                  <Outcome of={check} />
                </div>
              </li>
            ))}
          </ul>
          {result.sample && <Json label={t('integrations.sample')} value={result.sample} />}
        </div>
      )}
    </Card>
  );
}

const Outcome = ({ of: { outcome, status, ms } }) => (
  <Badge tone={TONES[outcome] ?? 'bad'}>
    {[word('integrations.outcomes', outcome), status > 0 && status, milliseconds(ms)]
      .filter(Boolean)
      .join(' · ')}
  </Badge>
);

function Credentials({ path, of: one, reload }) {
  const fields = credentialFields(one);
  if (!fields.length) return null;
  const save = async (values) => {
    const credentials = forCredentials({ ...values, type: one.type, auth: one.auth });
    if (!credentials) return;
    await patch(path, { credentials });
    toast(t('common.saved'));
    reload();
  };
  const shown = fields.map((field) => {
    const last4 = one.credentials_last4?.[field.name.split('.')[1]];
    return {
      ...field,
      placeholder: last4 && `…${last4}`,
      hint: last4 && t('integrations.stored', { last4 }),
    };
  });
  return (
    <Card title={t('integrations.signIn')} about={t('integrations.signInAbout')}>
      <Form fields={shown} value={{ credentials: {} }} onSubmit={save} />
    </Card>
  );
}

/* -- what of it can be called ----------------------------------------------------------------- */

function Endpoints({ id, path, type }) {
  const found = useData(`${path}/endpoints`);
  const [isNew, setNew] = useState(false);
  const turn = (one, enabled) =>
    patch(resource`endpoints/${one.name}`, { enabled }).then(found.reload, toastProblem);
  const drop = (one) => remove(resource`endpoints/${one.name}`).then(found.reload, toastProblem);
  return (
    <Card
      flush
      title={t('integrations.endpoints')}
      about={t('integrations.endpointsAbout')}
      actions={
        may('admin') && (
          <Button small icon="plus" onClick={() => setNew(true)}>
            {t('integrations.newEndpoint')}
          </Button>
        )
      }
    >
      <Loaded of={found}>
        {({ endpoints }) =>
          endpoints.length ? (
            <ul class="rows">
              {endpoints.map((one) => (
                <li key={one.name}>
                  <div class="row">
                    <span>
                      <a
                        class="plain-link"
                        href={href(`/integrations/${encodeURIComponent(id)}/endpoints/${one.name}`)}
                      >
                        <code>{one.name}</code>
                      </a>{' '}
                      <Badge>{word('tools.risks', one.risk)}</Badge>
                      <span class="about" dir="auto">
                        {one.description}
                      </span>
                      <code class="about break">{one.query ?? `${one.method} ${one.url}`}</code>
                    </span>
                    <span class="actions">
                      <Switch
                        label={t('tools.enable', { name: one.name })}
                        checked={one.enabled}
                        disabled={!may('admin')}
                        onChange={(enabled) => turn(one, enabled)}
                      />
                      {may('admin') && (
                        <Menu
                          label={t('users.actionsOf', { name: one.name })}
                          items={[
                            {
                              label: t('common.delete'),
                              icon: 'trash',
                              danger: true,
                              run: () => drop(one),
                            },
                          ]}
                        />
                      )}
                    </span>
                  </div>
                </li>
              ))}
            </ul>
          ) : (
            <Empty icon="tool" title={t('integrations.noEndpoints')}>
              {t('integrations.noEndpointsAbout')}
            </Empty>
          )
        }
      </Loaded>
      {isNew && (
        <NewEndpoint
          path={path}
          isDatabase={type === 'database'}
          onClose={() => setNew(false)}
          onDone={() => (setNew(false), found.reload())}
        />
      )}
    </Card>
  );
}

function Calls({ path }) {
  const found = useData(`${path}/calls`, { limit: 30 });
  return (
    <Card
      flush
      title={t('integrations.calls')}
      actions={
        <Button small icon="refresh" busy={found.loading} onClick={found.reload}>
          {t('install.check')}
        </Button>
      }
    >
      <Loaded of={found}>
        {({ calls }) =>
          calls.length ? (
            <ul class="rows">
              {calls.map((call) => (
                <li key={call.id}>
                  <div class="row">
                    <span>
                      <code>{call.endpoint ?? t('integrations.test')}</code>{' '}
                      {call.cached && <Badge>{t('integrations.cached')}</Badge>}
                      <span class="about">
                        {[explain(call.detail_reason, call.detail), ago(call.created_at)]
                          .filter(Boolean)
                          .join(' · ')}
                      </span>
                    </span>
                    <Outcome of={call} />
                  </div>
                </li>
              ))}
            </ul>
          ) : (
            <Empty icon="clock" title={t('integrations.noCalls')} />
          )
        }
      </Loaded>
    </Card>
  );
}
