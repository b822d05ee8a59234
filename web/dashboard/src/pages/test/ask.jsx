import { useEffect, useRef, useState } from 'preact/hooks';
import { useAction } from '../../api/data.js';
import { post, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { t } from '../../i18n.js';
import { Button } from '../../ui/button.jsx';
import { Field } from '../../ui/field.jsx';
import { Card, Empty, Fault } from '../../ui/page.jsx';
import { toastProblem } from '../../ui/toast.jsx';
import { modelOptions } from '../models/answering.jsx';
import { Case } from './cases.jsx';
import { DryRun } from './dry-run.jsx';
import { askTest } from './stream.js';
import { emptyTrace, take } from './trace.js';
import { Trace } from './trace.jsx';
import { Turn } from './turn.jsx';

const CHANNELS = ['widget', 'api', 'whatsapp', 'messenger', 'email', 'sms'];

/** A conversation with the assistant as it is now, or as it would be with another model or text. */
export function Ask({ models }) {
  const [turns, setTurns] = useState([]);
  const [chosen, setChosen] = useState(0);
  const [asVisitor, setAsVisitor] = useState({ channel: 'widget' });
  const [keeping, setKeeping] = useState(null);
  const running = useRef(null);
  const busy = turns.some(({ state }) => state === 'running');
  useEffect(() => () => running.current?.abort(), []);

  const change = (at, fn) => setTurns((all) => all.map((turn, i) => (i === at ? fn(turn) : turn)));

  async function ask(question) {
    const at = turns.length;
    const session = turns.findLast(({ session_id: id }) => id)?.session_id;
    const body = describe(question, session, asVisitor);
    running.current = new AbortController();
    setTurns((all) => [
      ...all,
      { question, text: '', state: 'running', trace: emptyTrace, citations: [] },
    ]);
    setChosen(at);
    try {
      await askTest(body, {
        signal: running.current.signal,
        onJob: (job) => change(at, (turn) => ({ ...turn, job })),
        onEvent: (type, data) => change(at, (turn) => hear(turn, type, data)),
      });
    } catch (problem) {
      change(at, (turn) => ({ ...turn, state: 'failed', problem }));
    }
  }
  const stop = () => post(resource`test-chat/${turns.at(-1).job}/cancel`, {}).catch(toastProblem);
  const anew = () => {
    running.current?.abort();
    setTurns([]);
    setChosen(0);
  };
  const turn = turns[chosen];
  return (
    <div class="test-chat">
      <div class="stack">
        <Card>
          {turns.length ? (
            <ol class="transcript" aria-live="polite">
              {turns.map((one, i) => (
                <Turn
                  key={i}
                  of={one}
                  isChosen={i === chosen}
                  onChoose={() => setChosen(i)}
                  onKeep={() => setKeeping(one)}
                />
              ))}
            </ol>
          ) : (
            <Empty icon="flask" title={t('test.empty')}>
              {t('test.emptyAbout')}
            </Empty>
          )}
          <Question
            busy={busy}
            onAsk={ask}
            onStop={stop}
            onAnew={turns.length ? anew : null}
            asVisitor={asVisitor}
          />
        </Card>
        <Visitor models={models} value={asVisitor} onChange={setAsVisitor} />
      </div>
      <div class="stack">{turn ? <Trace of={turn.trace} /> : <TraceLater />}</div>
      {keeping && (
        <Case
          models={models}
          value={{
            name: keeping.question.slice(0, 60),
            message: keeping.question,
            expect: { cites: keeping.citations.map(({ id }) => id) },
          }}
          onClose={() => setKeeping(null)}
        />
      )}
    </div>
  );
}

function describe(message, session, { prompt, tryPrompt, allow_writes: writes, ...visitor }) {
  const said = Object.entries(visitor).filter(([, value]) => value);
  return {
    message,
    ...(session && { session_id: session }),
    ...Object.fromEntries(said),
    ...(tryPrompt && { prompt: prompt ?? '' }),
    ...(writes && { allow_writes: true }),
  };
}

function hear(turn, type, data) {
  switch (type) {
    case 'meta':
      return { ...turn, session_id: data.session_id, model: data.model };
    case 'delta':
      return { ...turn, text: turn.text + data.text };
    case 'reset': // another worker begins the answer anew
      return { ...turn, text: '', citations: [], confirm: undefined };
    case 'replace':
      return { ...turn, text: data.text ?? '' };
    case 'citation':
      return { ...turn, citations: [...turn.citations, data] };
    case 'confirm':
      return { ...turn, confirm: data };
    case 'trace':
      return { ...turn, trace: take(turn.trace, data) };
    case 'notice':
      return { ...turn, trace: { ...turn.trace, notices: [...turn.trace.notices, data] } };
    case 'done':
      return {
        ...turn,
        state: 'done',
        citations: data.citations ?? turn.citations,
        finish: data.finish_reason,
      };
    case 'cancelled':
      return { ...turn, state: 'done', finish: 'cancelled' };
    case 'error':
      return {
        ...turn,
        state: 'failed',
        problem: { document: data, requestId: data.request_id },
      };
    default:
      return turn;
  }
}

function Question({ busy, onAsk, onStop, onAnew, asVisitor }) {
  const [text, setText] = useState('');
  const [dry, setDry] = useState(null);
  const [look, { busy: looking, problem }] = useAction(async () => {
    const { language, model_id: model } = asVisitor;
    setDry(
      await post('dry-run', {
        message: text.trim(),
        ...(language && { language }),
        ...(model && { model_id: model }),
      }),
    );
  });
  const submit = (event) => {
    event?.preventDefault();
    if (!text.trim() || busy) return;
    onAsk(text.trim());
    setText('');
  };
  const onKeyDown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <form class="stack" onSubmit={submit}>
      <textarea
        class="input"
        rows={2}
        dir="auto"
        aria-label={t('test.question')}
        placeholder={t('test.question')}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Fault problem={problem} />
      <div class="actions">
        {busy ? (
          <Button icon="close" onClick={onStop}>
            {t('test.stop')}
          </Button>
        ) : (
          <Button type="submit" kind="strong" icon="send" disabled={!text.trim()}>
            {t('test.send')}
          </Button>
        )}
        <Button icon="eye" disabled={!text.trim()} busy={looking} onClick={look}>
          {t('test.dryRun')}
        </Button>
        {onAnew && (
          <Button kind="quiet" icon="plus" onClick={onAnew}>
            {t('test.anew')}
          </Button>
        )}
      </div>
      {dry && <DryRun of={dry} onClose={() => setDry(null)} />}
    </form>
  );
}

