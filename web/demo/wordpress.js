// A theme's script of the old kind: a small library of its own, changed prototypes, handlers on
// the whole document. What a chat widget has to live with.
(function (window) {
  function Query(nodes) {
    this.nodes = nodes;
  }
  Query.prototype.each = function (visit) {
    for (let i = 0; i < this.nodes.length; i++) visit.call(this.nodes[i], i, this.nodes[i]);
    return this;
  };
  Query.prototype.on = function (type, handler) {
    return this.each(function () {
      this.addEventListener(type, function (event) {
        if (handler.call(this, event) === false) event.preventDefault();
      });
    });
  };
  Query.prototype.attr = function (name, value) {
    return this.each(function () {
      this.setAttribute(name, value);
    });
  };
  Query.prototype.toggleClass = function (name) {
    return this.each(function () {
      this.classList.toggle(name);
    });
  };
  window.jQuery = window.$ = function (what) {
    if (typeof what === 'function') {
      if (document.readyState !== 'loading') what(window.$);
      else document.addEventListener('DOMContentLoaded', () => what(window.$));
      return undefined;
    }
    return new Query(typeof what === 'string' ? document.querySelectorAll(what) : [what]);
  };
})(window);

// what a plugin of 2009 did to every array
Array.prototype.each = function (visit) {
  for (let i = 0; i < this.length; i++) visit(this[i], i);
  return this;
};
Array.prototype.remove = function (value) {
  const at = this.indexOf(value);
  if (at >= 0) this.splice(at, 1);
  return this;
};
String.prototype.truncate = function (length) {
  return this.length > length ? this.slice(0, length) + '…' : String(this);
};

window.name = 'classic';
window.onerror = () => false;
window.onmessage = () => {};
document.onclick = () => true;

jQuery(function ($) {
  document.documentElement.className = 'js';

  $('.menu-toggle').on('click', function () {
    $('#primary-menu').toggleClass('toggled');
    this.setAttribute('aria-expanded', String(this.getAttribute('aria-expanded') !== 'true'));
  });

  $('[data-toggle]').on('click', function () {
    const more = document.querySelector(this.dataset.toggle);
    more.hidden = !more.hidden;
    this.textContent = more.hidden ? 'Read on' : 'Close';
  });

  $('.search-form').on('submit', function () {
    const words = this.elements.s.value.truncate(40);
    document.querySelector('.search-result').textContent = words
      ? `Nothing about “${words}” here. The chat may know.`
      : '';
    return false;
  });

  // shortcuts on the whole document, and no other key left alone
  $(document).on('keydown', function (event) {
    if (event.target.closest('input, textarea')) return;
    if (event.key === '/' || event.key === 's') {
      event.preventDefault();
      document.querySelector('.search-form input').focus();
    }
  });

  // every link and form that appears is "improved"
  const improve = () => $('body a[href^="http"]').attr('target', '_blank').attr('rel', 'nofollow');
  new MutationObserver(improve).observe(document.body, { childList: true, subtree: true });
  improve();
});
