import { useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { patch, post, remove, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Button } from '../../ui/button.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { History } from '../../ui/history.jsx';
import { Card, Loaded, Page } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { SigningSecret } from './secret.jsx';
import { Log } from './tools.jsx';
import { Try, parse, pretty } from './try.jsx';

const back = () => ({ href: href('/tools'), label: t('tools.title') });
const EXAMPLE = {
  type: 'object',
  required: ['city'],
  properties: { city: { type: 'string', description: 'A city' } },
};

/** A tool to make, or one that is there: what the model is told of it, where it goes, and a try. */
export default function Tool({ name }) {
  return name ? <Existing name={name} /> : <New />;
}

/* -- its form ------------------------------------------------------------------------------- */

const forForm = (tool) => ({
  ...tool,
  parameters_schema: pretty(tool.parameters_schema),
  bindings: pretty(tool.bindings),
});

function forServer({ ...values }) {
  for (const name of ['parameters_schema', 'bindings'])
    if (name in values) values[name] = parse(name, values[name]);
  if (values.token === '') delete values.token;
  return values;
}

function fields({ isNew, isOwn = true }) {
  const risks = ['read', 'write', 'high'].map((value) => ({
    value,
    label: `${word('tools.risks', value)}: ${t(`tools.riskAbout.${value}`)}`,
  }));
  return [
    isNew && {
      name: 'name',
      label: t('tools.name'),
      hint: t('tools.nameHint'),
      required: true,
      dir: 'ltr',
      placeholder: 'find_store',
    },
    {
      name: 'description',
      type: 'textarea',
      rows: 3,
      label: t('tools.description'),
      hint: t('tools.descriptionHint'),
      required: true,
      disabled: !isOwn,
    },
    {
      name: 'url',
      type: 'url',
      label: t('tools.url'),
      hint: t('tools.urlHint'),
      required: isNew,
      placeholder: 'https://n8n.example.com/webhook/find-store',
    },
    {
      row: [
        { name: 'risk', type: 'select', label: t('tools.risk'), options: risks },
        {
          name: 'timeout_ms',
          type: 'number',
          min: 100,
          max: 30000,
          label: t('tools.timeout'),
          suffix: 'ms',
        },
      ],
    },
    isOwn && {
      name: 'parameters_schema',
      type: 'code',
      rows: 10,
      label: t('tools.schema'),
      hint: t('tools.schemaHint'),
    },
    {
      name: 'bindings',
      type: 'code',
      rows: 3,
      label: t('tools.bindings'),
      hint: t('tools.bindingsHint'),
      placeholder: '{"email": "visitor.email"}',
    },
    {
      name: 'reply',
      type: 'select',
      label: t('tools.reply'),
      options: ['data', 'none'].map((value) => ({ value, label: t(`tools.replies.${value}`) })),
    },
    {
      row: [
        {
          name: 'token_header',
          label: t('tools.tokenHeader'),
          dir: 'ltr',
          placeholder: 'Authorization',
        },
        {
          name: 'token',
          type: 'password',
          label: t('tools.token'),
          hint: t('tools.tokenHint'),
          autocomplete: 'off',
        },
      ],
    },
  ].filter(Boolean);
}

function New() {
  const [secret, setSecret] = useState(null);
  const save = async (values) => {
    const { token_header: header, ...rest } = forServer(values);
    const made = await post('tools', {
      ...rest,
      ...(header && { token_header: header }),
      signing_secret: true,
      enabled: true,
    });
    toast(t('tools.madeIt'));
    if (made.signing_secret) setSecret(made);
    else navigate(`/tools/${made.name}`);
  };
  const value = {
    risk: 'read',
    timeout_ms: 30000,
    reply: 'data',
    parameters_schema: pretty(EXAMPLE),
    bindings: '',
  };
  return (
    <Page title={t('tools.make')} about={t('tools.makeAbout')} back={back()}>
      <Card>
        <Form
          fields={fields({ isNew: true })}
          value={value}
          onSubmit={save}
          submit={t('tools.make')}
        />
      </Card>
      {secret && (
        <SigningSecret
          value={secret.signing_secret}
          onClose={() => navigate(`/tools/${secret.name}`)}
        />
      )}
    </Page>
  );
}

function Existing({ name }) {
  const path = resource`tools/${name}`;
  const found = useData(path);
  const [secret, setSecret] = useState(null);
  const [tries, setTries] = useState(0);
  const save = async (_, changed) => {
    const saved = await patch(path, forServer(changed), { was: found.data });
    if (saved.signing_secret) (found.reload(), setSecret(saved.signing_secret));
    else found.set(saved);
    toast(t('common.saved'));
  };
  const sign = async () => {
    const sure = await confirm({
      title: t('tools.newSecretTitle'),
      text: t('tools.newSecretText'),
    });
    if (sure)
      patch(path, { signing_secret: true }).then(
        (tool) => (found.reload(), setSecret(tool.signing_secret)),
        toastProblem,
      );
  };
  const drop = async () => {
    const sure = await confirm({
      title: t('tools.dropTitle', { name }),
      text: t('tools.dropText'),
      action: t('common.delete'),
      danger: true,
    });
    if (sure) remove(path).then(() => navigate('/tools'), toastProblem);
  };
  return (
    <Page
      title={name}
      back={back()}
      actions={
        may('admin') && (
          <>
            <History of={`tools/${name}`} />
            {found.data?.url && (
              <>
                <Button icon="key" onClick={sign}>
                  {t('tools.newSecret')}
                </Button>
                <Button icon="trash" onClick={drop}>
                  {t('common.delete')}
                </Button>
              </>
            )}
          </>
        )
      }
    >
      <Loaded of={found} lines={8}>
        {(tool) => (
          <div class="columns">
            <Card title={t('tools.settings')} about={word('tools.origins', tool.origin)}>
              <Form
                fixed={!may('admin')}
                fields={fields({ isOwn: tool.origin === 'own' })}
                value={forForm(tool)}
                onSubmit={save}
              />
            </Card>
            <div class="stack">
              {may('admin') && (
                <Try
                  path={path}
                  of={tool}
                  isReady={Boolean(tool.url)}
                  onDone={() => setTries(tries + 1)}
                />
              )}
              <Log key={tries} tool={tool.name} />
            </div>
          </div>
        )}
      </Loaded>
      {secret && <SigningSecret value={secret} onClose={() => setSecret(null)} />}
    </Page>
  );
}
