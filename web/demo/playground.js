// The events are heard from the first one on: calls made before the script came are kept.
const EVENTS = [
  'ready',
  'open',
  'close',
  'unread',
  'message:sent',
  'message:received',
  'handoff',
  'csat',
  'error',
];

const CALLS = {
  open: (widget) => widget.open(),
  close: (widget) => widget.close(),
  toggle: (widget) => widget.toggle(),
  hide: (widget) => widget.hide(),
  show: (widget) => widget.show(),
  send: (widget) => {
    widget.open();
    return widget.sendMessage('When is the shop open?');
  },
  handoff: (widget) => widget.handoff(),
  new: (widget) => widget.newConversation(),
  dark: (widget) => widget.update({ theme: 'dark' }),
  light: (widget) => widget.update({ theme: 'light', lang: 'en' }),
  hebrew: (widget) => widget.update({ lang: 'he' }),
  identify: (widget) =>
    widget.identify({ profile: { name: 'Dana', email: 'dana@customer.example' } }),
  reset: (widget) => widget.reset(),
  destroy: (widget) => widget.destroy(),
};

window.Frontdesk = { q: EVENTS.map((name) => ['on', name, (detail) => show(name, detail)]) };

function show(name, detail) {
  const log = document.getElementById('log');
  const item = document.createElement('p');
  const label = document.createElement('b');
  label.textContent = name;
  item.append(label);
  if (detail !== undefined) {
    const value = document.createElement('code');
    value.textContent = JSON.stringify(detail);
    item.append(' ', value);
  }
  log.append(item);
  log.scrollTop = log.scrollHeight;
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-run]');
  if (!button) return;
  if (!window.Frontdesk) return show('gone: reload the page');
  try {
    await CALLS[button.dataset.run](window.Frontdesk);
  } catch (error) {
    show('refused', error.message);
  }
});
