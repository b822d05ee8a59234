import { button, h, setLabel } from './dom.js';
import { icon } from './icons.js';

export function createLauncher({ strings, onclick }) {
  const badge = h('span.badge', { hidden: true, 'aria-hidden': 'true' });
  const node = button(
    'launcher',
    { 'aria-haspopup': 'dialog', 'aria-controls': 'panel', onclick },
    icon('chat'),
    icon('down'),
    badge,
  );

  function update({ open, unread }) {
    node.setAttribute('aria-expanded', String(open));
    const label = unread > 0 ? strings.openUnread(unread) : strings.open;
    setLabel(node, open ? strings.close : label);
    badge.hidden = open || unread === 0;
    badge.textContent = unread > 9 ? '9+' : String(unread);
  }

  return { node, update };
}
