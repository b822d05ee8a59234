import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { useEvents } from '../../api/events.js';
import { post, resource } from '../../api/http.js';
import { ownName, session } from '../../api/session.js';
import { t } from '../../i18n.js';
import { href } from '../../router.js';
import { Button, IconButton } from '../../ui/button.jsx';
import { Dialog, confirm } from '../../ui/dialog.jsx';
import { Fault, Notice, Skeleton } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';
import { Facts } from '../conversation.jsx';
import { Status, Visitor } from '../conversation-parts.jsx';
import { Transcript } from '../transcript.jsx';
import { Composer } from './composer.jsx';
import { readWhole } from './messages.js';
import { useOutbox } from './outbox.js';
import { GiveTo } from './team.jsx';
import { useTyping } from './typing.js';

const LOOK_MS = 20000; // "is looking" lasts 30 s

/** One conversation as an operator has it: what was said, whose turn it is, and the answer. */
export function Thread({ id, row }) {
  const path = resource`conversations/${id}`;
  const found = useData(path, { limit: 200 }, readWhole);
  const [hold, setHold] = useState({}); // {status, holder, name, version} as last heard
  const [others, setOthers] = useState([]);
  const [showsMore, setShowsMore] = useState(false); // what narrow screens have no room for
  const [heard, setHeard] = useState([]); // by events: a reading that began before may lack them
  const { typing, hear } = useTyping();
  const me = session.value.user;
  const now = { ...found.data, ...row, ...hold };
  const isMine = now.status === 'human' && now.holder === `user:${me.id}`;

  const add = (message) => setHeard((some) => [...some, message]);
  const outbox = useOutbox(path, add, (problem) => problem.status === 409 && found.reload());

  useEvents((type, event) => {
    if (type === 'sync') {
      setHold({});
      found.reload();
    }
    if ((event.id ?? event.conversation_id) !== id) return;
    if (type === 'conversation') {
      setHold((was) => (event.version >= (was.version ?? -1) ? event : was));
      if (event.message_count > (found.data?.messages_total ?? 0)) found.reload();
    }
    if (type === 'message') {
      hear(null);
      if (event.role === 'operator' && event.name === ownName()) outbox.heard(event.text);
      if (event.cut) found.reload();
      else
        add({
          id: event.message_id,
          role: event.role,
          author: event.name,
          content: event.text,
          created_at: event.created_at,
        });
    }
    if (type === 'typing' && event.name !== ownName()) hear(event);
    if (type === 'presence') setOthers(without(event.operators, ownName()));
  });
  useLook(path);

  const act = (what, body = {}) =>
    post(`${path}/${what}`, body).then(
      (answer) => {
        setHold(answer);
        return true;
      },
      (problem) => (toastProblem(problem), found.reload(), false),
    );
  const take = async () => {
    if (now.holder && !isMine) {
      const sure = await confirm({
        title: t('inbox.takeTitle', { name: now.name }),
        text: t('inbox.takeText'),
        action: t('inbox.take'),
      });
      if (sure) await act('join', { version: now.version });
    } else {
      await act('join');
    }
  };

  if (!found.data) {
    return (
      <section class="thread">
        {found.problem ? (
          <Fault problem={found.problem} retry={found.reload} />
        ) : (
          <Skeleton lines={8} />
        )}
      </section>
    );
  }
  return (
    <>
      <section class="thread" aria-label={t('inbox.thread')}>
        <Head of={now} isMine={isMine} act={act} onMore={() => setShowsMore(true)} />
        {others.length > 0 && (
          <Notice tone="warn">{t('inbox.looking', { names: others.join(', ') })}</Notice>
        )}
        {found.data.next_cursor && <Notice tone="warn">{t('inbox.tooLongToShow')}</Notice>}
        <Said
          messages={[...together(found.data.messages, heard), ...outbox.pending]}
          typing={typing}
        />
        {isMine ? (
          <Composer path={path} of={now} send={outbox.send} />
        ) : (
          <Join of={now} onJoin={take} />
        )}
      </section>
      <aside class="thread-aside" aria-label={t('conversations.details')}>
        <h2>{t('conversations.details')}</h2>
        <About path={path} of={now} />
      </aside>
      {showsMore && (
        <Dialog title={t('conversations.details')} size="side" onClose={() => setShowsMore(false)}>
          <About path={path} of={now} />
        </Dialog>
      )}
    </>
  );
}

