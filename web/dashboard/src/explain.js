import { direction, has, language, t, word } from './i18n.js';

/*
 * What the server says in English, in the language of the page: a problem by its type, a
 * sentence by the reason that stands beside it, {code, params}. Both are keys of the catalogues.
 */

/** Values that are words of ours. */
const GROUPS = { kinds: 'kinds', role: 'roles', tier: 'tiers', language: 'languages' };

/** A sentence of the server, which may have a reason; without one that is known here, as it is. */
export function explain(reason, sentence) {
  const key = `faults.${reason?.code}`;
  if (!has(key)) return sentence;
  const values = Object.entries(reason.params).map(([name, value]) => [name, show(name, value)]);
  return t(key, Object.fromEntries(values));
}

/**
 * Why something was refused: what the server says of it, else what its type says. nginx gives no
 * reasons: what it says is shown to who reads English.
 */
export function said(problem) {
  if (problem.status === 0) return t('common.unreachable');
  const { detail, reason, code, title } = problem.document ?? { detail: problem.message };
  const key = `problems.${code}`;
  if (detail && (reason || language.value === 'en' || !has(key))) return explain(reason, detail);
  return has(key) ? t(key) : title || `HTTP ${problem.status}`;
}

function show(name, value) {
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) {
    const list = new Intl.ListFormat(language.value, { type: 'disjunction' });
    return list.format(value.map((one) => show(name, one)));
  }
  if (value?.code) return explain(value, '');
  return apart(word(GROUPS[name] ?? '', value));
}

/** A name of another script does not turn the sentence around it. */
const apart = (text) => (direction.value === 'rtl' ? `\u2068${text}\u2069` : text);
