// A builder's runtime: one handler for all messages, one for all keys, its own idea of the window.
window.onmessage = (event) => {
  const { type, height } = JSON.parse(event.data);
  if (type === 'resize') document.documentElement.dataset.frameHeight = height;
};
window.onresize = () => {
  document.documentElement.style.setProperty('--site-width', `${innerWidth}px`);
};
window.addEventListener('scroll', () => scrollTo(0, 0));
document.addEventListener('keydown', (event) => {
  if (event.key === ' ' && event.target === document.body) event.preventDefault();
});
