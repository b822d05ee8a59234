import { h } from './dom.js';

/** Line icons on a 24 px grid; the ends of a tool's run have theirs under their own names. */
const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  chat: 'M4 5h16v11h-9l-5 4v-4H4z',
  failed: 'M6 6l12 12M18 6L6 18',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M8 8h8v8H8z',
  more: 'M5 7h14M5 12h14M5 17h14',
  person: 'M5 20c0-8 14-8 14 0M12 4a3 3 0 1 0 .1 0z',
  copy: 'M9 9h10v10H9zM15 9V5H5v10h4',
  done: 'M5 12l5 5 9-9',
  thumb: 'M4 11h3v8H4zM7 11l4-7c2 0 3 1 2 5h6l-2 10H7',
};

/** Without a path: something is on its way. */
export function icon(name) {
  if (!PATHS[name]) return h('i');
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
