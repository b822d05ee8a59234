import { find } from './list.js';

/** The first wanted language that is spoken here; English speaks when none is. */
export function chooseLanguage(languages, wanted) {
  // iw: Hebrew's old code, still sent by some systems
  const tags = `${wanted},en`
    .toLowerCase()
    .replace(/\biw\b/g, 'he')
    .split(',');
  const speaker = (tag) => find(languages, ({ tag_ }) => tag_ === tag.split(/[-_]/)[0]);
  return speaker(find(tags, speaker));
}

/** A text with its value in place of #. */
export function fill(text, value) {
  return text.replace('#', () => value);
}

/** What the visitor reads for a refusal, and what to do; without one: the connection was lost. */
export function problemText(strings, { status_: status, wait_: wait } = {}) {
  if (!status) return strings.lost_;
  if (status === 413) return strings.long_;
  if (status === 402 || wait > 300) return strings.limit_;
  if (status === 409 || status === 429) return strings.fast_;
  if (/40[134]/.test(status)) return strings.closed_;
  if (status > 501) return strings.away_;
  return status < 500 ? strings.refused_ : strings.trouble_;
}
