import css from '../style/widget.css';
import { map } from '../list.js';
import { listen } from '../net/network.js';
import { palette } from '../theme.js';
import { h } from './dom.js';

/**
 * The element in the page and the shadow root in it: what separates the widget's styles,
 * keys and colours from the page's. onLayout(full) says when the window fills the screen.
 */
export function createShell(look, signal, launcher, onLayout, onEscape) {
  const host = document.createElement('frontdesk-widget');
  const shadow = host.attachShadow({ mode: 'open' });
  // a constructed sheet is no inline style: style-src need not allow any
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  const root = h(
    'div.root',
    { lang: look.tag_, dir: look.dir_, 'data-side': look.side_ },
    launcher,
  );
  shadow.append(root);

  // typing here must not fire the page's shortcuts
  listen(shadow, 'keydown keypress keyup', (event) => {
    event.stopPropagation();
    if (event.type === 'keydown' && event.key === 'Escape' && !event.isComposing) onEscape();
  });

  const dark = matchMedia('(prefers-color-scheme:dark)');
  const small = matchMedia('(max-width:520px)');
  const { documentElement: html } = document;
  const { visualViewport: viewport } = window;
  const style = (name, value) => root.style.setProperty(`--${name}`, value);

  function paint() {
    const theme = look.theme_ ?? (dark.matches ? 'dark' : 'light');
    const colors = palette(look.color_, theme === 'dark');
    root.style.colorScheme = root.dataset.theme = theme; // of scroll bars and pickers, too
    map(Object.keys(colors), (name) => style(name, colors[name]));
    onLayout(small.matches);
  }

  /** An on-screen keyboard covers the page without resizing it, except here. */
  function fit() {
    if (viewport.scale > 1) return; // zoomed in: the visitor looks at a part on purpose
    style('height', `${viewport.height}px`);
    style('top', `${viewport.offsetTop}px`);
  }

  /**
   * Beside the body, not in it: pages that replace their body when they navigate keep it,
   * and no transform of theirs moves it. Whoever replaces all gets it back.
   */
  const keep = () => host.isConnected || html.append(host);
  const observer = new MutationObserver(keep);
  map([document, html], (parent) => observer.observe(parent, { childList: true }));
  signal.addEventListener('abort', () => {
    observer.disconnect();
    host.remove();
  });
  map([dark, small], (query) => listen(query, 'change', paint, signal));
  listen(viewport, 'resize scroll', fit, signal);
  paint();
  fit();
  keep();

  return { root_: root, isFull_: () => small.matches };
}
