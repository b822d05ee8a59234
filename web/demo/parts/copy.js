// A button with data-copy="id" copies that element's text; the snippets name this very host.
document.addEventListener('DOMContentLoaded', () => {
  for (const code of document.querySelectorAll('[data-snippet]')) {
    code.textContent = code.textContent.replaceAll('https://HOST', location.origin);
  }
});

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy]');
  if (!button) return;
  const code = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.dataset.done = '';
    setTimeout(() => delete button.dataset.done, 2000);
  } catch {
    getSelection().selectAllChildren(code); // no clipboard for us: ready for Ctrl-C
  }
});
