import { useEffect, useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { may, session } from '../../api/session.js';
import { duration } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { LinkButton } from '../../ui/button.jsx';
import { Empty, Fault, Skeleton } from '../../ui/page.jsx';
import { Visitor } from '../conversation-parts.jsx';
import { TeamFilter } from './team.jsx';

const LONG_S = 120; // who has waited so long is shown in red

/** The waiting first, the longest on top; then mine, then those of others. */
export function Queue({ queue, rows, team, to, current }) {
  const now = useClock(5000);
  const me = `user:${session.value.user.id}`;
  const groups = [
    ['waiting', rows.filter(({ status }) => status === 'waiting_human')],
    ['mine', rows.filter(({ status, holder }) => status === 'human' && holder === me)],
    ['others', rows.filter(({ status, holder }) => status === 'human' && holder !== me)],
  ];
  return (
    <section class="queue" aria-label={t('inbox.queue')}>
      <TeamFilter team={team} />
      <Fault problem={queue.problem} retry={queue.reload} />
      {queue.loading && !queue.data && <Skeleton lines={5} />}
      {groups.map(([name, some]) => (
        <Group key={name} {...{ name, to, current, now }} rows={some} />
      ))}
      {queue.data && !rows.length && (
        <Empty icon="check" title={t('inbox.empty')} action={may('admin') && <Offer />}>
          {t('inbox.emptyAbout')}
        </Empty>
      )}
    </section>
  );
}

/** Nobody can wait where the widget offers no person. */
function Offer() {
  const { data } = useData('branding');
  if (!data || data.features.handoff) return null;
  return (
    <>
      <p class="about">{t('inbox.notOffered')}</p>
      <LinkButton small href={href('/branding')}>
        {t('inbox.offer')}
      </LinkButton>
    </>
  );
}

function Group({ name, rows, to, current, now }) {
  if (!rows.length) return null;
  return (
    <>
      <h2 class="queue-head">
        {t(`inbox.${name}`)} <span class="count">{rows.length}</span>
      </h2>
      <ul>
        {rows.map((row) => (
          <li key={row.id}>
            <a
              class="queue-row"
              href={href(to(row.id))}
              aria-current={row.id === current ? 'true' : undefined}
            >
              <span class="queue-top">
                <Visitor of={row} />
                {row.status === 'waiting_human' && <Waited since={row.waiting_since} now={now} />}
              </span>
              <span class="about" dir="auto">
                {row.last_message?.text ?? row.reason ?? ''}
              </span>
              <span class="queue-marks">
                {row.cause && <Badge>{word('reasons', row.cause)}</Badge>}
                <Badge>{word('channels', row.channel)}</Badge>
                {row.score < 0 && <Badge tone="bad">{t('inbox.unhappy')}</Badge>}
                {name === 'others' && <Badge tone="accent">{row.name}</Badge>}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

function Waited({ since, now }) {
  const seconds = Math.max(0, (now - new Date(since)) / 1000);
  return <Badge tone={seconds > LONG_S ? 'bad' : 'warn'}>{duration(Math.floor(seconds))}</Badge>;
}

/** The time, again and again. */
function useClock(everyMs) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
