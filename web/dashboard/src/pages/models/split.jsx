import { useData } from '../../api/data.js';
import { put } from '../../api/http.js';
import { may } from '../../api/session.js';
import { milliseconds, money, number } from '../../format.js';
import { t } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { Card, Empty, Loaded } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { modelOptions } from './answering.jsx';

/** Two models side by side: some of the conversations get the other one, and what came of it. */
export function Split({ models, settings, changed }) {
  const split = settings.ab_split;
  const report = useData('models/ab', { days: 30 });
  const save = async (ab_split) => {
    changed(await put('ai-settings', { ab_split }, { was: settings }));
    report.reload();
    toast(t('common.saved'));
  };
  const end = async () => {
    const sure = await confirm({
      title: t('models.ab.endTitle'),
      text: t('models.ab.endText'),
      action: t('models.ab.end'),
    });
    if (sure) save(null).catch(toastProblem);
  };
  const options = modelOptions(models, t('models.providersOwn'));
  const fields = [
    { name: 'name', label: t('models.ab.name'), hint: t('models.ab.nameHint'), required: true },
    {
      name: 'percent',
      type: 'number',
      min: 1,
      max: 99,
      label: t('models.ab.percent'),
      suffix: '%',
      required: true,
    },
    {
      row: [
        { name: 'a.fast_model', type: 'select', label: t('models.ab.fastA'), options },
        { name: 'b.fast_model', type: 'select', label: t('models.ab.fastB'), options },
      ],
    },
    {
      row: [
        { name: 'a.reasoning_model', type: 'select', label: t('models.ab.reasoningA'), options },
        { name: 'b.reasoning_model', type: 'select', label: t('models.ab.reasoningB'), options },
      ],
    },
  ];
  const submit = ({ name, percent, a, b }) => save({ name, percent, a: chosen(a), b: chosen(b) });
  return (
    <div class="stack">
      <Card
        title={t('models.ab.title')}
        about={t('models.ab.about')}
        actions={split && may('admin') && <Button onClick={end}>{t('models.ab.end')}</Button>}
      >
        <Form
          fixed={!may('admin')}
          fields={fields}
          value={split ?? { name: '', percent: 20, a: {}, b: {} }}
          onSubmit={submit}
          submit={t(split ? 'common.save' : 'models.ab.begin')}
        />
      </Card>
      <Card title={t('models.ab.results')} about={t('models.ab.resultsAbout')} flush>
        <Loaded of={report}>{({ arms }) => <Results arms={arms} />}</Loaded>
      </Card>
    </div>
  );
}

/** Only what was chosen: the rest stays as it is set. */
const chosen = (arm) => Object.fromEntries(Object.entries(arm ?? {}).filter(([, model]) => model));

function Results({ arms }) {
  if (!arms.some(({ conversations }) => conversations)) {
    return (
      <Empty icon="chart" title={t('models.ab.none')}>
        {t('models.ab.noneAbout')}
      </Empty>
    );
  }
  const rows = [
    ['conversations', (arm) => number(arm.conversations)],
    ['answers', (arm) => number(arm.answers)],
    ['cost', (arm) => money(arm.cost_micro / 1e6)],
    ['perAnswer', (arm) => (arm.answers ? money(arm.cost_micro / 1e6 / arm.answers) : '–')],
    [
      'firstToken',
      (arm) => `${milliseconds(arm.first_token_ms.p50)} / ${milliseconds(arm.first_token_ms.p95)}`,
    ],
    ['total', (arm) => `${milliseconds(arm.total_ms.p50)} / ${milliseconds(arm.total_ms.p95)}`],
    ['helpful', (arm) => `${number(arm.feedback.up)} / ${number(arm.feedback.down)}`],
    [
      'rating',
      (arm) =>
        `${number(arm.rating.average, { maximumFractionDigits: 1 })} (${number(arm.rating.count)})`,
    ],
  ];
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t('models.ab.results')}>
      <table class="table">
        <thead>
          <tr>
            <td />
            {arms.map(({ arm, models }) => (
              <th key={arm} scope="col" class="align-end">
                <Badge tone="accent">{arm.toUpperCase()}</Badge> <bdi>{models.join(', ')}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, show]) => (
            <tr key={name}>
              <th scope="row">{t(`models.ab.${name}`)}</th>
              {arms.map((arm) => (
                <td key={arm.arm} class="align-end">
                  <bdi>{show(arm)}</bdi>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
