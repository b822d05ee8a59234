/**
 * What the page says on the script tag:
 * <script src="https://HOST/widget.js" data-client-key="KEY"></script>
 */
export function readOptions(script, document) {
  const { dataset } = script;
  return {
    key: (dataset.clientKey ?? '').trim(),
    base: new URL(dataset.api || script.src, document.baseURI).origin,
    language: dataset.lang || document.documentElement.lang,
    position: dataset.position,
    theme: dataset.theme,
  };
}

/** currentScript is null in a module, or when a tag manager moved the code. */
export function findScript(document) {
  return document.currentScript ?? document.querySelector('script[data-client-key]');
}
