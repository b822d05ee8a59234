/** What this browser remembers; where it may not, nothing is remembered and nothing breaks. */
export function recall(key) {
  try {
    return localStorage.getItem(`frontdesk-${key}`);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`frontdesk-${key}`);
    else localStorage.setItem(`frontdesk-${key}`, value);
  } catch {
    // private windows of some browsers
  }
}
