import { map } from './list.js';

/*
 * Colours from a brand's one, #rgb or #rrggbb, so that text has WCAG's contrast of 4.5: the
 * bounds are of relative luminance, a little narrower than those of the standard's exact curve.
 */
const EVEN = 0.179; // black and white are read equally well on it
const DARK_ENOUGH = 0.15; // on the light --raised
const LIGHT_ENOUGH = 0.28; // on the dark one

/** {brand, on, accent}: on is the text on the brand, accent the brand as text in a bubble. */
export function palette(color, isDark) {
  const brand = color.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
  const parts = map([1, 3, 5], (at) => parseInt(brand.slice(at, at + 2), 16));
  const mix = (share) => map(parts, (c) => Math.round(c + ((isDark ? 255 : 0) - c) * share));
  let share = 0;
  const isReadable = (light) => (isDark ? light > LIGHT_ENOUGH : light < DARK_ENOUGH);
  while (!isReadable(luminance(mix(share)))) share += 0.05;
  return {
    brand,
    on: luminance(parts) < EVEN ? '#fff' : '#000',
    accent: `rgb(${mix(share)})`,
  };
}

function luminance([r, g, b]) {
  return 0.2126 * (r / 255) ** 2.2 + 0.7152 * (g / 255) ** 2.2 + 0.0722 * (b / 255) ** 2.2;
}
