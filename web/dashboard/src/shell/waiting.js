import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useEvents } from '../api/events.js';
import { get } from '../api/http.js';

/*
 * How many visitors wait for a person: read once, kept true by events. Only conversations that
 * are with people are kept, by id, so that no event is counted twice.
 */
const waiting = signal(new Set());

async function read() {
  const { handoffs } = await get('handoffs', { limit: 200 }).catch(() => ({ handoffs: [] }));
  waiting.value = new Set(
    handoffs.filter(({ status }) => status === 'waiting_human').map(({ id }) => id),
  );
}

function take(type, data) {
  if (type === 'sync') read();
  if (type !== 'conversation') return;
  const next = new Set(waiting.value);
  if (data.status === 'waiting_human') next.add(data.id);
  else next.delete(data.id);
  if (next.size !== waiting.value.size) waiting.value = next;
}

export function useWaiting() {
  useEffect(() => {
    read();
  }, []);
  useEvents(take);
  return waiting.value.size;
}
