import { useState } from 'preact/hooks';
import { useAction } from '../../api/data.js';
import { post } from '../../api/http.js';
import { explain } from '../../explain.js';
import { milliseconds } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Json } from '../../ui/code.jsx';
import { Card, Fault, Notice } from '../../ui/page.jsx';

export const pretty = (value) => (value ? JSON.stringify(value, null, 2) : '');

/** JSON that was typed; what is none is refused here, at its field. */
export function parse(name, text) {
  if (!text?.trim()) return name === 'bindings' ? {} : { type: 'object', properties: {} };
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error(t('tools.notJson')), { field: name });
  }
}

/** What a model might give: something for each required argument. */
function sample({ properties = {}, required = [] } = {}) {
  const of = ({ type, enum: choices, default: given }) =>
    given ??
    choices?.[0] ??
    { integer: 1, number: 1, boolean: true, array: [], object: {} }[type] ??
    '';
  return Object.fromEntries(required.map((name) => [name, of(properties[name] ?? {})]));
}

/** A tool, or an endpoint, is run for real; what was sent and what came back is shown. */
export function Try({ path, of: tool, isReady = true, onDone }) {
  const [result, setResult] = useState(null);
  const [run, { busy, problem }] = useAction(async (text) => {
    setResult(null);
    setResult(await post(`${path}/test`, { arguments: parse('arguments', text) }));
    onDone();
  });
  const [text, setText] = useState(() => pretty(sample(tool.parameters_schema)));
  return (
    <Card
      title={t('tools.try')}
      about={t(tool.risk === 'read' ? 'tools.tryAbout' : 'tools.tryWrites')}
    >
      {!isReady && <Notice>{t('tools.needsUrlAbout')}</Notice>}
      <label class="field">
        <span class="label">{t('tools.arguments')}</span>
        <textarea
          class="input code"
          rows={4}
          dir="ltr"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="actions">
        <Button kind="strong" busy={busy} disabled={!isReady} onClick={() => run(text)}>
          {t('tools.run')}
        </Button>
      </div>
      <Fault problem={problem} />
      {result && <Result of={result} />}
    </Card>
  );
}

function Result({ of: result }) {
  const { request, answer } = result;
  return (
    <div class="stack" aria-live="polite">
      <p>
        <Badge tone={result.ok ? 'good' : 'bad'}>
          {result.ok ? t('tools.worked') : word('tools.failures', result.failure)}
        </Badge>{' '}
        {result.http_status > 0 && <code>HTTP {result.http_status}</code>}{' '}
        <span class="about">{milliseconds(result.ms)}</span>
      </p>
      {result.detail && <p>{explain(result.detail_reason, result.detail)}</p>}
      <h3>{t('tools.forModel')}</h3>
      <Json label={t('tools.forModel')} value={result.result} />
      {request && (
        <Message title={t('tools.sent')} first={`${request.method} ${request.url}`} of={request} />
      )}
      {answer && (
        <Message
          title={t('tools.came')}
          first={answer.status > 0 && `HTTP ${answer.status}`}
          of={answer}
        />
      )}
    </div>
  );
}

/** As it went over the wire: its first line, its headers, its body. */
function Message({ title, first, of: { headers, body, cut } }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = [[first, ...lines].filter(Boolean).join('\n'), body].filter(Boolean).join('\n\n');
  return (
    <>
      <h3>{title}</h3>
      <Json label={title} value={text} />
      {cut && <p class="about">{t('tools.cut')}</p>}
    </>
  );
}
