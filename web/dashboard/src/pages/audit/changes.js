/*
 * What a row of the audit log says that became another: its `before` and its `after`, field by
 * field. Pure.
 */

/** What changes with everything, and what is long and stands in another field as well. */
const NOT_TOLD = ['updated_at', 'created_at', 'id', 'version', 'sections', 'begun', 'status_code'];

/** What is one thing to whoever sets it, whatever is in it. */
const WHOLE = ['parameters_schema', 'bindings', 'config', 'expect'];

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isNothing = (value) =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);
const same = (one, other) =>
  (isNothing(one) && isNothing(other)) || JSON.stringify(one) === JSON.stringify(other);

/** [{name, before, after}] of what differs; the members of an object have names with a dot. */
export function differences(before, after) {
  if (!isObject(before ?? {}) || !isObject(after ?? {})) return [];
  return compare(before ?? {}, after ?? {}).filter(({ name }) => !NOT_TOLD.includes(name));
}

function compare(before, after, within = '') {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [one, other] = [before[name], after[name]];
    if (same(one, other)) return [];
    const splits = !WHOLE.includes(name);
    if (splits && (isObject(one) || isNothing(one)) && (isObject(other) || isNothing(other)))
      return compare(one || {}, other || {}, `${within}${name}.`);
    return [{ name: within + name, before: one, after: other }];
  });
}

/**
 * What was done, where the row says more than its verb: a switch that was turned is no other
 * change, and nothing was changed where nothing is another.
 */
export function verbOf({ verb, before, after }, changes = differences(before, after)) {
  if (verb !== 'change' || !isObject(before) || !isObject(after)) return verb;
  if (!changes.length) return 'unchanged';
  const [{ name, after: value }] = changes;
  const turned = { true: 'enable', false: 'disable', active: 'enable', disabled: 'disable' }[value];
  return changes.length === 1 && ['enabled', 'status'].includes(name) && turned ? turned : verb;
}

/** How it ended, as far as the row knows: 'begun', 'failed', 'worked' or null. */
export function outcomeOf({ actor, after }) {
  if (after?.begun === true) return 'begun';
  if (actor.startsWith('cli:')) return after?.status > 0 ? 'failed' : null;
  return typeof after?.ok === 'boolean' ? (after.ok ? 'worked' : 'failed') : null;
}
