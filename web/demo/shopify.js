// The script of a store's theme: custom elements, a cart drawer that holds the focus, pages
// swapped without a reload, and a tag manager that brings the widget late.
const lines = new Map();

class CartDrawer extends HTMLElement {
  connectedCallback() {
    this.addEventListener('click', (event) => {
      if (event.target === this || event.target.closest('[data-close]')) this.close();
    });
    this.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    this.keepFocus = (event) => {
      if (!this.contains(event.target)) this.focus();
    };
  }

  open(from) {
    this.from = from;
    this.hidden = false;
    document.body.classList.add('locked');
    document.addEventListener('focusin', this.keepFocus);
    this.querySelector('[data-close]').focus();
  }

  close() {
    this.hidden = true;
    document.body.classList.remove('locked');
    document.removeEventListener('focusin', this.keepFocus);
    this.from?.focus();
  }

  show() {
    let total = 0;
    const items = [...lines].map(([name, { price, count }]) => {
      total += price * count;
      const item = document.createElement('li');
      item.textContent = `${count} × ${name}`;
      return item;
    });
    this.querySelector('[data-lines]').replaceChildren(...items);
    this.querySelector('[data-total]').textContent = `Total ₪${total.toFixed(2)}`;
    const count = [...lines.values()].reduce((sum, line) => sum + line.count, 0);
    document.querySelector('[data-count]').textContent = count;
  }
}
customElements.define('cart-drawer', CartDrawer);

const drawer = document.querySelector('cart-drawer');
const main = document.querySelector('main');
const shop = [...main.childNodes];

document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('button');
  if (!button) return;
  if (button.matches('.cart-button')) drawer.open(button);
  if (button.matches('[data-add]')) {
    const { product, price } = button.closest('[data-product]').dataset;
    const count = (lines.get(product)?.count ?? 0) + 1;
    lines.set(product, { price: Number(price), count });
    drawer.show();
    drawer.open(button);
  }
  if (button.matches('[data-visit]')) visit('about', '/demo/shopify?page=about');
  if (button.matches('[data-return]')) visit('', '/demo/shopify');
});
window.addEventListener('popstate', () => show(new URLSearchParams(location.search).get('page')));

function visit(name, address) {
  history.pushState(null, '', address);
  show(name);
}

/** As Turbo and its like do it: another body, and whoever lived in the old one is gone. */
function show(name) {
  const body = document.createElement('body');
  const kept = [...document.body.children].filter(
    ({ localName }) => localName !== 'frontdesk-widget',
  );
  main.replaceChildren(
    ...(name === 'about' ? [document.getElementById('about').content.cloneNode(true)] : shop),
  );
  body.append(...kept);
  document.body.replaceWith(body);
  scrollTo(0, 0);
  main.focus();
}

// the tag manager: after everything else
window.addEventListener('load', () => {
  setTimeout(() => {
    const script = document.createElement('script');
    script.async = true;
    script.src = '/widget.js';
    script.dataset.clientKey = document.querySelector('.tag-manager').dataset.key;
    document.head.append(script);
  }, 200);
});
