import en from './en.js';
import he from './he.js';

/** Another language is another file here. */
const LANGUAGES = { en, he };
const RIGHT_TO_LEFT = new Set(['ar', 'dv', 'fa', 'he', 'ku', 'ps', 'ur', 'yi']);

/** The first wanted language that the widget speaks: {language, direction, strings}. */
export function chooseLanguage(...wanted) {
  const spoken = wanted.map(primaryTag).find((tag) => Object.hasOwn(LANGUAGES, tag));
  const language = spoken ?? 'en';
  const direction = RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
  return { language, direction, strings: LANGUAGES[language] };
}

/** What the visitor reads for a refusal; null: the connection was lost. */
export function problemText(strings, problem) {
  const { problems } = strings;
  if (problem === null) return problems.lost;
  if (problem.status === 0) return problems.offline;
  if ([401, 402, 403, 404].includes(problem.status)) return problems.unavailable;
  if (problem.status === 409) return problems.fast;
  if (problem.status === 429) return problem.retryAfter > 300 ? problems.quota : problems.fast;
  return problem.status < 500 ? problems.invalid : problems.trouble;
}

function primaryTag(tag) {
  const primary = String(tag ?? '')
    .toLowerCase()
    .split(/[-_]/)[0];
  return primary === 'iw' ? 'he' : primary; // Hebrew's old code, still sent by some systems
}
