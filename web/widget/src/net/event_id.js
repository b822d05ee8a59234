/** An event's place in an answer, "<epoch>-<n>"; the rules of protocol/event.h. */

export const BEFORE_ALL = { epoch: 0, n: 0 };

export function parseEventId(text) {
  const match = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  return match ? { epoch: Number(match[1]), n: Number(match[2]) } : null;
}

export function formatEventId({ epoch, n }) {
  return `${epoch}-${n}`;
}

/** 'take' the next one, 'ignore' what was seen, 'behind' when something is missing. */
export function judgeEvent(last, next) {
  if (next.epoch === last.epoch && next.n === last.n + 1) return 'take';
  if (next.epoch > last.epoch) return next.n === 0 ? 'take' : 'behind';
  if (next.epoch < last.epoch || next.n <= last.n) return 'ignore';
  return 'behind';
}
