import { useState } from 'preact/hooks';
import { useList } from '../api/data.js';
import { patch, post, remove, resource } from '../api/http.js';
import { ago, dateTime } from '../format.js';
import { t, word } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';
import { Button } from '../ui/button.jsx';
import { Snippet } from '../ui/code.jsx';
import { Dialog, confirm } from '../ui/dialog.jsx';
import { Edit } from '../ui/edit.jsx';
import { Form } from '../ui/form.jsx';
import { historyChoice } from '../ui/history.jsx';
import { Menu } from '../ui/menu.jsx';
import { Card, Empty, Notice, Page } from '../ui/page.jsx';
import { Table } from '../ui/table.jsx';
import { toast, toastProblem } from '../ui/toast.jsx';

const TONES = { live: 'good', expiring: 'warn', expired: 'neutral', revoked: 'neutral' };
const HOUR = 3600;
const OVERLAPS = [0, HOUR, 24 * HOUR, 7 * 24 * HOUR, 30 * 24 * HOUR];

const isLive = ({ status }) => status === 'live' || status === 'expiring';

export default function Keys() {
  const list = useList('keys', { limit: 50 });
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const made = ({ key }) => {
    list.reload();
    setDialog({ kind: 'made', key });
  };
  const revoke = async (key) => {
    const sure = await confirm({
      title: t('keys.revokeTitle', { name: key.name }),
      text: t('keys.revokeText'),
      action: t('keys.revoke'),
      danger: true,
      type: key.last4,
    });
    if (sure)
      remove(resource`keys/${key.id}`).then(
        () => (list.reload(), toast(t('keys.revoked'))),
        toastProblem,
      );
  };
  const actions = (key) => [
    { label: t('common.edit'), icon: 'edit', run: () => setDialog({ kind: 'edit', key }) },
    { label: t('keys.rotate'), icon: 'refresh', run: () => setDialog({ kind: 'rotate', key }) },
    historyChoice(`keys/${key.id}`),
    { label: t('keys.revoke'), icon: 'trash', danger: true, run: () => revoke(key) },
  ];
  return (
    <Page
      title={t('keys.title')}
      about={t('keys.about')}
      actions={
        <Button kind="strong" icon="plus" onClick={() => setDialog({ kind: 'new' })}>
          {t('keys.make')}
        </Button>
      }
    >
      <Card flush>
        <Table
          label={t('keys.title')}
          list={list}
          columns={[
            { title: t('keys.name'), fill: true, cell: (key) => <Name of={key} /> },
            {
              title: t('keys.kind'),
              wide: true,
              cell: (key) => (
                <Badge tone={key.kind === 'sk' ? 'warn' : 'neutral'}>
                  {word('keys.kinds', key.kind)}
                </Badge>
              ),
            },
            { title: t('keys.status'), cell: (key) => <Status of={key} /> },
            {
              title: t('keys.made'),
              wide: true,
              cell: (key) => <time title={dateTime(key.created_at)}>{ago(key.created_at)}</time>,
            },
            {
              title: <span class="hidden">{t('common.actions')}</span>,
              align: 'end',
              cell: (key) =>
                isLive(key) && (
                  <Menu label={t('users.actionsOf', { name: key.name })} items={actions(key)} />
                ),
            },
          ]}
          empty={
            <Empty icon="key" title={t('keys.none')}>
              {t('keys.noneAbout')}
            </Empty>
          }
        />
      </Card>
      {dialog?.kind === 'new' && <New onClose={close} onDone={made} />}
      {dialog?.kind === 'edit' && (
        <Change
          known={dialog.key}
          onClose={close}
          onDone={() => (close(), list.reload(), toast(t('common.saved')))}
        />
      )}
      {dialog?.kind === 'rotate' && <Rotate known={dialog.key} onClose={close} onDone={made} />}
      {dialog?.kind === 'made' && <Made value={dialog.key} onClose={close} />}
    </Page>
  );
}

const Name = ({ of: { name, last4, origins, scope, kind } }) => (
  <span>
    <bdi>{name}</bdi> <code dir="ltr">…{last4}</code>{' '}
    <span class="about narrow-only">{word('keys.kinds', kind)}</span>
    <span class="about">
      {kind === 'pk' ? (
        <bdi dir="ltr">{origins?.join(', ') || t('keys.noOrigin')}</bdi>
      ) : (
        word('keys.scopes', scope)
      )}
    </span>
  </span>
);

const Status = ({ of: { status, expires_at: expires } }) => (
  <span title={expires ? dateTime(expires) : undefined}>
    <Badge tone={TONES[status]} dot>
      {word('keys.states', status)}
    </Badge>
  </span>
);

const originsField = {
  name: 'origins',
  type: 'lines',
  dir: 'ltr',
  placeholder: 'https://shop.example',
};

function New({ onClose, onDone }) {
  const kinds = ['pk', 'sk'].map((value) => ({ value, label: word('keys.kindsLong', value) }));
  const scopes = ['read', 'write', 'admin'].map((value) => ({
    value,
    label: word('keys.scopes', value),
  }));
  const fields = [
    { name: 'name', label: t('keys.name'), required: true, hint: t('keys.nameHint') },
    { name: 'kind', type: 'select', label: t('keys.kind'), options: kinds },
    (now) =>
      now.kind === 'sk'
        ? { name: 'scope', type: 'select', label: t('keys.scope'), options: scopes }
        : { ...originsField, label: t('keys.origins'), hint: t('keys.originsHint') },
  ];
  const submit = ({ name, kind, scope, origins }) =>
    post('keys', kind === 'sk' ? { name, kind, scope } : { name, kind, origins }).then(onDone);
  return (
    <Dialog title={t('keys.make')} onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ kind: 'pk', scope: 'read', origins: [] }}
        onSubmit={submit}
        submit={t('keys.make')}
        onCancel={onClose}
      />
    </Dialog>
  );
}

function Change({ known, onClose, onDone }) {
  const path = resource`keys/${known.id}`;
  const fields = [
    { name: 'name', label: t('keys.name'), required: true },
    known.kind === 'pk' && {
      ...originsField,
      label: t('keys.origins'),
      hint: t('keys.originsHint'),
    },
  ].filter(Boolean);
  return (
    <Edit title={t('keys.edit')} path={path} onClose={onClose}>
      {(key) => (
        <Form
          guard={false}
          fields={fields}
          value={key}
          onSubmit={(_, changed) => patch(path, changed, { was: key }).then(onDone)}
          onCancel={onClose}
        />
      )}
    </Edit>
  );
}

function Rotate({ known, onClose, onDone }) {
  const options = OVERLAPS.map((value) => ({
    value: String(value),
    label: t(`keys.overlaps.${value / HOUR}`),
  }));
  const fields = [{ name: 'overlap_s', type: 'select', label: t('keys.overlap'), options }];
  const submit = ({ overlap_s: overlap }) =>
    post(resource`keys/${known.id}/rotate`, { overlap_s: Number(overlap) }).then(onDone);
  return (
    <Dialog title={t('keys.rotate')} onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ overlap_s: String(24 * HOUR) }}
        onSubmit={submit}
        submit={t('keys.rotate')}
        onCancel={onClose}
      >
        <p>{t('keys.rotateText')}</p>
      </Form>
    </Dialog>
  );
}

function Made({ value, onClose }) {
  return (
    <Dialog title={t('keys.madeTitle')} onClose={onClose}>
      <div class="stack">
        <Snippet label={t('keys.madeTitle')} text={value} wrap />
        <Notice tone="warn">{t('keys.once')}</Notice>
      </div>
    </Dialog>
  );
}
