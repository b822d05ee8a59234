/** A part of an address as it was meant; null: no name of anything, or more than one part of a path. */
function decode(part) {
  try {
    const value = decodeURIComponent(part);
    return /[/\\?#]/.test(value) || /^\.{0,2}$/.test(value) ? null : value;
  } catch {
    return null; // half an escape
  }
}

/** The parts of a path that a pattern such as /conversations/:id names; null: another page. */
export function match(pattern, path) {
  const wanted = pattern.split('/');
  const parts = path.split('/');
  if (wanted.length !== parts.length) return null;
  const params = {};
  for (const [i, part] of wanted.entries()) {
    if (!part.startsWith(':')) {
      if (part !== parts[i]) return null;
      continue;
    }
    const value = decode(parts[i]);
    if (value === null) return null;
    params[part.slice(1)] = value;
  }
  return params;
}
