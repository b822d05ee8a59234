/** Line icons on a 24 px grid. */
const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  chat: 'M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6-.1 1-.6 2.1-1.4 3 1.7-.1 3.3-.7 4.5-1.6.8.2 1.7.3 2.6.3 5 0 9-3.4 9-7.7s-4-7.7-9-7.7z',
  down: 'M6 9.5l6 6 6-6',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  send: 'M12 19.5V5M5.5 11.5L12 5l6.5 6.5',
  compose: 'M12 5H5v14h14v-7M10 14l.5-3L18 3.5l2.5 2.5L13 13.5z',
  copy: 'M9 9h10v10H9zM15 9V5H5v10h4',
  check: 'M5.5 12.5l4.5 4.5L18.5 7.5',
  retry: 'M19 12a7 7 0 1 1-2.1-5M19 4.5V8h-3.5',
  spark: 'M12 4l1.7 5.3L19 11l-5.3 1.7L12 18l-1.7-5.3L5 11l5.3-1.7z',
};

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
