import { useEffect, useState } from 'preact/hooks';
import { useData, useList } from '../../api/data.js';
import { post, resource } from '../../api/http.js';
import { explain } from '../../explain.js';
import { dateTime, milliseconds, money } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, place, setQuery } from '../../router.js';
import { Badge, Meter } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Markdown } from '../../ui/markdown.jsx';
import { Card, Empty, Loaded, Notice } from '../../ui/page.jsx';
import { Table } from '../../ui/table.jsx';
import { toastProblem } from '../../ui/toast.jsx';

const AGAIN_MS = 1500;
const TONES = { running: 'accent', done: 'good', failed: 'bad', cancelled: 'warn' };

/** Runs of the saved cases, newest first; one of them with all it found. */
export function Runs() {
  const id = place.value.query.get('run');
  return id ? <Run key={id} id={id} /> : <List />;
}

function List() {
  const list = useList('test-runs', { limit: 50 });
  return (
    <Table
      label={t('test.runs')}
      list={list}
      columns={[
        {
          title: t('test.run'),
          fill: true,
          cell: (run) => (
            <a class="row-link" href={href(`/test?tab=runs&run=${run.id}`)}>
              <span>{dateTime(run.created_at)}</span>
              <span class="about">{run.arms.join(' · ')}</span>
            </a>
          ),
        },
        {
          title: t('models.state'),
          cell: (run) => <Badge tone={TONES[run.status]}>{word('test.states', run.status)}</Badge>,
        },
        {
          title: t('test.passed'),
          align: 'end',
          cell: (run) => t('test.passedOf', { n: run.passed, of: run.total }),
        },
      ]}
      empty={
        <Empty icon="refresh" title={t('test.noRuns')}>
          {t('test.noRunsAbout')}
        </Empty>
      }
    />
  );
}

function Run({ id }) {
  const found = useData(resource`test-runs/${id}`);
  const isRunning = found.data?.status === 'running';
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setInterval(found.reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  const stop = () => post(resource`test-runs/${id}/cancel`, {}).then(found.reload, toastProblem);
  return (
    <Loaded of={found} lines={6}>
      {(run) => (
        <div class="stack">
          <div class="actions">
            <Button kind="quiet" icon="left" onClick={() => setQuery({ run: null })}>
              {t('test.runs')}
            </Button>
            <Badge tone={TONES[run.status]}>{word('test.states', run.status)}</Badge>
            {isRunning && (
              <Button small icon="close" onClick={stop}>
                {t('test.stop')}
              </Button>
            )}
          </div>
          {run.error && <Notice tone="bad">{explain(run.error_reason, run.error)}</Notice>}
          {isRunning && (
            <Meter value={run.done} max={run.total} tone="accent" label={t('test.progress')} />
          )}
          <Arms arms={run.arms} />
          <Results run={run} />
        </div>
      )}
    </Loaded>
  );
}

function Arms({ arms }) {
  const rows = [
    ['passed', (arm) => t('test.passedOf', { n: arm.passed, of: arm.passed + arm.failed })],
    ['cost', (arm) => money(arm.cost_usd === null ? null : Number(arm.cost_usd))],
    ['firstToken', (arm) => milliseconds(arm.p50_first_token_ms)],
    ['whole', (arm) => milliseconds(arm.p50_ms)],
  ];
  return (
    <ul class="tiles">
      {arms.map((arm) => (
        <li key={arm.label} class="tile">
          <span class="tile-label">
            <Badge tone="accent">{arm.label}</Badge> {arm.model_id && <bdi>{arm.model_id}</bdi>}
          </span>
          <dl class="facts-list">
            {rows.map(([name, show]) => (
              <div key={name}>
                <dt>{t(`test.arm.${name}`)}</dt>
                <dd>
                  <bdi>{show(arm)}</bdi>
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}

/** Each case with what every arm said to it, side by side. */
function Results({ run }) {
  const cases = new Map();
  for (const result of run.results)
    cases.set(result.case_id, [...(cases.get(result.case_id) ?? []), result]);
  return [...cases].map(([id, results]) => (
    <Card key={id} title={results[0].name} about={results[0].message}>
      <div class="results">
        {results.map((result) => (
          <Result key={result.arm} of={result} />
        ))}
      </div>
    </Card>
  ));
}

function Result({ of: result }) {
  const [all, setAll] = useState(false);
  const isOver = result.passed !== null && result.passed !== undefined;
  const tone = !isOver ? 'neutral' : result.passed ? 'good' : 'bad';
  const text = result.response ?? '';
  return (
    <div class="result">
      <p>
        <Badge tone="accent">{result.arm}</Badge>{' '}
        <Badge tone={tone}>
          {isOver
            ? t(result.passed ? 'test.isPassed' : 'test.isFailed')
            : word('test.states', result.status)}
        </Badge>{' '}
        <span class="about">
          <bdi>{result.model}</bdi> {result.ms !== null && milliseconds(result.ms)}{' '}
          <bdi>
            {result.cost_usd !== null &&
              result.cost_usd !== undefined &&
              money(Number(result.cost_usd))}
          </bdi>
        </span>
      </p>
      {result.failures?.length > 0 && (
        <ul class="error">
          {result.failures.map((failure, i) => (
            <li key={failure}>{explain(result.failure_reasons?.[i], failure)}</li>
          ))}
        </ul>
      )}
      <Markdown text={all || text.length < 300 ? text : `${text.slice(0, 280)}…`} />
      {text.length >= 300 && (
        <button type="button" class="link" onClick={() => setAll(!all)}>
          {t(all ? 'test.less' : 'common.more')}
        </button>
      )}
      {result.conversation_id && (
        <a class="about" href={href(`/conversations/${result.conversation_id}`)}>
          {t('inbox.whole')}
        </a>
      )}
    </div>
  );
}
