// A button with data-ask asks what is written on it.
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('[data-ask]');
  if (!button) return;
  window.Frontdesk?.open();
  window.Frontdesk?.sendMessage(button.dataset.ask || button.textContent.trim());
});
