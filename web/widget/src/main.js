import { emit, on } from './hooks.js';
import languages from './languages.js';
import { map } from './list.js';
import { configure } from './net/http.js';
import { chooseLanguage } from './text.js';
import { createWidget } from './widget.js';

const CALLS =
  'open close toggle show hide sendMessage newConversation handoff identify reset update';

// currentScript is null in a module, or when a tag manager moved the code
const script = document.currentScript ?? document.querySelector('script[data-client-key]');
const { clientKey: key, api, ...options } = { ...script?.dataset };
const stub = window.Frontdesk;

if (!key) complain('data-client-key is missing on the script tag.');
else if (!stub?.on) start(stub?.q ?? []); // it is not here twice; calls made before the script came

function complain(text) {
  console.error(`Frontdesk: ${text}`);
}

function start(waiting) {
  let config = {};
  let refusal;
  let widget;

  function create() {
    const { lang = document.documentElement.lang } = options;
    const wanted = [lang, config.languages, navigator.language];
    widget = createWidget(key, options, config, chooseLanguage(languages, wanted), refusal);
    widget.update = (changed) => {
      Object.assign(options, changed);
      widget.destroy_();
      create();
      widget.furnish_();
    };
  }

  const global = {
    on,
    destroy() {
      widget?.destroy_();
      widget = {};
      delete window.Frontdesk;
    },
  };
  map(CALLS.split(' '), (name) => {
    global[name] = (...args) => {
      widget?.furnish_?.();
      return widget ? widget[name]?.(...args) : void (waiting[waiting.length] = [name, ...args]);
    };
  });
  window.Frontdesk = Object.freeze(global);

  async function boot() {
    await undefined; // off the script's stack, which tracers of requests would parse once more
    try {
      config = await configure(new URL(api || script.src, document.baseURI).origin, key);
    } catch (error) {
      // not now: the built-in look, and the chat says what is wrong when it is used
      if (error.status_ < 500 && error.status_ !== 429) {
        refusal = error;
        complain(`${error.status_} ${error.message}`);
      }
    }
    if (widget) return; // destroyed meanwhile
    create();
    map(waiting, ([name, ...args]) => global[name]?.(...args));
    emit('ready');
  }

  if (document.body) boot();
  else document.addEventListener('DOMContentLoaded', boot);
}
