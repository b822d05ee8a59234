import { useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { patch, post, remove, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Button } from '../../ui/button.jsx';
import { Dialog, confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { Card, Loaded, Page } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { Log } from '../tools/tools.jsx';
import { Try, parse, pretty } from '../tools/try.jsx';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const OBJECTS = ['parameters_schema', 'bindings', 'config'];
const EXAMPLE = {
  type: 'object',
  required: ['number'],
  properties: { number: { type: 'string', maxLength: 20 } },
};

/** What of an integration can be called: what the model is told of it, what is asked, and a try. */
export default function Endpoint({ id, name }) {
  const path = resource`endpoints/${name}`;
  const found = useData(path);
  const [tries, setTries] = useState(0);
  const up = `/integrations/${encodeURIComponent(id)}`;
  const save = async (_, changed) => {
    found.set(await patch(path, forServer(changed), { was: found.data }));
    toast(t('common.saved'));
  };
  const drop = async () => {
    const sure = await confirm({
      title: t('tools.dropTitle', { name }),
      text: t('tools.dropText'),
      action: t('common.delete'),
      danger: true,
    });
    if (sure) remove(path, { was: found.data }).then(() => navigate(up), toastProblem);
  };
  return (
    <Page
      title={name}
      back={{ href: href(up), label: found.data?.integration ?? t('integrations.title') }}
      actions={
        found.data &&
        may('admin') && (
          <Button icon="trash" onClick={drop}>
            {t('common.delete')}
          </Button>
        )
      }
    >
      <Loaded of={found} lines={8}>
        {(one) => (
          <div class="columns">
            <Card title={t('tools.settings')}>
              <Form
                fixed={!may('admin')}
                fields={fields({ isDatabase: one.kind === 'query' })}
                value={forForm(one)}
                onSubmit={save}
              />
            </Card>
            <div class="stack">
              {may('admin') && <Try path={path} of={one} onDone={() => setTries(tries + 1)} />}
              <Log key={tries} tool={one.name} />
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

export function NewEndpoint({ path, isDatabase, onClose, onDone }) {
  const save = async ({ method, ...values }) => {
    await post(`${path}/endpoints`, forServer({ ...values, ...(!isDatabase && { method }) }));
    onDone();
  };
  const value = { method: 'GET', risk: 'read', parameters_schema: pretty(EXAMPLE) };
  return (
    <Dialog title={t('integrations.newEndpoint')} onClose={onClose} size="large">
      <Form
        guard={false}
        fields={fields({ isDatabase, isNew: true })}
        value={value}
        onSubmit={save}
        onCancel={onClose}
      />
    </Dialog>
  );
}

/* -- its form ------------------------------------------------------------------------------- */

const forForm = (one) => ({
  ...one,
  ...Object.fromEntries(OBJECTS.map((name) => [name, pretty(one[name])])),
});

function forServer({ ...values }) {
  for (const name of OBJECTS)
    if (name in values)
      values[name] =
        name === 'parameters_schema' || values[name]?.trim() ? parse(name, values[name]) : {};
  return values;
}

function fields({ isDatabase, isNew }) {
  const request = {
    row: [
      {
        name: 'method',
        type: 'select',
        label: t('integrations.method'),
        options: METHODS.map((value) => ({ value, label: value })),
      },
      {
        name: 'url',
        label: t('integrations.path'),
        dir: 'ltr',
        required: isNew,
        placeholder: '/orders/{number}/delivery',
      },
    ],
  };
  const query = {
    name: 'query',
    type: 'code',
    rows: 4,
    label: t('integrations.query'),
    hint: t('integrations.queryHint'),
    required: true,
    placeholder: 'SELECT status FROM orders WHERE number = {number}',
  };
  return [
    isNew && {
      name: 'name',
      label: t('tools.name'),
      hint: t('tools.nameHint'),
      required: true,
      dir: 'ltr',
      placeholder: 'delivery_date',
    },
    {
      name: 'description',
      type: 'textarea',
      rows: 2,
      label: t('tools.description'),
      hint: t('tools.descriptionHint'),
      required: true,
    },
    isDatabase ? query : request,
    {
      name: 'parameters_schema',
      type: 'code',
      rows: 7,
      label: t('tools.schema'),
      hint: t('tools.schemaHint'),
    },
    {
      name: 'risk',
      type: 'select',
      label: t('tools.risk'),
      options: ['read', 'write', 'high'].map((value) => ({
        value,
        label: word('tools.risks', value),
      })),
    },
    !isNew && {
      name: 'bindings',
      type: 'code',
      rows: 3,
      label: t('tools.bindings'),
      hint: t('tools.bindingsHint'),
      placeholder: '{"email": "visitor.email"}',
    },
    !isNew && {
      name: 'config',
      type: 'code',
      rows: 3,
      label: t('integrations.config'),
      hint: t('integrations.configHint'),
      placeholder: '{"list": "orders", "cache_seconds": 60}',
    },
  ].filter(Boolean);
}