/** Who asks, from where, and what is tried in place of what is set. */
function Visitor({ models, value, onChange }) {
  const who = [
    {
      name: 'language',
      type: 'select',
      label: t('conversations.language'),
      options: [{ value: '', label: t('test.asAsked') }, ...options('languages', ['en', 'he'])],
    },
    {
      name: 'channel',
      type: 'select',
      label: t('conversations.channel'),
      options: options('channels', CHANNELS),
    },
    {
      name: 'model_id',
      type: 'select',
      label: t('models.model'),
      options: modelOptions(models, t('test.asRouted')),
    },
    { name: 'user_id', label: t('test.userId'), dir: 'ltr' },
    { name: 'page', type: 'url', label: t('conversations.page'), placeholder: 'https://' },
  ];
  const tried = [
    {
      name: 'tryPrompt',
      type: 'switch',
      label: t('test.tryPrompt'),
      hint: t('test.tryPromptHint'),
    },
    value.tryPrompt && {
      name: 'prompt',
      type: 'textarea',
      rows: 5,
      label: t('models.settings.system_prompt'),
    },
    may('admin') && {
      name: 'allow_writes',
      type: 'switch',
      label: t('test.allowWrites'),
      hint: t('test.allowWritesHint'),
    },
  ];
  const show = (field) => (
    <Field
      key={field.name}
      field={field}
      value={value[field.name] ?? ''}
      onChange={(next) => onChange({ ...value, [field.name]: next })}
    />
  );
  return (
    <Card title={t('test.visitor')}>
      <div class="field-row">{who.map(show)}</div>
      {tried.filter(Boolean).map(show)}
    </Card>
  );
}

const options = (group, names) =>
  names.map((name) => ({ value: name, label: t(`${group}.${name}`) }));

const TraceLater = () => (
  <Card title={t('test.trace')}>
    <Empty icon="log" title={t('test.traceEmpty')}>
      {t('test.traceEmptyAbout')}
    </Empty>
  </Card>
);
