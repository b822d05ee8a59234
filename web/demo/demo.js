// ?lang=he and ?theme=dark, before anything is painted and before the widget, deferred, looks.
const wanted = new URLSearchParams(location.search);
const root = document.documentElement;
if (wanted.get('lang') === 'he') {
  root.lang = 'he';
  root.dir = 'rtl';
}
const prefersDark = matchMedia('(prefers-color-scheme: dark)').matches;
const theme = wanted.get('theme') ?? (prefersDark ? 'dark' : 'light');
root.dataset.theme = theme;
document.querySelector('script[data-client-key]').dataset.theme = theme;

document.addEventListener('DOMContentLoaded', () => {
  for (const link of document.querySelectorAll('a[data-switch]')) {
    const query = new URLSearchParams({ lang: root.lang, theme });
    query.set(link.dataset.switch, link.dataset.to);
    link.href = `?${query}`;
  }
  for (const button of document.querySelectorAll('[data-ask]')) {
    button.addEventListener('click', () => {
      window.Frontdesk?.open();
      window.Frontdesk?.sendMessage(button.textContent);
    });
  }
});
