import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { recall, remember } from './storage.js';

/*
 * Keyboard shortcuts: 'mod+k', '?', 'g i' (one after the other). Single letters do nothing
 * while somebody types or a dialog is open, and can be switched off (WCAG 2.1.4).
 */
const PAUSE_MS = 1200;

const bindings = new Set();
export const shortcuts = signal([]); // what the help shows: [{keys, label}]
export const lettersOn = signal(recall('letters') !== 'off');

export function switchLetters(on) {
  lettersOn.value = on;
  remember('letters', on ? null : 'off');
}

let before = '';
let beforeAt = 0;

const isTyping = (target) =>
  target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName ?? '');

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const mod = event.metaKey || event.ctrlKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const open = document.querySelector('dialog[open]');
  if (!mod && (open || !lettersOn.peek() || isTyping(event.target))) return;
  const now = Date.now();
  const pair = now - beforeAt < PAUSE_MS ? `${before} ${key}` : '';
  const name = mod ? `mod+${key}` : key;
  const found = [...bindings].reverse().find(({ keys }) => keys === pair || keys === name);
  before = found ? '' : key;
  beforeAt = now;
  if (!found) return;
  event.preventDefault();
  found.run(event);
}

export function startKeys() {
  document.addEventListener('keydown', onKey);
}

/** useKeys([{ keys: 'j', label: t('...'), run }]) while this part of the page is shown. */
export function useKeys(list) {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const mine = latest.current.map(({ keys, label }, i) => ({
      keys,
      label,
      run: (event) => latest.current[i]?.run(event),
    }));
    mine.forEach((one) => bindings.add(one));
    shortcuts.value = [...bindings].filter(({ label }) => label);
    return () => {
      mine.forEach((one) => bindings.delete(one));
      shortcuts.value = [...bindings].filter(({ label }) => label);
    };
  }, [list.map(({ keys, label }) => keys + label).join()]);
}
