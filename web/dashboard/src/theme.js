import { computed, effect, signal } from '@preact/signals';
import { recall, remember } from './storage.js';

export const themes = ['auto', 'light', 'dark'];
export const theme = signal('auto');

const system = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(system.matches);
system.addEventListener('change', () => (systemIsDark.value = system.matches));

export const isDark = computed(() =>
  theme.value === 'auto' ? systemIsDark.value : theme.value === 'dark',
);

function apply(name) {
  theme.value = themes.includes(name) ? name : 'auto';
}

export function chooseTheme(name) {
  remember('theme', name);
  apply(name);
}

/** What is drawn stands at the root, where tokens.css finds it, also what the system says. */
export function startTheme() {
  apply(recall('theme'));
  effect(() => (document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'));
}
