import { map } from './list.js';

/** Colours from a brand's one: pure, WCAG 2.2 contrast. */
const DEFAULT_BRAND = '#4f46e5';
const READABLE = 4.5;
const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];

/**
 * {brand, deep, on, accent}: deep is what the brand shades into without losing contrast
 * to on, the text on both; accent is the brand as text in an answer's bubble.
 */
export function palette(color, theme) {
  const brand = parseColor(color) ?? parseColor(DEFAULT_BRAND);
  const isBright = contrast(brand, WHITE) < READABLE;
  const isDark = theme === 'dark';
  const bubble = parseColor(isDark ? '#24262d' : '#f3f4f7'); // --raised
  let accent = brand;
  for (let share = 0; contrast(accent, bubble) < READABLE; share += 0.05)
    accent = mix(brand, isDark ? WHITE : BLACK, share);
  return {
    brand: hex(brand),
    deep: hex(mix(brand, isBright ? WHITE : BLACK, 0.28)),
    on: hex(isBright ? BLACK : WHITE),
    accent: hex(accent),
  };
}

/** #rgb or #rrggbb; anything else is nothing. */
export function parseColor(text) {
  const [, digits] = /^#([\da-f]{3}|[\da-f]{6})$/i.exec(text) ?? [];
  const size = digits?.length / 3;
  const part = (_, i) => parseInt(digits.substr(i * size, size).repeat(3 - size), 16);
  return digits && map(WHITE, part);
}

export function contrast(a, b) {
  const ratio = (luminance(a) + 0.05) / (luminance(b) + 0.05);
  return Math.max(ratio, 1 / ratio);
}

function luminance(color) {
  const [r, g, b] = map(color, (value) => {
    const c = value / 255;
    return c < 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mix(color, other, share) {
  return map(color, (value, i) => Math.round(value + (other[i] - value) * share));
}

function hex(color) {
  return `#${map(color, (value) => (value + 256).toString(16).slice(1)).join('')}`;
}
