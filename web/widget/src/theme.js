/** Colours from a brand's one: pure, WCAG 2.2 contrast. */

const DEFAULT_BRAND = '#4f46e5';
const READABLE = 4.5;
const BUBBLE = { light: '#f3f4f7', dark: '#24262d' }; // --raised

const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];

/**
 * {brand, brandDeep, onBrand, accent}: brandDeep is what the brand shades into without
 * losing contrast to onBrand; accent is the brand as text in an answer's bubble.
 */
export function palette(brandColor, theme) {
  const brand = parseColor(brandColor) ?? parseColor(DEFAULT_BRAND);
  const onBrand = contrast(brand, WHITE) >= READABLE ? WHITE : BLACK;
  const away = onBrand === WHITE ? BLACK : WHITE;
  const accent = readableOn(parseColor(BUBBLE[theme]), brand, theme === 'dark' ? WHITE : BLACK);
  return {
    brand: hex(brand),
    brandDeep: hex(mix(brand, away, 0.28)),
    onBrand: hex(onBrand),
    accent: hex(accent),
  };
}

/** #rgb or #rrggbb; anything else is null. */
export function parseColor(text) {
  if (typeof text !== 'string') return null;
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(text.trim());
  const digits = short
    ? short.slice(1).map((digit) => digit + digit)
    : /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text.trim())?.slice(1);
  return digits ? digits.map((pair) => parseInt(pair, 16)) : null;
}

export function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color) {
  const [r, g, b] = color.map((value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** `color`, mixed towards `pole` as far as it takes to be read on `background`. */
function readableOn(background, color, pole) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, pole, share);
    if (contrast(mixed, background) >= READABLE) return mixed;
  }
  return pole;
}

function mix(color, other, share) {
  return color.map((value, i) => Math.round(value + (other[i] - value) * share));
}

function hex(color) {
  return `#${color.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
