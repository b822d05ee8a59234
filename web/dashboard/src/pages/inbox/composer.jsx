import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { ownName, session } from '../../api/session.js';
import { t } from '../../i18n.js';
import { IconButton } from '../../ui/button.jsx';
import { draftOf, keepDraft } from './drafts.js';
import { useTell } from './typing.js';

const MAX_BYTES = 6000;

/** The answer: Enter sends, Shift with Enter begins a line, a slash finds canned replies. */
export function Composer({ path, of, send }) {
  const [text, setText] = useState(() => draftOf(path));
  const [at, setAt] = useState(0);
  const input = useRef();
  const id = useId();
  const tell = useTell(path);
  const found = useCanned(text, of);

  useEffect(() => {
    input.current.focus();
  }, []);
  const write = (value) => {
    setText(value);
    setAt(0);
    keepDraft(path, value);
  };
  const submit = (event) => {
    event?.preventDefault();
    const said = text.trim();
    if (!said || new TextEncoder().encode(said).length > MAX_BYTES) return;
    write('');
    send(said);
  };
  const choose = (reply) => {
    write(fill(reply.text, of));
    input.current.focus();
  };
  const onKeyDown = (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (found.length && step) setAt((at + step + found.length) % found.length);
    else if (found.length && (event.key === 'Enter' || event.key === 'Tab')) choose(found[at]);
    else if (event.key === 'Enter' && !event.shiftKey) submit();
    else if (event.key === 'Escape' && text.startsWith('/')) write('');
    else return;
    event.preventDefault();
  };
  const tooLong = new TextEncoder().encode(text).length > MAX_BYTES;
  return (
    <form class="composer" onSubmit={submit}>
      {found.length > 0 && (
        <ul class="choices canned" role="listbox" id={id} aria-label={t('inbox.canned')}>
          {found.map((reply, i) => (
            <li
              key={reply.id}
              id={`${id}-${i}`}
              class="choice"
              role="option"
              aria-selected={i === at}
              onClick={() => choose(reply)}
            >
              <code>/{reply.shortcut}</code>
              <span dir="auto">{fill(reply.text, of)}</span>
            </li>
          ))}
        </ul>
      )}
      <textarea
        ref={input}
        dir="auto"
        rows={2}
        aria-label={t('inbox.answer')}
        aria-invalid={tooLong ? 'true' : undefined}
        aria-controls={found.length ? id : undefined}
        aria-activedescendant={found.length ? `${id}-${at}` : undefined}
        placeholder={t('inbox.placeholder')}
        value={text}
        onInput={(event) => (write(event.currentTarget.value), tell())}
        onKeyDown={onKeyDown}
      />
      <IconButton
        icon="send"
        flips
        type="submit"
        label={t('inbox.send')}
        disabled={!text.trim() || tooLong}
      />
      {tooLong && <p class="error">{t('inbox.tooLong')}</p>}
    </form>
  );
}

/** After a slash: the replies it may mean, those in the visitor's language first. */
function useCanned(text, of) {
  const { data } = useData('canned-replies', { limit: 200 });
  const wanted = /^\/(\S*)$/.exec(text)?.[1].toLowerCase();
  if (wanted === undefined) return [];
  const isTheirs = ({ language }) => (language === of.language ? 0 : language ? 2 : 1);
  const best = new Map();
  for (const reply of data?.canned_replies ?? []) {
    if (!reply.shortcut.includes(wanted)) continue;
    const known = best.get(reply.shortcut);
    if (!known || isTheirs(reply) < isTheirs(known)) best.set(reply.shortcut, reply);
  }
  return [...best.values()].slice(0, 6);
}

/** A visitor whose name nobody knows is left out, with the space before. */
function fill(text, of) {
  const values = {
    visitor: of.contact?.name ?? of.user_identifier ?? '',
    operator: ownName(),
    organization: session.value.organization.name,
  };
  return text.replace(/( ?)\{(visitor|operator|organization)\}/g, (all, space, name) =>
    values[name] ? space + values[name] : '',
  );
}
