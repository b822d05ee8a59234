import { useAction } from '../../api/data.js';
import { post, resource } from '../../api/http.js';
import { milliseconds, money } from '../../format.js';
import { t } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Json } from '../../ui/code.jsx';
import { Fault, Notice } from '../../ui/page.jsx';
import { Answer } from '../transcript.jsx';

/** A question and what became of it; the one that is chosen has its trace beside it. */
export function Turn({ of: turn, isChosen, onChoose, onKeep }) {
  const { timings, usage } = turn.trace;
  return (
    <>
      <li class="message visitor">
        <div class="bubble">
          <p dir="auto">{turn.question}</p>
        </div>
      </li>
      <li class="message ai">
        <div class="bubble">
          <Answer
            of={{ content: turn.text, citations: turn.citations }}
            more={turn.state === 'running'}
          />
          {turn.state === 'running' && !turn.text && (
            <span class="about">{t('test.thinking')}</span>
          )}
        </div>
        <Fault problem={turn.problem} />
        {turn.confirm && turn.state === 'running' && <Confirm job={turn.job} of={turn.confirm} />}
        <div class="turn-foot">
          {turn.model && <bdi>{turn.model}</bdi>}
          {timings?.first_token_ms !== undefined && (
            <span>
              {t('test.firstWords', {
                time: milliseconds(timings.first_token_ms - timings.queued_ms),
              })}
            </span>
          )}
          {usage && <bdi>{money(usage.cost === null ? null : Number(usage.cost))}</bdi>}
          {turn.finish === 'cancelled' && <Badge tone="warn">{t('messageStatus.cancelled')}</Badge>}
          <Button small kind="quiet" icon="log" aria-pressed={isChosen} onClick={onChoose}>
            {t('test.trace')}
          </Button>
          {turn.state === 'done' && (
            <Button small kind="quiet" icon="plus" onClick={onKeep}>
              {t('test.keep')}
            </Button>
          )}
        </div>
      </li>
    </>
  );
}

/** A tool that changes something asks its visitor, here too. */
function Confirm({ job, of }) {
  const [decide, { busy, problem }] = useAction((decision) =>
    post(resource`test-chat/${job}/confirm`, { call_id: of.call_id, decision }),
  );
  return (
    <Notice tone="warn">
      <p>{of.summary ?? of.text ?? of.name}</p>
      {of.arguments && <Json label={of.name} value={of.arguments} />}
      <Fault problem={problem} />
      <div class="actions">
        <Button small kind="strong" busy={busy} onClick={() => decide('accept')}>
          {t('test.accept')}
        </Button>
        <Button small busy={busy} onClick={() => decide('decline')}>
          {t('test.decline')}
        </Button>
      </div>
    </Notice>
  );
}
