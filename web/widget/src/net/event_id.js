/** An event's place in an answer, "<epoch>-<n>"; the rules of protocol/event.h. */

export function parseEventId(text) {
  const match = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  return match && [+match[1], +match[2]];
}

/** 1: the next one, take it. 0: seen, ignore it. -1: behind, something is missing. */
export function judgeEvent([epoch, n], [nextEpoch, next]) {
  if (nextEpoch === epoch) return next === n + 1 ? 1 : next > n ? -1 : 0;
  if (nextEpoch < epoch) return 0;
  return next ? -1 : 1;
}
