import { map } from '../list.js';
import { problemText } from '../text.js';
import { h } from './dom.js';

const TYPES = { email: 'email', phone: 'tel' };

/**
 * What is asked of the visitor in place of the composer: a title, fields, a button.
 * fields: {name, label?, required?}; the name says what is asked for, and how.
 * act(values) may refuse: then it says why, and stays.
 */
export function createSheet(look, title, fields, act, mustAnswer, onClose) {
  const labels = {
    reason: look.about_,
    comment: look.comment_,
    name: look.name_,
    email: look.email_,
    phone: look.phone_,
  };
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

  function field({ name, label, required }) {
    if (name === 'score')
      return h('div.row', { role: 'radiogroup', 'aria-label': title }, ...map('12345', star));
    const isLong = /comment|reason/.test(name);
    const type = TYPES[name] ?? 'text';
    const control = h(isLong ? 'textarea.box' : 'input.box', { name, dir: 'auto' });
    Object.assign(control, { maxLength: 500, required: !!required });
    if (!isLong) Object.assign(control, { type, autocomplete: TYPES[name] ?? name });
    return h('label', look.text_(label) || labels[name], control.required && ' *', control);
  }

  function star(value) {
    const input = h('input.sr', {
      type: 'radio',
      name: 'score',
      value,
      required: true,
      label: value,
    });
    return h('label.star', input, '★');
  }

  async function onsubmit(event) {
    event.preventDefault();
    const values = {};
    map(fields, ({ name }) => {
      const value = node.elements[name].value.trim();
      if (value) values[name] = name === 'score' ? +value : value;
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

  return { node_: node, escape_: () => !mustAnswer && (close(), true) };
}
