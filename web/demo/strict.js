let count = 0;
document.addEventListener('securitypolicyviolation', () => {
  count++;
  document.getElementById('violations').textContent = String(count);
});
