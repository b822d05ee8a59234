import { computed, signal } from '@preact/signals';
import en from '../lang/en.js';
import { recall, remember } from './storage.js';
import { lookForNewer } from './version.js';

/** The languages there are: a file in lang/ and a line here. */
export const languages = [
  {
    code: 'en',
    name: 'English',
    dir: 'ltr',
    load: async () => en,
    refusals: () => import('../lang/faults.en.js'), // until it is there, the server's own English
  },
  {
    code: 'he',
    name: 'עברית',
    dir: 'rtl',
    load: () => import('../lang/he.js').then((file) => file.default),
  },
];

const texts = signal(en);
export const language = signal('en');
export const direction = computed(() => find(language.value).dir);

const find = (code) => languages.find((one) => one.code === code) ?? languages[0];

export async function setLanguage(code) {
  const chosen = find(code);
  const found = await chosen.load().catch(() => null);
  if (!found) return lookForNewer().catch(() => {}); // of another version, or the server is away
  texts.value = found;
  language.value = chosen.code;
  document.documentElement.lang = chosen.code;
  document.documentElement.dir = chosen.dir;
  return addRefusals(chosen);
}

async function addRefusals(chosen) {
  const more = await chosen.refusals?.().catch(() => null);
  if (more && language.value === chosen.code) texts.value = { ...texts.value, ...more };
}

export function chooseLanguage(code) {
  remember('language', code);
  return setLanguage(code);
}

/** What was chosen here before, else the browser's first that there is. */
export function startLanguage() {
  const wanted = [recall('language'), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return setLanguage(wanted.find((code) => languages.some((one) => one.code === code)));
}

const lookUp = (catalogue, key) =>
  key
    .split('.')
    .reduce((at, part) => (Object.hasOwn(at ?? {}, part) ? at[part] : undefined), catalogue);

/**
 * The text of a key, page.name: t('inbox.waiting', { n: 3 }). A text may be an object of plural
 * forms, chosen by `n`. What a language lacks is shown in English.
 */
export function t(key, values = {}) {
  let text = lookUp(texts.value, key) ?? lookUp(en, key) ?? key;
  if (typeof text === 'object') {
    const form = new Intl.PluralRules(language.value).select(values.n ?? 0);
    text = text[form] ?? text.other ?? key;
  }
  return text.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name];
    return typeof value === 'number' ? value.toLocaleString(language.value) : (value ?? all);
  });
}

/** Is there a text of this key? */
export const has = (key) => typeof (lookUp(texts.value, key) ?? lookUp(en, key)) === 'string';

/** The same, for names that the server says (roles, states): what is unknown is shown as it is. */
export function word(group, name) {
  if (name === null || name === undefined) return '';
  const text = lookUp(texts.value, `${group}.${name}`) ?? lookUp(en, `${group}.${name}`);
  return typeof text === 'string' ? text : String(name);
}
