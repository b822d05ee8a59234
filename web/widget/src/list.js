/** Lists without the methods of Array.prototype: pages and their old libraries replace those. */

export function map(list, turn) {
  const out = [];
  for (let i = 0; i < list.length; i++) out[i] = turn(list[i], i);
  return out;
}

export function filter(list, fits) {
  const out = [];
  map(list, (item) => fits(item) && (out[out.length] = item));
  return out;
}

export function find(list, fits) {
  return filter(list, fits)[0];
}

/** What a JSON document has in place of a list, as a list. */
export function listOf(value) {
  return Array.isArray(value) ? value : [];
}
