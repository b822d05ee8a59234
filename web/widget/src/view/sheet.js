import { map } from '../list.js';
import { fill, problemText } from '../text.js';
import { h } from './dom.js';

/**
 * What is asked of the visitor in place of the composer: a title, fields, a button.
 * fields: [name, label, type, required]; type as of <input>, 'comment' or 'stars'.
 * act(values) may refuse: then it says why, and stays.
 */
export function createSheet(look, title, fields, act, mustAnswer, onClose) {
  const wrong = h('p.wrong', { role: 'alert' });
  const go = h('button.pill.strong', { type: 'submit' }, look.send_);
  const node = h(
    'form.sheet',
    { 'aria-label': title, onsubmit },
    h('b', title),
    ...map(fields, field),
    wrong,
    h('div.row', go, !mustAnswer && h('button.pill', { onclick: close }, look.cancel_)),
  );

  function field([name, label, type, required = false]) {
    if (type === 'stars')
      return h('div.row.stars', { role: 'radiogroup', 'aria-label': title }, ...map('12345', star));
    const isLong = type === 'comment';
    const control = h(isLong ? 'textarea.box' : 'input.box', { name, dir: 'auto', required });
    control.maxLength = 500;
    if (!isLong) Object.assign(control, { type, autocomplete: type === 'text' ? name : type });
    return h('label', label, !required && ` ${look.optional_}`, control);
  }

  function star(value) {
    const label = fill(look.stars_, value);
    const input = h('input.sr', { type: 'radio', name: 'score', value, required: true, label });
    return h('label.star', input, '★');
  }

  async function onsubmit(event) {
    event.preventDefault();
    const values = {};
    map(fields, ([name, , type]) => {
      const value = node.elements[name].value.trim();
      if (value) values[name] = type === 'stars' ? +value : value;
    });
    go.disabled = true;
    try {
      await act(values);
      close();
    } catch (problem) {
      wrong.textContent = problemText(look, problem);
    }
    go.disabled = false;
  }

  function close() {
    node.remove();
    onClose();
  }

  return {
    node_: node,
    escape_: () => !mustAnswer && (close(), true),
    focus_: () => node.elements[0].focus(),
  };
}
