// As much of the DOM as the Markdown renderer may use, and nothing that could parse HTML.
class Node {
  constructor(document) {
    this.ownerDocument = document;
    this.childNodes = [];
    this.parentNode = null;
  }
}

class Text extends Node {
  constructor(document, data) {
    super(document);
    this.data = data;
  }

  toHtml() {
    return this.data.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
  }
}

class Element extends Node {
  constructor(document, name) {
    super(document);
    this.name = name;
    this.attributes = {};
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  append(...nodes) {
    for (const node of nodes) {
      const child = typeof node === 'string' ? new Text(this.ownerDocument, node) : node;
      child.remove?.();
      child.parentNode = this;
      this.childNodes.push(child);
    }
  }

  get lastChild() {
    return this.childNodes.at(-1);
  }

  remove() {
    if (this.parentNode) {
      this.parentNode.childNodes = this.parentNode.childNodes.filter((node) => node !== this);
    }
    this.parentNode = null;
  }

  replaceChildren(...nodes) {
    this.childNodes.forEach((node) => (node.parentNode = null));
    this.childNodes = [];
    this.append(...nodes);
  }

  get textContent() {
    return this.childNodes.map((node) => node.data ?? node.textContent).join('');
  }

  *elements() {
    for (const node of this.childNodes) {
      if (!(node instanceof Element)) continue;
      yield node;
      yield* node.elements();
    }
  }

  toHtml() {
    const attributes = Object.entries(this.attributes)
      .map(([k, v]) => ` ${k}="${v}"`)
      .join('');
    return `<${this.name}${attributes}>${this.inner()}</${this.name}>`;
  }

  inner() {
    return this.childNodes.map((node) => node.toHtml()).join('');
  }
}

export function createContainer() {
  const document = { createElement: (name) => new Element(document, name) };
  return document.createElement('div');
}
