import { useState } from 'preact/hooks';
import { useData } from '../api/data.js';
import { put, url } from '../api/http.js';
import { may } from '../api/session.js';
import { ago, date, dateTime, money, number, percent } from '../format.js';
import { t, word } from '../i18n.js';
import { place, setQuery } from '../router.js';
import { Badge, Meter } from '../ui/badge.jsx';
import { Snippet } from '../ui/code.jsx';
import { Dialog } from '../ui/dialog.jsx';
import { Form } from '../ui/form.jsx';
import { History } from '../ui/history.jsx';
import { lazy } from '../ui/lazy.jsx';
import { Menu } from '../ui/menu.jsx';
import { Card, Empty, Loaded, Notice, Page } from '../ui/page.jsx';
import { toast } from '../ui/toast.jsx';

const Chart = lazy(() => import('../ui/chart.jsx'), 'Chart');

/** What was spent, what will be, and what may be. */
export default function Budget() {
  const month = place.value.query.get('month') ?? new Date().toISOString().slice(0, 7);
  const budget = useData('budget');
  const usage = useData('usage', { month });
  return (
    <Page
      title={t('budget.title')}
      about={t('budget.about')}
      actions={
        <>
          <History of="budget" />
          <Downloads month={month} />
        </>
      }
    >
      <Loaded of={budget}>{(now) => <Spent budget={now} />}</Loaded>
      {may('admin') && budget.data && (
        <Loaded of={budget}>{(now) => <Caps budget={now} found={budget} />}</Loaded>
      )}
      <Card title={t('budget.usage')} actions={<Months month={month} />}>
        <Loaded of={usage}>{(report) => <Usage report={report} />}</Loaded>
      </Card>
      <Alerts />
    </Page>
  );
}

/* -- this month ------------------------------------------------------------------------------ */

/** What the month comes to if it goes on as it did, in UTC as the budget counts. */
function forecast(spent) {
  const now = new Date();
  const begin = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const passed = (now - begin) / (end - begin);
  return passed > 0.03 ? spent / passed : null;
}

function Spent({ budget }) {
  const {
    spent_usd: spent,
    budget_usd: most,
    held_usd: held,
    messages,
    messages_per_month: quota,
  } = budget;
  const comes = forecast(spent);
  const tooMuch = most !== null && comes > most;
  return (
    <>
      <ul class="tiles">
        <Tile
          name="spent"
          value={money(spent)}
          about={held > 0 ? t('budget.held', { sum: money(held) }) : t('budget.thisMonth')}
        >
          {most !== null && <Meter value={spent} max={most} label={t('budget.spent')} />}
        </Tile>
        <Tile
          name="left"
          value={most === null ? t('budget.noCap') : money(Math.max(0, most - spent))}
          about={most !== null && t('budget.of', { sum: money(most) })}
        />
        <Tile
          name="forecast"
          value={money(comes)}
          about={t(
            comes === null ? 'budget.tooEarly' : tooMuch ? 'budget.tooMuch' : 'budget.goingOn',
          )}
          tone={tooMuch ? 'bad' : ''}
        />
        <Tile
          name="messages"
          value={number(messages)}
          about={quota ? t('budget.ofMessages', { n: quota }) : t('budget.noCap')}
        >
          {quota > 0 && <Meter value={messages} max={quota} label={t('budget.messages')} />}
        </Tile>
      </ul>
      {most === 0 && <Notice>{t('budget.noMoney')}</Notice>}
      {most > 0 && spent >= most && <Notice tone="bad">{t('budget.over')}</Notice>}
      {most > 0 && spent >= 0.9 * most && spent < most && (
        <Notice tone="warn">{t('budget.near')}</Notice>
      )}
    </>
  );
}

function Tile({ name, value, about, tone = '', children }) {
  return (
    <li class="tile">
      <span class="tile-label">{t(`budget.${name}`)}</span>
      <strong>
        <bdi>{value}</bdi>
      </strong>
      {children}
      <span class={`trend ${tone}`}>{about}</span>
    </li>
  );
}

/* -- by day and model ------------------------------------------------------------------------ */

