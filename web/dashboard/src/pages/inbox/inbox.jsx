import { useEffect } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { useEvents } from '../../api/events.js';
import { t } from '../../i18n.js';
import { useKeys } from '../../keys.js';
import { navigate, place } from '../../router.js';
import { Empty } from '../../ui/page.jsx';
import { Queue } from './queue.jsx';
import { isOf } from './team.jsx';
import { Thread } from './thread.jsx';

/** Who waits for a person, who talks to one, and the conversation that is open. */
export default function Inbox({ id }) {
  const team = place.value.query.get('team') ?? '';
  const queue = useData('handoffs', { limit: 100, team });
  const to = (row) => `/inbox/${row}${team && `?team=${encodeURIComponent(team)}`}`;
  const rows = queue.data?.handoffs ?? [];

  useEvents((type, event) => {
    if (type === 'sync') queue.reload();
    if (type === 'conversation') follow(queue, event, team);
    if (type === 'message') {
      const last_message = { role: event.role, text: event.text, created_at: event.created_at };
      change(queue, event.conversation_id, { last_message });
    }
  });
  useEffect(() => {
    document.title = `${t('nav.inbox')} · Frontdesk`;
  });
  const step = (by) => {
    const at = rows.findIndex((row) => row.id === id);
    const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) navigate(to(next.id));
  };
  useKeys([
    { keys: 'j', label: t('inbox.next'), run: () => step(1) },
    { keys: 'k', label: t('inbox.previous'), run: () => step(-1) },
  ]);

  return (
    <div class={id ? 'inbox has-thread' : 'inbox'}>
      <h1 class="hidden">{t('nav.inbox')}</h1>
      <Queue {...{ queue, rows, team, to }} current={id} />
      {id ? (
        <Thread key={id} id={id} row={rows.find((row) => row.id === id)} />
      ) : (
        <div class="inbox-nothing">
          {rows.length > 0 && (
            <Empty icon="inbox" title={t('inbox.choose')}>
              {t('inbox.chooseAbout')}
            </Empty>
          )}
        </div>
      )}
    </div>
  );
}

/** What an event says of a row; one that comes or goes is read again, with all its words. */
function follow(queue, event, team) {
  const rows = queue.data?.handoffs ?? [];
  const isHere = rows.some(({ id }) => id === event.id);
  const isOpen = event.status === 'waiting_human' || event.status === 'human';
  const belongs = isOpen && isOf(team, event);
  if (isHere !== belongs) queue.reload();
  else if (isHere) change(queue, event.id, event);
}

function change(queue, id, values) {
  queue.set(
    (data) =>
      data && {
        ...data,
        handoffs: data.handoffs.map((row) => (row.id === id ? { ...row, ...values } : row)),
      },
  );
}
