import { createApi } from './net/api.js';
import { Problem } from './net/problem.js';
import { findScript, readOptions } from './options.js';
import { createWidget } from './widget.js';

const EVENTS = ['ready', 'open', 'close', 'unread', 'message:sent', 'message:received', 'error'];
const CALLS = ['open', 'close', 'toggle', 'sendMessage', 'newConversation'];

const script = findScript(document);
const loaded = window.Frontdesk?.loaded === true;

if (loaded) console.warn('Frontdesk: the widget is on this page already.');
else if (!('adoptedStyleSheets' in Document.prototype))
  console.warn('Frontdesk: this browser is too old.');
else if (!script?.dataset.clientKey)
  console.error('Frontdesk: data-client-key is missing on the script tag.');
else start(readOptions(script, document));

function start(options) {
  const listeners = new Map(EVENTS.map((name) => [name, new Set()]));
  const queue = window.Frontdesk?.q ?? []; // calls made before the script came
  let widget = null;
  let destroyed = false;

  function emit(name, detail) {
    for (const listener of listeners.get(name)) {
      try {
        listener(detail);
      } catch (error) {
        console.error(error); // the page's mistake must not become ours
      }
    }
  }

  function on(name, listener) {
    if (!listeners.has(name)) throw new RangeError(`Frontdesk: no such event: ${name}`);
    listeners.get(name).add(listener);
    return () => listeners.get(name).delete(listener);
  }

  function destroy() {
    destroyed = true;
    widget?.destroy();
    delete window.Frontdesk;
  }

  const global = { loaded: true, on, destroy };
  for (const name of CALLS) {
    global[name] = (...args) => (widget ? widget[name](...args) : void queue.push([name, ...args]));
  }
  window.Frontdesk = Object.freeze(global);

  async function boot() {
    const api = createApi(options);
    let config = {};
    try {
      config = (await api.config()) ?? {};
    } catch (error) {
      if (error instanceof Problem && error.status < 500 && error.status !== 429) {
        console.error(`Frontdesk: ${error.message}`); // the key, or a site it is not for
        return;
      }
      // not now: the built-in look, and the chat says what is wrong when it is used
    }
    if (destroyed) return;
    widget = createWidget({ api, options, config, emit });
    for (const [name, ...args] of queue.splice(0)) global[name]?.(...args);
    emit('ready');
  }

  if (document.body) boot();
  else document.addEventListener('DOMContentLoaded', boot, { once: true });
}
