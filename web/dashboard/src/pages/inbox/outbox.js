import { useRef, useState } from 'preact/hooks';
import { post } from '../../api/http.js';
import { ownName } from '../../api/session.js';

/**
 * What the operator said and the server has not confirmed: shown at once, in order, one on its
 * way at a time. Its client_message_id makes a repeated one the same message. What fails stays
 * where it is and can be sent again.
 */
export function useOutbox(path, onSent, onRefused) {
  const [pending, setPending] = useState([]);
  const chain = useRef(Promise.resolve());
  const sent = useRef();
  sent.current = onSent;

  const change = (key, values) =>
    setPending((some) => some.map((one) => (one.key === key ? { ...one, ...values } : one)));

  const deliver = (message) => {
    const { key, content } = message;
    change(key, { failed: false, pending: true });
    chain.current = chain.current.then(async () => {
      try {
        const answer = await post(
          `${path}/reply`,
          { text: content, client_message_id: key },
          { key },
        );
        setPending((some) => some.filter((one) => one.key !== key));
        sent.current({ ...message, id: answer.message_id, created_at: answer.created_at });
      } catch (problem) {
        change(key, { failed: true, pending: false, retry: () => deliver(message) });
        onRefused(problem);
      }
    });
  };

  const send = (content) => {
    const message = { key: crypto.randomUUID(), role: 'operator', author: ownName(), content };
    const created_at = new Date().toISOString();
    setPending((some) => [...some, { ...message, created_at, pending: true }]);
    deliver(message);
  };
  /** It came back as an event, sooner than its answer: it is delivered. */
  const heard = (content) =>
    setPending((some) => {
      const at = some.findIndex((one) => one.content === content);
      return at < 0 ? some : some.filter((_, i) => i !== at);
    });
  return { pending, send, heard };
}
