// The audit log in words: each route's deed has them, and what a row says is what is told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import en from '../../../web/dashboard/lang/en.js';
import he from '../../../web/dashboard/lang/he.js';
import { differences, outcomeOf, verbOf } from '../../../web/dashboard/src/pages/audit/changes.js';

const source = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** The words of an enumeration of the API's description, which the server makes. */
function words(name) {
  const [, lines] = source('docs/openapi.yaml').match(
    new RegExp(`\\n    ${name}:\\n      enum:\\n((?:        - .*\\n)+)`),
  );
  return [...lines.matchAll(/- "?([\w-]+)/g)].map(([, word]) => word);
}

const kinds = words('AuditKind');
const verbs = words('AuditVerb');

test('ADM-8: whatever a route or a command does is told in words, in each language', () => {
  assert.ok(kinds.length > 25 && verbs.length > 25);
  for (const { audit } of [en, he]) {
    assert.deepEqual(Object.keys(audit.kinds).sort(), [...kinds].sort());
    assert.deepEqual(Object.keys(audit.verbs).sort(), [...verbs].sort());
    for (const [name, kind] of Object.entries(audit.kinds)) {
      assert.ok(kind.many && kind.one, name);
      assert.equal(
        kind.one.includes('{name}'),
        'any' in kind,
        `${name}: what it is without a name`,
      );
      for (const word of Object.keys(kind))
        assert.ok(['many', 'one', 'any', ...verbs].includes(word), `${name}: ${word}`);
    }
  }
});

test('ADM-1: a command that changes something has a kind and a verb that are there', () => {
  const rows = [...source('worker/cmd/trace.c').matchAll(/\{"([^"]+)", \{"([^"]+)", "([^"]+)"\}/g)];
  assert.ok(rows.length > 40);
  for (const [, action, kind, verb] of rows)
    assert.ok(kinds.includes(kind) && verbs.includes(verb), action);
});

test('ADM-1: what differs is told field by field, and nothing else', () => {
  const found = (before, after) =>
    differences(before, after).map(({ name, before: one, after: other }) => [name, one, other]);
  assert.deepEqual(found({ a: 1, b: 2 }, { a: 1, b: 3 }), [['b', 2, 3]]);
  assert.deepEqual(found({ greeting: { en: 'Hi' } }, { greeting: { en: 'Hi', he: 'שלום' } }), [
    ['greeting.he', undefined, 'שלום'],
  ]);
  assert.deepEqual(found({ bindings: { a: 1 } }, { bindings: { a: 2 } }), [
    ['bindings', { a: 1 }, { a: 2 }],
  ]);
  assert.deepEqual(found({ list: [1] }, { list: [1, 2] }), [['list', [1], [1, 2]]]);
  assert.deepEqual(found({ a: null, updated_at: 1 }, { a: '', updated_at: 2 }), []);
  assert.deepEqual(found(null, { id: 'x', name: 'page', key: '***' }), [
    ['name', undefined, 'page'],
    ['key', undefined, '***'],
  ]);
  assert.deepEqual(found({ a: false }, { a: true }), [['a', false, true]]);
  assert.deepEqual(found([1], [2]), []);
  assert.deepEqual(found(null, null), []);
});

test('ADM-1: a switch that was turned, and a change that changed nothing, are called so', () => {
  const verb = (before, after, was = 'change') => verbOf({ verb: was, before, after });
  assert.equal(verb({ enabled: true }, { enabled: false }), 'disable');
  assert.equal(verb({ status: 'disabled' }, { status: 'active' }), 'enable');
  assert.equal(verb({ enabled: true, a: 1 }, { enabled: false, a: 2 }), 'change');
  assert.equal(verb({ a: 1 }, { a: 1 }), 'unchanged');
  assert.equal(verb(null, null), 'change'); // what it was is not shown
  assert.equal(verb({ a: 1 }, { a: 1 }, 'remove'), 'remove');
});

test('ADM-1: what has only begun, or did not work, is not told as done', () => {
  assert.equal(outcomeOf({ actor: 'user:1', after: { begun: true } }), 'begun');
  assert.equal(outcomeOf({ actor: 'user:1', after: { ok: false } }), 'failed');
  assert.equal(outcomeOf({ actor: 'user:1', after: { ok: true } }), 'worked');
  assert.equal(outcomeOf({ actor: 'cli:root', after: { status: 1 } }), 'failed');
  assert.equal(outcomeOf({ actor: 'cli:root', after: { status: 0 } }), null);
  assert.equal(outcomeOf({ actor: 'user:1', after: null }), null);
});
