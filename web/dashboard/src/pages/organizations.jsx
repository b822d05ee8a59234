import { useState } from 'preact/hooks';
import { useList } from '../api/data.js';
import { patch, post, resource } from '../api/http.js';
import { actIn, session } from '../api/session.js';
import { date, money, number } from '../format.js';
import { t, word } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';
import { Button } from '../ui/button.jsx';
import { Snippet } from '../ui/code.jsx';
import { Dialog, confirm } from '../ui/dialog.jsx';
import { Filters, useFilters } from '../ui/filters.jsx';
import { Edit } from '../ui/edit.jsx';
import { Form } from '../ui/form.jsx';
import { Menu } from '../ui/menu.jsx';
import { Card, Empty, Notice, Page } from '../ui/page.jsx';
import { Table } from '../ui/table.jsx';
import { toast, toastProblem } from '../ui/toast.jsx';

const PLANS = ['free', 'starter', 'pro'];
const plans = () => PLANS.map((value) => ({ value, label: word('organizations.plans', value) }));

export default function Organizations() {
  const filters = useFilters(['q', 'status']);
  const list = useList('organizations', filters);
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const saved = () => {
    close();
    list.reload();
    toast(t('common.saved'));
  };
  const turn = async (one, status) => {
    const sure =
      status === 'active' ||
      (await confirm({
        title: t('organizations.disableTitle', { name: one.name }),
        text: t('organizations.disableText'),
        action: t('organizations.disable'),
        danger: true,
        type: one.name,
      }));
    if (sure) patch(resource`organizations/${one.id}`, { status }).then(saved, toastProblem);
  };
  const isHere = (one) => one.id === session.value.organization.id;
  const actions = (one) => [
    !isHere(one) && {
      label: t('organizations.actIn'),
      icon: 'right',
      run: () => actIn(one.id).catch(toastProblem),
    },
    { label: t('common.edit'), icon: 'edit', run: () => setDialog({ kind: 'edit', one }) },
    one.status === 'active'
      ? {
          label: t('organizations.disable'),
          icon: 'close',
          danger: true,
          run: () => turn(one, 'disabled'),
        }
      : { label: t('organizations.enable'), icon: 'check', run: () => turn(one, 'active') },
  ];
  return (
    <Page
      wide
      title={t('organizations.title')}
      about={t('organizations.about')}
      actions={
        <Button kind="strong" icon="plus" onClick={() => setDialog({ kind: 'new' })}>
          {t('organizations.make')}
        </Button>
      }
    >
      <Filters
        search={{ name: 'q', label: t('organizations.search') }}
        filters={[
          {
            name: 'status',
            label: t('organizations.status'),
            options: ['active', 'disabled'].map((value) => ({
              value,
              label: word('organizations.states', value),
            })),
          },
        ]}
      />
      <Table
        label={t('organizations.title')}
        list={list}
        columns={[
          {
            title: t('organizations.name'),
            fill: true,
            cell: (one) => <Name of={one} here={isHere(one)} />,
          },
          {
            title: t('organizations.plan'),
            cell: (one) => <Badge>{word('organizations.plans', one.plan)}</Badge>,
          },
          {
            title: t('organizations.status'),
            cell: (one) => (
              <Badge tone={one.status === 'active' ? 'good' : 'bad'} dot>
                {word('organizations.states', one.status)}
              </Badge>
            ),
          },
          {
            title: t('organizations.conversations'),
            align: 'end',
            wide: true,
            cell: (one) => number(one.conversations_30d),
          },
          {
            title: t('organizations.cost'),
            align: 'end',
            wide: true,
            cell: (one) => money(one.cost_usd_month),
          },
          {
            title: t('organizations.since'),
            align: 'end',
            wide: true,
            cell: (one) => date(one.created_at),
          },
          {
            title: <span class="hidden">{t('common.actions')}</span>,
            align: 'end',
            cell: (one) => (
              <Menu label={t('users.actionsOf', { name: one.name })} items={actions(one)} />
            ),
          },
        ]}
        empty={<Empty icon="building" title={t('common.nothingFound')} />}
      />
      {dialog?.kind === 'new' && (
        <New
          onClose={close}
          onDone={(made) => (list.reload(), setDialog({ kind: 'made', made }))}
        />
      )}
      {dialog?.kind === 'edit' && <Change known={dialog.one} onClose={close} onDone={saved} />}
      {dialog?.kind === 'made' && <Made made={dialog.made} onClose={close} />}
    </Page>
  );
}

const Name = ({ of: { name, domain }, here }) => (
  <span>
    <bdi>{name}</bdi> {here && <Badge tone="accent">{t('organizations.here')}</Badge>}
    {domain && (
      <span class="about">
        <bdi dir="ltr">{domain}</bdi>
      </span>
    )}
  </span>
);

function New({ onClose, onDone }) {
  const languages = ['en', 'he'].map((value) => ({ value, label: word('languages', value) }));
  const fields = [
    { name: 'name', label: t('organizations.name'), required: true },
    {
      name: 'domain',
      label: t('organizations.domain'),
      dir: 'ltr',
      placeholder: 'shop.example',
      hint: t('organizations.domainHint'),
    },
    {
      row: [
        { name: 'plan', type: 'select', label: t('organizations.plan'), options: plans() },
        {
          name: 'language',
          type: 'select',
          label: t('organizations.language'),
          options: languages,
        },
      ],
    },
  ];
  const submit = ({ domain, ...rest }) =>
    post('organizations', domain ? { ...rest, domain } : rest).then(onDone);
  return (
    <Dialog title={t('organizations.make')} onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ plan: 'free', language: 'en' }}
        onSubmit={submit}
        submit={t('organizations.make')}
        onCancel={onClose}
      />
    </Dialog>
  );
}

function Change({ known, onClose, onDone }) {
  const path = resource`organizations/${known.id}`;
  const fields = [
    { name: 'name', label: t('organizations.name'), required: true },
    { name: 'domain', label: t('organizations.domain'), dir: 'ltr' },
    { name: 'plan', type: 'select', label: t('organizations.plan'), options: plans() },
  ];
  return (
    <Edit title={known.name} path={path} onClose={onClose}>
      {(one) => (
        <Form
          guard={false}
          fields={fields}
          value={one}
          onSubmit={(_, changed) => patch(path, emptyIsNull(changed), { was: one }).then(onDone)}
          onCancel={onClose}
        />
      )}
    </Edit>
  );
}

const emptyIsNull = ({ domain, ...rest }) =>
  domain === undefined ? rest : { ...rest, domain: domain || null };

function Made({ made, onClose }) {
  return (
    <Dialog title={t('organizations.madeTitle')} onClose={onClose}>
      <div class="stack">
        <p>{t('organizations.publishable')}</p>
        <Snippet label={t('organizations.publishable')} text={made.publishable_key} wrap />
        <p>{t('organizations.secret')}</p>
        <Snippet label={t('organizations.secret')} text={made.secret_key} wrap />
        <Notice tone="warn">{t('keys.once')}</Notice>
        <div>
          <Button kind="strong" onClick={() => actIn(made.id).catch(toastProblem)}>
            {t('organizations.actIn')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
