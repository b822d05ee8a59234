import { useState } from 'preact/hooks';
import { useList } from '../../api/data.js';
import { patch, post, remove, resource } from '../../api/http.js';
import { ago } from '../../format.js';
import { t } from '../../i18n.js';
import { setQuery } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Dialog, confirm } from '../../ui/dialog.jsx';
import { Edit } from '../../ui/edit.jsx';
import { Form } from '../../ui/form.jsx';
import { Menu } from '../../ui/menu.jsx';
import { Empty } from '../../ui/page.jsx';
import { Table } from '../../ui/table.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { modelOptions } from '../models/answering.jsx';

/** Questions with what has to be true of their answers, asked again whenever something changes. */
export function Cases({ models }) {
  const list = useList('test-cases', { limit: 100 });
  const [editing, setEditing] = useState(null);
  const [running, setRunning] = useState(null);
  const forget = async (one) => {
    const sure = await confirm({
      title: t('test.forgetTitle', { name: one.name }),
      action: t('common.delete'),
      danger: true,
    });
    if (sure) remove(resource`test-cases/${one.id}`).then(() => list.reload(), toastProblem);
  };
  const actions = (one) => [
    { label: t('test.runOne'), icon: 'refresh', run: () => setRunning([one.id]) },
    { label: t('common.edit'), icon: 'edit', run: () => setEditing(one) },
    { label: t('common.delete'), icon: 'trash', danger: true, run: () => forget(one) },
  ];
  return (
    <div class="stack">
      <div class="actions">
        <Button
          kind="strong"
          icon="refresh"
          disabled={!list.items.length}
          onClick={() => setRunning([])}
        >
          {t('test.runAll')}
        </Button>
        <Button icon="plus" onClick={() => setEditing({})}>
          {t('test.newCase')}
        </Button>
      </div>
      <Table
        label={t('test.cases')}
        list={list}
        columns={[
          { title: t('test.case'), fill: true, cell: (one) => <Name of={one} /> },
          { title: t('test.expects'), wide: true, cell: ({ expect }) => <Expects of={expect} /> },
          {
            title: t('test.changed'),
            wide: true,
            align: 'end',
            cell: (one) => ago(one.updated_at),
          },
          {
            title: <span class="hidden">{t('common.actions')}</span>,
            align: 'end',
            cell: (one) => (
              <Menu label={t('models.actionsOf', { name: one.name })} items={actions(one)} />
            ),
          },
        ]}
        empty={
          <Empty icon="check" title={t('test.noCases')}>
            {t('test.noCasesAbout')}
          </Empty>
        }
      />
      {editing && (
        <Case models={models} value={editing} onClose={() => (setEditing(null), list.reload())} />
      )}
      {running && <Start models={models} cases={running} onClose={() => setRunning(null)} />}
    </div>
  );
}

const Name = ({ of: { name, message } }) => (
  <span class="row-link">
    <bdi>{name}</bdi>
    <span class="about" dir="auto">
      {message}
    </span>
  </span>
);

function Expects({ of: expect }) {
  const texts = [
    ...(expect.contains ?? []).map((text) => `“${text}”`),
    ...(expect.not_contains ?? []).map((text) => t('test.not', { text })),
    ...(expect.cites ?? []),
    ...[expect.tool, expect.language, expect.tier].filter(Boolean),
  ];
  return (
    <span class="marks">
      {texts.map((text) => (
        <Badge key={text}>{text}</Badge>
      ))}
    </span>
  );
}

/** A case, new or known, in a dialog. */
export function Case({ models, value, onClose }) {
  const path = value.id && resource`test-cases/${value.id}`;
  const lines = (name) => ({
    name: `expect.${name}`,
    type: 'lines',
    rows: 2,
    label: t(`test.expect.${name}`),
    hint: t(`test.expect.${name}Hint`),
  });
  const select = (name, label, choices) => ({
    name,
    type: 'select',
    label,
    options: [{ value: '', label: t('common.none') }, ...choices],
  });
  const languages = ['en', 'he'].map((one) => ({ value: one, label: t(`languages.${one}`) }));
  const tiers = ['fast', 'reasoning', 'fallback'].map((one) => ({
    value: one,
    label: t(`tiers.${one}`),
  }));
  const fields = [
    { name: 'name', label: t('test.name'), required: true },
    { name: 'message', type: 'textarea', rows: 2, label: t('test.question'), required: true },
    {
      row: [
        select('language', t('conversations.language'), languages),
        {
          name: 'model_id',
          type: 'select',
          label: t('models.model'),
          options: modelOptions(models, t('test.asRouted')),
        },
      ],
    },
    { heading: t('test.expects') },
    { row: [lines('contains'), lines('not_contains')] },
    lines('cites'),
    {
      row: [
        { name: 'expect.tool', label: t('test.expect.tool'), dir: 'ltr' },
        select('expect.language', t('test.expect.language'), languages),
        select('expect.tier', t('test.expect.tier'), tiers),
      ],
    },
  ];
  const submit = async (was, { name, message, language, model_id: model, expect }) => {
    const body = {
      name,
      message,
      language: language || null,
      model_id: model || null,
      expect: filled(expect),
    };
    await (path ? patch(path, body, { was }) : post('test-cases', body));
    toast(t('common.saved'));
    onClose();
  };
  return (
    <Edit
      title={t(path ? 'test.case' : 'test.newCase')}
      size="large"
      path={path}
      value={value}
      onClose={onClose}
    >
      {(one) => (
        <Form
          kind="wide"
          guard={false}
          fields={fields}
          value={{ name: '', message: '', expect: {}, ...one }}
          onSubmit={(values) => submit(one, values)}
          onCancel={onClose}
        />
      )}
    </Edit>
  );
}

const filled = (expect) =>
  Object.fromEntries(Object.entries(expect ?? {}).filter(([, value]) => value?.length));

/** As it is now; or two models, or two texts, side by side. */
function Start({ models, cases, onClose }) {
  const options = modelOptions(models, t('test.asRouted'));
  const arm = (letter) => [
    {
      row: [
        { name: `${letter}.label`, label: t('test.armName'), required: true },
        { name: `${letter}.model_id`, type: 'select', label: t('models.model'), options },
      ],
    },
    {
      name: `${letter}.prompt`,
      type: 'textarea',
      rows: 3,
      label: t('test.tryPrompt'),
      placeholder: t('test.promptNow'),
    },
  ];
  const fields = [
    ...arm('a'),
    { name: 'two', type: 'switch', label: t('test.compare') },
    ...[0, 1].map((i) => (now) => now.two && arm('b')[i]),
  ];
  const submit = async ({ a, b, two }) => {
    const arms = [a, ...(two ? [b] : [])].map(filled);
    const { id } = await post('test-runs', { ...(cases.length && { case_ids: cases }), arms });
    onClose();
    setQuery({ tab: 'runs', run: id });
  };
  return (
    <Dialog title={t('test.runAll')} onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ a: { label: 'A' }, b: { label: 'B' } }}
        onSubmit={submit}
        submit={t('test.start')}
        onCancel={onClose}
      />
    </Dialog>
  );
}
