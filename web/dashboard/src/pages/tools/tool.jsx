import { useState } from 'preact/hooks';
import { useAction, useData } from '../../api/data.js';
import { patch, post, remove, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { milliseconds } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Json, Snippet } from '../../ui/code.jsx';
import { Dialog, confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { Card, Fault, Loaded, Notice, Page } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { Log } from './tools.jsx';

const back = () => ({ href: href('/tools'), label: t('tools.title') });
const EXAMPLE = { type: 'object', required: ['city'], properties: { city: { type: 'string', description: 'A city' } } };

/** A tool to make, or one that is there: what the model is told of it, where it goes, and a try. */
export default function Tool({ name }) {
  return name ? <Existing name={name} /> : <New />;
}

/* -- its form ------------------------------------------------------------------------------- */

const pretty = (value) => (value ? JSON.stringify(value, null, 2) : '');

const forForm = (tool) => ({ ...tool, parameters_schema: pretty(tool.parameters_schema), bindings: pretty(tool.bindings) });

/** JSON that was typed; what is none is refused here, at its field. */
function parse(name, text) {
  if (!text?.trim()) return name === 'bindings' ? {} : { type: 'object', properties: {} };
  try {
    return JSON.parse(text);
  } catch (error) {
    throw Object.assign(new Error(t('tools.notJson', { why: error.message })), { field: name });
  }
}

function forServer({ ...values }) {
  for (const name of ['parameters_schema', 'bindings']) if (name in values) values[name] = parse(name, values[name]);
  if (values.token === '') delete values.token;
  return values;
}

function fields({ isNew, isFixed, isOwn = true, hasUrl = true }) {
  const disabled = isFixed;
  const risks = ['read', 'write', 'high'].map((value) => ({ value, label: `${word('tools.risks', value)}: ${t(`tools.riskAbout.${value}`)}` }));
  return [
    isNew && { name: 'name', label: t('tools.name'), hint: t('tools.nameHint'), required: true, dir: 'ltr', placeholder: 'find_store' },
    { name: 'description', type: 'textarea', rows: 3, label: t('tools.description'), hint: t('tools.descriptionHint'), required: true, disabled: disabled || !isOwn },
    hasUrl && { name: 'url', type: 'url', label: t('tools.url'), hint: t('tools.urlHint'), required: isNew, disabled, placeholder: 'https://n8n.example.com/webhook/find-store' },
    { row: [{ name: 'risk', type: 'select', label: t('tools.risk'), options: risks, disabled }, hasUrl && { name: 'timeout_ms', type: 'number', min: 100, max: 30000, label: t('tools.timeout'), suffix: 'ms', disabled }].filter(Boolean) },
    isOwn && { name: 'parameters_schema', type: 'code', rows: 10, label: t('tools.schema'), hint: t('tools.schemaHint'), disabled },
    { name: 'bindings', type: 'code', rows: 3, label: t('tools.bindings'), hint: t('tools.bindingsHint'), disabled, placeholder: '{"email": "visitor.email"}' },
    hasUrl && { name: 'reply', type: 'select', label: t('tools.reply'), disabled, options: ['data', 'none'].map((value) => ({ value, label: t(`tools.replies.${value}`) })) },
    hasUrl && { row: [{ name: 'token_header', label: t('tools.tokenHeader'), dir: 'ltr', placeholder: 'Authorization', disabled }, { name: 'token', type: 'password', label: t('tools.token'), hint: t('tools.tokenHint'), autocomplete: 'off', disabled }] },
  ].filter(Boolean);
}

function New() {
  const [secret, setSecret] = useState(null);
  const save = async (values) => {
    const { token_header: header, ...rest } = forServer(values);
    const made = await post('tools', { ...rest, ...(header && { token_header: header }), signing_secret: true, enabled: true });
    toast(t('tools.madeIt'));
    if (made.signing_secret) setSecret(made);
    else navigate(`/tools/${made.name}`);
  };
  const value = { risk: 'read', timeout_ms: 30000, reply: 'data', parameters_schema: pretty(EXAMPLE), bindings: '' };
  return (
    <Page title={t('tools.make')} about={t('tools.makeAbout')} back={back()}>
      <Card>
        <Form fields={fields({ isNew: true })} value={value} onSubmit={save} submit={t('tools.make')} />
      </Card>
      {secret && <Secret value={secret.signing_secret} onClose={() => navigate(`/tools/${secret.name}`)} />}
    </Page>
  );
}

function Secret({ value, onClose }) {
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

function Existing({ name }) {
  const path = resource`tools/${name}`;
  const found = useData(path);
  const [secret, setSecret] = useState(null);
  const save = async (_, changed) => {
    found.set(await patch(path, forServer(changed), { was: found.data }));
    toast(t('common.saved'));
  };
  const sign = async () => {
    const sure = await confirm({ title: t('tools.newSecretTitle'), text: t('tools.newSecretText') });
    if (sure) patch(path, { signing_secret: true }).then((tool) => (found.reload(), setSecret(tool.signing_secret)), toastProblem);
  };
  const drop = async () => {
    const sure = await confirm({ title: t('tools.dropTitle', { name }), text: t('tools.dropText'), action: t('common.delete'), danger: true });
    if (sure) remove(path).then(() => navigate('/tools'), toastProblem);
  };
  return (
    <Page
      title={name}
      back={back()}
      actions={
        may('admin') &&
        found.data?.url && (
          <>
            <Button icon="key" onClick={sign}>
              {t('tools.newSecret')}
            </Button>
            <Button icon="trash" onClick={drop}>
              {t('common.delete')}
            </Button>
          </>
        )
      }
    >
      <Loaded of={found} lines={8}>
        {(tool) => (
          <div class="columns">
            <Card title={t('tools.settings')} about={word('tools.origins', tool.origin)}>
              <Form fields={fields({ isFixed: !may('admin'), isOwn: tool.origin === 'client', hasUrl: tool.origin !== 'endpoint' })} value={forForm(tool)} onSubmit={save} />
            </Card>
            <div class="stack">
              {may('admin') && <Try tool={tool} />}
              <Log tool={tool.name} />
            </div>
          </div>
        )}
      </Loaded>
      {secret && <Secret value={secret} onClose={() => setSecret(null)} />}
    </Page>
  );
}

/* -- a try ---------------------------------------------------------------------------------- */

/** What a model might give: something for each required argument. */
function sample({ properties = {}, required = [] } = {}) {
  const of = ({ type, enum: choices, default: given }) => given ?? choices?.[0] ?? { integer: 1, number: 1, boolean: true, array: [], object: {} }[type] ?? '';
  return Object.fromEntries(required.map((name) => [name, of(properties[name] ?? {})]));
}

function Try({ tool }) {
  const [result, setResult] = useState(null);
  const [run, { busy, problem }] = useAction(async (text) => {
    setResult(null);
    setResult(await post(resource`tools/${tool.name}/test`, { arguments: parse('arguments', text) }));
  });
  const [text, setText] = useState(() => pretty(sample(tool.parameters_schema)));
  return (
    <Card title={t('tools.try')} about={t(tool.risk === 'read' ? 'tools.tryAbout' : 'tools.tryWrites')}>
      <label class="field">
        <span class="label">{t('tools.arguments')}</span>
        <textarea class="input code" rows={4} dir="ltr" spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <div class="actions">
        <Button kind="strong" busy={busy} onClick={() => run(text)}>
          {t('tools.run')}
        </Button>
      </div>
      <Fault problem={problem} />
      {result && (
        <div class="stack" aria-live="polite">
          <p>
            <Badge tone={result.ok ? 'good' : 'bad'}>{result.ok ? t('tools.worked') : word('tools.failures', result.failure)}</Badge> {result.http_status > 0 && <code>HTTP {result.http_status}</code>} <span class="about">{milliseconds(result.ms)}</span>
          </p>
          {result.detail && <p>{result.detail}</p>}
          <Json label={t('tools.response')} value={result.result} />
        </div>
      )}
    </Card>
  );
}
