/** An event's place in an answer, "<epoch>-<n>"; the rules of protocol/event.h. */

export function parseEventId(text) {
  const match = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  return match && [+match[1], +match[2]];
}

/** 1: the next one, take it. 0: seen, ignore it. -1: behind, something is missing. */
export function judgeEvent([epoch, n], [nextEpoch, next]) {
  const isNew = nextEpoch - epoch;
  if ((isNew || next - n) <= 0) return 0;
  return next === (isNew ? 0 : n + 1) ? 1 : -1;
}
