import { filter, map } from '../list.js';
import { icon } from './icons.js';

/**
 * h('div.bubble', {attributes}?, ...children). What is no string is set as a property
 * (onclick, hidden); `label` names the element to the eye and to the ear; empty children
 * are left out. No HTML strings and no style attributes: both are refused on pages with a
 * strict Content-Security-Policy.
 */
export function h(selector, ...rest) {
  const [name, ...classes] = selector.split('.');
  const element = document.createElement(name);
  element.className = classes.join(' ');
  if (name === 'button') element.type = name;
  if (rest[0]?.constructor === Object) {
    const attributes = rest.shift();
    map(Object.keys(attributes), (key) => {
      const value = attributes[key];
      if (key === 'label') setLabel(element, value);
      else if (typeof value === 'string') element.setAttribute(key, value);
      else element[key] = value;
    });
  }
  element.append(...filter(rest, Boolean));
  return element;
}

export function setLabel(element, label) {
  if (element.title === label) return; // what is the same is not read again
  element.title = label;
  element.setAttribute('aria-label', label);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows the children that are there in place of what was; nothing hides the element. */
export function fillWith(element, children) {
  const shown = filter(children, Boolean);
  element.replaceChildren(...shown);
  element.hidden = !shown.length;
}

/** Something is on its way. */
export function dots(label) {
  return h('div.dots', { role: 'img', label }, h('i'), h('i'), h('i'));
}

/** A round button with an icon for a face. */
export function tool(name, label, onclick) {
  return h('button.tool', { label, onclick }, icon(name));
}
