import { useState } from 'preact/hooks';
import { useAction, useList } from '../../api/data.js';
import { post } from '../../api/http.js';
import { said } from '../../explain.js';
import { dateTime, number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { Field } from '../../ui/field.jsx';
import { Card, Empty, Fault } from '../../ui/page.jsx';
import { More, Table } from '../../ui/table.jsx';
import { toast } from '../../ui/toast.jsx';

const NAMES = ['email', 'user_identifier', 'session'];

/** What the law lets a visitor ask for: all that is kept of them, and that it is deleted. */
export function Visitors() {
  const requests = useList('visitors/requests', { limit: 20 });
  return (
    <>
      <Ask onDone={requests.reload} />
      <Card
        flush
        title={t('settings.visitors.requests')}
        about={t('settings.visitors.requestsAbout')}
      >
        <Table
          label={t('settings.visitors.requests')}
          list={requests}
          empty={<Empty icon="log" title={t('settings.visitors.none')} />}
          columns={[
            {
              title: t('settings.visitors.what'),
              cell: ({ action }) => (
                <Badge tone={action === 'delete' ? 'bad' : 'info'}>
                  {word('settings.visitors.actions', action)}
                </Badge>
              ),
            },
            {
              title: t('settings.visitors.by'),
              cell: ({ named_by: by }) => word('settings.visitors.names', by),
            },
            {
              title: t('settings.visitors.conversations'),
              align: 'end',
              cell: ({ report }) => number(report.conversations ?? 0),
            },
            { title: t('settings.visitors.at'), cell: ({ at }) => dateTime(at) },
          ]}
        />
        <More list={requests} />
      </Card>
    </>
  );
}

function Ask({ onDone }) {
  const [by, setBy] = useState('email');
  const [name, setName] = useState('');
  const visitor = { [by]: name.trim() };
  const [keep, exporting] = useAction(async () => {
    save(await exportAll(visitor));
    onDone();
  });
  const [erase, erasing] = useAction(async () => {
    const sure = await confirm({
      title: t('settings.visitors.eraseTitle', { name: name.trim() }),
      text: t('settings.visitors.eraseText'),
      action: t('settings.visitors.erase'),
      danger: true,
    });
    if (!sure) return;
    const n = await deleteAll(visitor);
    toast(n ? t('settings.visitors.erased', { n }) : t('settings.visitors.nothing'));
    if (n) setName('');
    onDone();
  });
  const problem = exporting.problem ?? erasing.problem;
  const fault = problem?.field === by && said(problem);
  const busy = exporting.busy || erasing.busy;
  const submit = (event) => {
    event.preventDefault();
    if (visitor[by] && !busy) keep();
  };
  return (
    <Card title={t('settings.visitors.title')} about={t('settings.visitors.about')}>
      <form class="stack" onSubmit={submit}>
        <div class="field-row">
          <Field
            field={{
              name: 'by',
              type: 'select',
              label: t('settings.visitors.by'),
              options: NAMES.map((value) => ({
                value,
                label: word('settings.visitors.names', value),
              })),
            }}
            value={by}
            onChange={setBy}
          />
          <Field
            field={{
              name: 'name',
              label: word('settings.visitors.names', by),
              hint: t('settings.visitors.nameHint'),
              required: true,
              autocomplete: 'off',
              dir: 'ltr',
            }}
            value={name}
            error={fault}
            onChange={setName}
          />
        </div>
        {!fault && <Fault problem={problem} />}
        <div class="actions">
          <Button
            type="submit"
            kind="strong"
            icon="download"
            busy={exporting.busy}
            disabled={!visitor[by] || erasing.busy}
          >
            {t('settings.visitors.export')}
          </Button>
          <Button
            kind="danger"
            icon="trash"
            busy={erasing.busy}
            disabled={!visitor[by] || exporting.busy}
            onClick={erase}
          >
            {t('settings.visitors.erase')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

/** Page by page, since it may be years of conversations. */
async function exportAll(visitor) {
  const whole = { ...visitor, conversations: [] };
  let after;
  do {
    const part = await post('visitors/export', { ...visitor, ...(after && { after }) });
    whole.conversations.push(...part.conversations);
    after = part.next;
  } while (after);
  return whole;
}

async function deleteAll(visitor) {
  let deleted = 0;
  let report;
  do {
    report = await post('visitors/delete', visitor);
    deleted += report.conversations;
  } while (report.more);
  return deleted;
}

function save(value) {
  const file = new Blob([JSON.stringify(value, null, 2)], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = 'visitor.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}
