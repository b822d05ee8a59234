import { computed, signal } from '@preact/signals';
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
  if (theme.value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

export function chooseTheme(name) {
  remember('theme', name);
  apply(name);
}

export const startTheme = () => apply(recall('theme'));