function About({ path, of }) {
  return (
    <div class="stack">
      <Facts of={of} />
      <GiveTo path={path} of={of} />
      <a href={href(`/conversations/${of.id}`)}>{t('inbox.whole')}</a>
    </div>
  );
}

/** Each message once, whether it was read, heard, or both. */
function together(read, heard) {
  const all = new Map(read.map((message) => [message.id, message]));
  for (const message of heard) if (!all.has(message.id)) all.set(message.id, message);
  return [...all.values()];
}

/** The names but one of them, once: a colleague may have the same. */
const without = (names, own) => names.filter((_, i) => i !== names.indexOf(own));

/** Tells the others that somebody looks at it, while somebody does. */
function useLook(path) {
  useEffect(() => {
    const look = () => document.hidden || post(`${path}/look`, {}).catch(() => {});
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => {
      clearInterval(timer);
      post(`${path}/look`, { away: true }).catch(() => {});
    };
  }, [path]);
}

function Head({ of, isMine, act, onMore }) {
  const finish = async (what, said) => {
    if (await act(what)) toast(t(said));
  };
  return (
    <header class="thread-head">
      <a class="icon-button narrow-only" href={href('/inbox')} aria-label={t('inbox.queue')}>
        <span aria-hidden="true">‹</span>
      </a>
      <div>
        <h2>
          <Visitor of={of} />
        </h2>
        <p class="about">
          <Status name={of.status} />
          {of.status === 'human' && (
            <span>{t('inbox.with', { name: isMine ? t('inbox.you') : of.name })}</span>
          )}
          {of.reason && (
            <bdi class="reason" title={of.reason}>
              {of.reason}
            </bdi>
          )}
        </p>
      </div>
      <span class="thread-more">
        <IconButton icon="info" label={t('conversations.details')} onClick={onMore} />
      </span>
      {isMine && (
        <div class="actions">
          <Button small icon="back" onClick={() => finish('release', 'inbox.released')}>
            {t('inbox.release')}
          </Button>
          <Button small icon="check" onClick={() => finish('resolve', 'inbox.resolved')}>
            {t('inbox.resolve')}
          </Button>
        </div>
      )}
    </header>
  );
}

/** Follows the end, unless somebody reads further up. */
function Said({ messages, typing }) {
  const box = useRef();
  const atEnd = useRef(true);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    atEnd.current = scrollHeight - scrollTop - clientHeight < 60;
  };
  useLayoutEffect(() => {
    if (atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [messages.length, typing]);
  return (
    <div
      ref={box}
      class="said"
      role="log"
      aria-label={t('inbox.thread')}
      tabIndex={0}
      onScroll={onScroll}
    >
      <Transcript messages={messages} details />
      {typing && <p class="typing">{t('inbox.typing', { name: typing })}</p>}
    </div>
  );
}

function Join({ of, onJoin }) {
  if (of.status === 'ended') return <p class="join about">{t('inbox.over')}</p>;
  const held = of.status === 'human';
  return (
    <div class="join">
      <p class="about">
        {held
          ? t('inbox.heldBy', { name: of.name })
          : t(of.status === 'waiting_human' ? 'inbox.waits' : 'inbox.withAi')}
      </p>
      <Button kind="strong" icon="hand" onClick={onJoin}>
        {held ? t('inbox.take') : t('inbox.join')}
      </Button>
    </div>
  );
}
