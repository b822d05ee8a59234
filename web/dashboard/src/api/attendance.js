import { recall, remember } from '../storage.js';

/*
 * Whether anybody is there. A page asks by itself, all day long: that must not keep a session
 * alive that was left. Tabs share what they see, since they share the session.
 */
const STEP_MS = 5000; // not each movement is told to the other tabs

let usedAt = Date.now();
let idleMs = Infinity;

function note() {
  if (Date.now() - usedAt < STEP_MS) return;
  usedAt = Date.now();
  remember('used', String(usedAt));
}
for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel']) {
  globalThis.addEventListener?.(type, note, { capture: true, passive: true }); // none in a test
}

/** So long a session may be left, as auth/me says. */
export function limitIdle(seconds) {
  idleMs = 1000 * seconds;
}

export const isLeft = () => Date.now() - Math.max(usedAt, Number(recall('used'))) > idleMs;
