import { isTooLong } from '../chat/question.js';
import { h, setLabel } from './dom.js';
import { icon } from './icons.js';

const TALLEST = 140; // px, then it scrolls

export function createComposer({ strings, onSend, onStop }) {
  const input = h('textarea.input', {
    rows: '1',
    dir: 'auto',
    placeholder: strings.placeholder,
    'aria-label': strings.placeholder,
    'aria-describedby': 'hint',
    enterkeyhint: 'send',
    autocomplete: 'off',
  });
  const send = h('button.send', { type: 'submit' });
  const hint = h('p.hint', { id: 'hint' }, strings.disclaimer);
  const node = h('form.composer', h('div.field', input, send), hint);
  let busy = false;

  node.addEventListener('submit', (event) => {
    event.preventDefault();
    if (busy) onStop();
    else submit();
  });
  input.addEventListener('keydown', (event) => {
    // an input method uses Enter to choose a word (229: what Safari says of it)
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    if (!busy) submit();
  });
  input.addEventListener('input', refresh);

  function submit() {
    if (isTooLong(input.value.trim()) || !onSend(input.value)) return;
    input.value = '';
    refresh();
  }

  function refresh() {
    const tooLong = isTooLong(input.value.trim());
    input.setAttribute('aria-invalid', String(tooLong));
    hint.textContent = tooLong ? strings.tooLong : strings.disclaimer;
    hint.classList.toggle('wrong', tooLong);
    send.disabled = !busy && (tooLong || input.value.trim() === '');
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, TALLEST)}px`;
  }

  function setBusy(value) {
    busy = value;
    send.replaceChildren(busy ? h('span.square') : icon('send'));
    setLabel(send, busy ? strings.stop : strings.send);
    refresh();
  }

  setBusy(false);
  return { node, setBusy, focus: () => input.focus() };
}
