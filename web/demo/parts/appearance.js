// ?lang=he and ?theme=dark, before anything is painted and before the widget, deferred, looks.
const wanted = new URLSearchParams(location.search);
const root = document.documentElement;
const prefersDark = matchMedia('(prefers-color-scheme: dark)').matches;
const theme =
  wanted.get('theme') === 'dark' || (prefersDark && !wanted.has('theme')) ? 'dark' : 'light';

if (wanted.get('lang') === 'he') {
  root.lang = 'he';
  root.dir = 'rtl';
}
root.dataset.theme = theme;
document.querySelector('script[data-client-key]').dataset.theme = theme;

document.addEventListener('DOMContentLoaded', () => {
  for (const link of document.querySelectorAll('a[data-switch]')) {
    const query = new URLSearchParams({ lang: root.lang, theme });
    query.set(link.dataset.switch, link.dataset.to);
    link.href = `?${query}`;
  }
});
