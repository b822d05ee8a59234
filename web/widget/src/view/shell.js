import css from '../style/widget.css';
import { palette } from '../theme.js';
import { h } from './dom.js';

const FULL_SCREEN = '(max-width: 520px)';

/**
 * The element in the page and the shadow root in it: what separates the widget's styles,
 * keys and colours from the page's. onLayout(full) says when the window fills the screen.
 */
export function createShell({ language, direction, look, signal, onLayout, onEscape }) {
  const host = document.createElement('frontdesk-widget');
  const shadow = host.attachShadow({ mode: 'open' });
  // a constructed sheet is no inline style: style-src need not allow any
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  const root = h('div.root', { lang: language, dir: direction, 'data-side': look.side });
  shadow.append(root);

  for (const type of ['keydown', 'keypress', 'keyup']) {
    // typing here must not fire the page's shortcuts
    shadow.addEventListener(type, (event) => {
      event.stopPropagation();
      if (type === 'keydown' && event.key === 'Escape' && !event.isComposing) onEscape();
    });
  }

  const dark = matchMedia('(prefers-color-scheme: dark)');
  function paint() {
    const theme = look.theme === 'auto' ? (dark.matches ? 'dark' : 'light') : look.theme;
    root.dataset.theme = theme;
    const colors = palette(look.color, theme);
    root.style.setProperty('--brand', colors.brand);
    root.style.setProperty('--brand-deep', colors.brandDeep);
    root.style.setProperty('--on-brand', colors.onBrand);
    root.style.setProperty('--accent', colors.accent);
  }

  const small = matchMedia(FULL_SCREEN);
  const layout = () => onLayout(small.matches);

  /** An on-screen keyboard covers the page without resizing it, except here. */
  function fitViewport() {
    const { height, offsetTop, scale } = window.visualViewport;
    if (scale > 1) return; // zoomed in: the visitor looks at a part on purpose
    root.style.setProperty('--view-height', `${height}px`);
    root.style.setProperty('--view-top', `${offsetTop}px`);
  }

  function open() {
    const listen = (target, type, listener) => target.addEventListener(type, listener, { signal });
    listen(dark, 'change', paint);
    listen(small, 'change', layout);
    listen(window.visualViewport, 'resize', fitViewport);
    listen(window.visualViewport, 'scroll', fitViewport);
    signal.addEventListener('abort', () => host.remove());
    paint();
    fitViewport();
    layout();
    document.body.append(host);
  }

  return { root, open, isFull: () => small.matches };
}
