/** Brings the widget onto the page: the script tag, for those who build their pages with npm. */
export function load({ host, clientKey, lang, theme, position, file = 'widget.js', integrity }) {
  return new Promise((resolve, reject) => {
    if (window.Frontdesk?.on) {
      resolve(window.Frontdesk);
      return;
    }
    const script = document.createElement('script');
    const said = Object.entries({ clientKey, lang, theme, position }).filter(([, value]) => value);
    Object.assign(script.dataset, Object.fromEntries(said));
    script.async = true;
    script.src = new URL(file, host).href;
    if (integrity) Object.assign(script, { integrity, crossOrigin: 'anonymous' });
    script.onerror = () => reject(new Error(`Frontdesk: ${script.src} could not be loaded`));
    window.addEventListener('frontdesk:ready', () => resolve(window.Frontdesk), { once: true });
    document.head.append(script);
  });
}
