/**
 * h('div.bubble', {attributes}?, ...children). An attribute on… is a listener; `label` names
 * the element to the eye and to the ear. No HTML strings and no style attributes: both are
 * refused on pages with a strict Content-Security-Policy.
 */
export function h(selector, ...rest) {
  const [name, ...classes] = selector.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  const attributes = rest[0]?.constructor === Object ? rest.shift() : {};
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'label') setLabel(element, value);
    else if (value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...rest);
  return element;
}

export function setLabel(element, label) {
  element.title = label;
  element.setAttribute('aria-label', label);
}

/** button('pill', {attributes}?, ...children); the classes as in a selector. */
export function button(kind, attributes, ...children) {
  return h(`button.${kind}`, { type: 'button', ...attributes }, ...children);
}
