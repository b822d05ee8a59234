import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../../api/http.js';
import { t } from '../../i18n.js';

const SHOWN_MS = 6000;
const TOLD_MS = 3000;

/** Who types, until it stops: hear(event) of somebody, hear(null) when the message is there. */
export function useTyping() {
  const [typing, setTyping] = useState(null);
  const timer = useRef();
  const hear = (event) => {
    clearTimeout(timer.current);
    setTyping(event && (event.who === 'visitor' ? t('authors.user') : event.name));
    if (event) timer.current = setTimeout(() => setTyping(null), SHOWN_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return { typing, hear };
}

/** Tells the visitor that somebody types, not with every letter. */
export function useTell(path) {
  const toldAt = useRef(0);
  return () => {
    const now = Date.now();
    if (now - toldAt.current < TOLD_MS) return;
    toldAt.current = now;
    post(`${path}/typing`, {}).catch(() => {}); // it is no more than a courtesy
  };
}