function Months({ month }) {
  const now = new Date();
  const months = Array.from({ length: 12 }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
  const name = (one) => date(`${one}-01`, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  return (
    <select
      class="input"
      aria-label={t('budget.month')}
      value={month}
      onChange={(event) => setQuery({ month: event.currentTarget.value })}
    >
      {months.map((one) => (
        <option key={one} value={one}>
          {name(one)}
        </option>
      ))}
    </select>
  );
}

function Usage({ report }) {
  const { lines, total, month } = report;
  if (!lines.length) {
    return (
      <Empty icon="wallet" title={t('budget.nothing')}>
        {t('budget.nothingAbout')}
      </Empty>
    );
  }
  const days = new Map();
  const models = new Map();
  for (const line of lines) {
    days.set(line.date, (days.get(line.date) ?? 0) + line.cost_micro / 1e6);
    const was = models.get(line.model_id) ?? {
      name: line.model,
      messages: 0,
      tokens_input: 0,
      tokens_output: 0,
      unpriced_calls: 0,
      cost_micro: 0,
    };
    for (const key of Object.keys(was)) if (key !== 'name') was[key] += line[key];
    models.set(line.model_id, was);
  }
  const [year, number_] = month.split('-').map(Number);
  const length = new Date(Date.UTC(year, number_, 0)).getUTCDate();
  const dates = Array.from({ length }, (_, i) => `${month}-${String(i + 1).padStart(2, '0')}`);
  return (
    <>
      <Chart
        label={t('budget.perDay')}
        times={dates.map((one) => Date.parse(one) / 1000)}
        format={(sum) => money(sum)}
        series={[
          {
            label: t('budget.perDay'),
            values: dates.map((one) => days.get(one) ?? 0),
            kind: 'bars',
          },
        ]}
      />
      {total.unpriced_calls > 0 && (
        <Notice tone="warn">{t('budget.unpriced', { n: total.unpriced_calls })}</Notice>
      )}
      <ByModel
        models={[...models].sort(([, a], [, b]) => b.cost_micro - a.cost_micro)}
        total={total}
      />
    </>
  );
}

function ByModel({ models, total }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t('budget.byModel')}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col" class="fill">
              {t('models.model')}
            </th>
            <th scope="col" class="align-end">
              {t('budget.answers')}
            </th>
            <th scope="col" class="align-end wide-only">
              {t('budget.tokens')}
            </th>
            <th scope="col" class="align-end">
              {t('budget.cost')}
            </th>
            <th scope="col" class="align-end wide-only">
              {t('budget.share')}
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map(([id, model]) => (
            <tr key={id}>
              <th scope="row" class="fill">
                <span class="row-link">
                  <bdi>{model.name}</bdi>
                </span>
              </th>
              <td class="align-end">{number(model.messages)}</td>
              <td class="align-end wide-only">
                <bdi>
                  {number(model.tokens_input)} / {number(model.tokens_output)}
                </bdi>
              </td>
              <td class="align-end">
                <bdi>{money(model.cost_micro / 1e6)}</bdi>
              </td>
              <td class="align-end wide-only">{percent(model.cost_micro, total.cost_micro)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Downloads({ month }) {
  const file = (what, label) => ({
    label,
    icon: 'download',
    href: url(what, { month, format: 'csv' }),
    download: '',
  });
  const items = [
    file('usage', t('budget.usageFile')),
    may('admin') && file('usage/invoice', t('budget.invoiceFile')),
  ];
  const button = <span class="button plain">{t('budget.download')}</span>;
  return <Menu label={t('budget.download')} button={button} items={items} />;
}

/* -- what may be spent ----------------------------------------------------------------------- */

function Caps({ budget, found }) {
  const [secret, setSecret] = useState(null);
  const dollars = (name) => ({
    name,
    type: 'number',
    min: 0,
    step: 'any',
    suffix: 'USD',
    label: t(`budget.caps.${name}`),
    hint: t(`budget.caps.${name}Hint`),
  });
  const plan = budget.plan_budget_usd;
  const fields = [
    {
      ...dollars('monthly_budget_usd'),
      ...(plan !== null && { hint: t('budget.caps.plan', { sum: money(plan) }) }),
    },
    { row: [dollars('session_cap_usd'), dollars('user_cap_usd')] },
    {
      name: 'alert_webhook_url',
      type: 'url',
      label: t('budget.caps.webhook'),
      hint: t('budget.caps.webhookHint'),
      placeholder: 'https://',
    },
  ];
  const submit = async (values, typed) => {
    const body = { ...typed };
    if (body.alert_webhook_url === '') body.alert_webhook_url = null;
    const answer = await put('budget', body, { was: budget });
    if (answer.alert_webhook_secret) setSecret(answer.alert_webhook_secret);
    toast(t('common.saved'));
    found.reload();
  };
  return (
    <Card title={t('budget.caps.title')} about={t('budget.caps.about')}>
      <Form
        fields={fields}
        value={{ ...budget, alert_webhook_url: budget.alert_webhook_url ?? '' }}
        onSubmit={submit}
      />
      {secret && (
        <Dialog title={t('budget.caps.secret')} onClose={() => setSecret(null)}>
          <p>{t('budget.caps.secretAbout')}</p>
          <Snippet label={t('budget.caps.secret')} text={secret} wrap />
        </Dialog>
      )}
    </Card>
  );
}

const ALERT_TONES = {
  budget_80: 'warn',
  budget_100: 'bad',
  quota_80: 'warn',
  quota_100: 'bad',
  price_unknown: 'warn',
};

function Alerts() {
  const found = useData('alerts');
  return (
    <Card title={t('budget.alerts')} flush>
      <Loaded of={found}>
        {({ alerts }) => {
          const ours = alerts.filter(({ kind }) => ALERT_TONES[kind]);
          if (!ours.length)
            return (
              <Empty icon="bell" title={t('budget.noAlerts')}>
                {t('budget.noAlertsAbout')}
              </Empty>
            );
          return (
            <ul class="rows">
              {ours.map((alert) => (
                <li key={alert.id}>
                  <div class="row">
                    <span>
                      <Badge tone={ALERT_TONES[alert.kind]}>
                        {word('budget.kinds', alert.kind)}
                      </Badge>{' '}
                      {alert.subject && <bdi>{alert.subject}</bdi>}
                      <span class="about">{word('budget.deliveries', alert.delivery)}</span>
                    </span>
                    <time
                      class="about"
                      dateTime={alert.created_at}
                      title={dateTime(alert.created_at)}
                    >
                      {ago(alert.created_at)}
                    </time>
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}
