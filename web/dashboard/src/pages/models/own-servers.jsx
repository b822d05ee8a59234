import { useState } from 'preact/hooks';
import { useAction, useData } from '../../api/data.js';
import { post, put, remove } from '../../api/http.js';
import { may } from '../../api/session.js';
import { explain } from '../../explain.js';
import { milliseconds } from '../../format.js';
import { t } from '../../i18n.js';
import { Button } from '../../ui/button.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { Card, Fault, Loaded, Notice } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';

/** Models of one's own, with one's own key: of answers, and of the search by meaning. */
export function OwnServers() {
  return (
    <div class="stack">
      <Server
        path="ai-settings/provider"
        name="provider"
        providers={['openai', 'openrouter', 'anthropic']}
      />
      <Server path="ai-settings/embedding" name="embedding" providers={['openai']} />
    </div>
  );
}

function Server({ path, name, providers }) {
  const found = useData(path);
  return (
    <Card title={t(`models.servers.${name}`)} about={t(`models.servers.${name}About`)}>
      <Loaded of={found}>
        {(server) => <Edit key={server.provider} {...{ path, name, providers, server, found }} />}
      </Loaded>
    </Card>
  );
}

function Edit({ path, name, providers, server, found }) {
  const isSet = server.provider !== null;
  const fields = [
    {
      name: 'provider',
      type: 'select',
      label: t('models.provider'),
      options: providers.map((value) => ({ value, label: t(`models.servers.providers.${value}`) })),
    },
    {
      name: 'base_url',
      type: 'url',
      label: t('models.servers.base_url'),
      hint: t('models.servers.base_urlHint'),
      placeholder: 'https://',
    },
    name === 'embedding' && {
      row: [
        { name: 'model', label: t('models.model'), dir: 'ltr', required: true },
        { name: 'dimensions', type: 'number', min: 1, label: t('models.servers.dimensions') },
      ],
    },
    {
      name: 'api_key',
      type: 'password',
      autocomplete: 'off',
      label: t('models.servers.api_key'),
      hint: server.api_key?.set
        ? t('models.servers.keySet', { end: server.api_key.ends_with })
        : t('models.servers.keyHint'),
    },
  ].filter(Boolean);
  const known = {
    provider: server.provider ?? providers[0],
    base_url: server.base_url ?? '',
    model: server.model ?? '',
    dimensions: server.dimensions,
  };
  const submit = async (values, typed) => {
    const body = { ...(isSet ? {} : { provider: known.provider }), ...typed };
    if (body.base_url === '') body.base_url = null;
    await put(path, body, { was: server });
    toast(t('common.saved'));
    found.reload();
  };
  const leave = async () => {
    const sure = await confirm({
      title: t('models.servers.removeTitle'),
      text: t('models.servers.removeText'),
      action: t('models.servers.remove'),
      danger: true,
    });
    if (sure) remove(path).then(() => (found.reload(), toast(t('common.saved'))), toastProblem);
  };
  if (!may('admin'))
    return (
      <p>{isSet ? `${server.provider} ${server.base_url ?? ''}` : t('models.servers.platform')}</p>
    );
  return (
    <>
      {!isSet && <Notice>{t('models.servers.platform')}</Notice>}
      <Form fields={fields} value={known} onSubmit={submit} />
      {isSet && <Trial path={path} onRemove={leave} />}
    </>
  );
}

/** Asks the server something small, and says what came back. */
function Trial({ path, onRemove }) {
  const [result, setResult] = useState(null);
  const [run, { busy, problem }] = useAction(async () => {
    setResult(null);
    setResult(await post(`${path}/test`, {}));
  });
  return (
    <div class="stack">
      <div class="actions">
        <Button icon="plug" busy={busy} onClick={run}>
          {t('models.servers.test')}
        </Button>
        <Button kind="quiet" icon="trash" onClick={onRemove}>
          {t('models.servers.remove')}
        </Button>
      </div>
      <Fault problem={problem} />
      {result && (
        <Notice tone={result.ok ? 'good' : 'bad'}>
          <p>
            {result.ok
              ? t('models.servers.works', { time: milliseconds(result.ms) })
              : t('models.servers.fails')}
          </p>
          {result.detail && <p class="about">{explain(result.detail_reason, result.detail)}</p>}
        </Notice>
      )}
    </div>
  );
}
