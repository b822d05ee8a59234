// The dashboard's pure parts: catalogues that say the same things, traces put together.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import en from '../../../web/dashboard/lang/en.js';
import * as refusals from '../../../web/dashboard/lang/faults.en.js';
import he from '../../../web/dashboard/lang/he.js';
import { resource } from '../../../web/dashboard/src/api/http.js';
import { match } from '../../../web/dashboard/src/match.js';
import { emptyTrace, take } from '../../../web/dashboard/src/pages/test/trace.js';

const FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'];
const isPlural = (value) =>
  Object.keys(value).every((key) => FORMS.includes(key)) && 'other' in value;

/** {key: its text}; of a plural the form that is always there. */
function texts(catalogue, before = '') {
  return Object.entries(catalogue).flatMap(([key, value]) => {
    if (typeof value === 'string') return [[before + key, value]];
    return isPlural(value) ? [[before + key, value.other]] : texts(value, `${before}${key}.`);
  });
}

const english = { ...en, ...refusals }; // which come after the page

const blanks = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('WID-4: each text of the dashboard is there in English and in Hebrew', () => {
  const hebrew = new Map(texts(he));
  assert.deepEqual(
    [...hebrew.keys()].sort(),
    texts(english)
      .map(([key]) => key)
      .sort(),
  );
  for (const [key, text] of texts(english))
    assert.deepEqual(blanks(hebrew.get(key)), blanks(text), key);
});

const source = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('ADM-8: each code of a refusal has a sentence in each language, made of the values it has', () => {
  const values = {};
  const row = /\{"(\w+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\}/g;
  for (const [, code, sentence] of source('worker/core/reason_table.c').matchAll(row)) {
    const names = [...sentence.matchAll(/<([a-z_]+)(?::\w+)?>/g)].map(([, name]) => name);
    values[code] = (values[code] ?? names).filter((name) => names.includes(name));
  }
  assert.ok(Object.keys(values).length > 200);
  for (const catalogue of [english, he]) {
    assert.deepEqual(Object.keys(catalogue.faults).sort(), Object.keys(values).sort());
    for (const [code, text] of Object.entries(catalogue.faults)) {
      for (const name of blanks(text)) assert.ok(values[code].includes(name), `${code}: ${name}`);
    }
    assert.deepEqual(Object.keys(catalogue.problems).sort(), codes('ProblemCode').sort());
  }
  assert.deepEqual(codes('ReasonCode').sort(), Object.keys(values).sort());
});

/** The words of an enumeration of the API's description. */
function codes(name) {
  const yaml = source('docs/openapi.yaml');
  const [, lines] = yaml.match(
    new RegExp(`\\n    ${name}:\\n      enum:\\n((?:        - .*\\n)+)`),
  );
  return [...lines.matchAll(/- "?([\w-]+)/g)].map(([, word]) => word);
}

test('a Hebrew text is Hebrew, unless it is a name', () => {
  for (const [key, text] of texts(he)) {
    const own = text.replace(/\{\w+\}/g, '');
    assert.ok(/[א-ת]/.test(own) || /^[\w .:„”\u200f]*$/.test(own), `${key}: ${text}`);
  }
});

const trace = (...events) => events.reduce(take, emptyTrace);

test('ADM-4: a text that comes in pieces is one text again, and two texts stay two', () => {
  const { requests } = trace(
    { step: 'request', request: 1 },
    { step: 'prompt', part: 'system', index: 0, text: 'You ', more: true },
    { step: 'prompt', part: 'system', index: 0, text: 'are', more: false },
    { step: 'prompt', part: 'message', index: 0, text: 'a', more: false },
    { step: 'prompt', part: 'message', index: 1, text: 'b', more: false },
    { step: 'provider', text: 'x' },
    { step: 'provider', text: 'y' },
    { step: 'request', request: 2 },
    { step: 'provider', text: 'z' },
  );
  assert.deepEqual(
    requests.map(({ parts }) => parts.map(({ text }) => text)),
    [['You are', 'a', 'b'], []],
  );
  assert.deepEqual(
    requests.map(({ raw }) => raw),
    ['xy', 'z'],
  );
});

test('ADM-4: the request and the answer of a call are one call, whatever stands between them', () => {
  const call = (call_id, part, text) => ({
    step: 'tool',
    call_id,
    part,
    text,
    name: call_id,
    status: 'done',
  });
  const { tools } = trace(
    call('a', 'request', '{"n":'),
    call('b', 'request', '{}'),
    call('a', 'request', '1}'),
    call('a', 'answer', 'one'),
    call('b', 'answer', 'two'),
  );
  const found = Object.fromEntries(
    tools.map(({ name, request, answer }) => [name, [request, answer]]),
  );
  assert.deepEqual(found, { a: ['{"n":1}', 'one'], b: ['{}', 'two'] });
});

test('ADM-4: what a trace does not know leaves it as it was', () => {
  assert.equal(take(emptyTrace, { step: 'of tomorrow' }), emptyTrace);
  assert.equal(take(emptyTrace, { step: 'provider', text: 'x' }), emptyTrace);
});

test('ADM-1: a name in an address is one name, or the address is of no page', () => {
  const id = (name) => match('/inbox/:id', `/inbox/${name}`)?.id;
  assert.equal(id('6f1c'), '6f1c');
  assert.equal(id('caf%C3%A9%20%26'), 'café &');
  for (const name of [
    '..%2Ftest-runs%3Fx=',
    '%2e%2E',
    '..',
    '.',
    '',
    'a%2Fb',
    'a%5Cb',
    'a%3Fb',
    'a%23b',
    '%E0',
    '%',
  ]) {
    assert.equal(id(name), undefined, name);
  }
  assert.equal(match('/inbox/:id', '/inbox'), null);
  assert.deepEqual(match('/inbox', '/inbox'), {});
});

test('ADM-1: no name of a thing makes another path of the API', () => {
  assert.equal(
    resource`conversations/${'a/../b?x=#'}/look`,
    'conversations/a%2F..%2Fb%3Fx%3D%23/look',
  );
  assert.equal(resource`teams/${1}/members/${2}`, 'teams/1/members/2');
  for (const name of ['', '.', '..']) assert.throws(() => resource`teams/${name}`, { status: 404 });
});
