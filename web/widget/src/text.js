import { find } from './list.js';

/** The first wanted language that is spoken here; English speaks when none is. */
export function chooseLanguage(languages, wanted) {
  const tags = `${wanted},en`.toLowerCase().split(',');
  const speaker = (tag) => find(languages, (language) => language.tag_ === tag.split(/[-_]/)[0]);
  return speaker(find(tags, speaker));
}

/** A text with its value in place of #. */
export function fill(text, value) {
  return text.replace('#', () => value);
}

const LONG_MS = 300000; // not for this visit

/** What the visitor reads for a refusal, and what to do; without one: the connection was lost. */
export function problemText(strings, problem) {
  const status = problem.status_;
  if (!status) return strings.lost_;
  if (status === 413) return strings.long_;
  if (status === 402 || problem.wait_ > LONG_MS) return strings.limit_;
  if (status === 409 || status === 429) return strings.fast_;
  if (/40[134]/.test(status)) return strings.closed_;
  return status < 500 ? strings.refused_ : strings.away_;
}
