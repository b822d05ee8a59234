/*
 * What stands in for the server behind the real widget while its look is chosen: the page
 * around this frame says what the configuration would be, and an answer is made up. Nothing
 * leaves the browser.
 */
const look = new Promise((resolve) => {
  addEventListener('message', function hear({ source, origin, data }) {
    if (source !== parent || origin !== location.origin || !data?.config) return;
    removeEventListener('message', hear);
    resolve(data);
  });
});
parent.postMessage('preview-ready', location.origin);

const json = (value, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json' } });

/** A short answer in the widget's own events. */
function answer({ text }) {
  const events = [
    ['1-0', 'meta', { job_id: 'preview', session_id: 'preview', message_id: 'preview' }],
    ['1-1', 'delta', { text }],
    ['1-2', 'done', { finish_reason: 'stop', message_id: 'preview' }],
  ];
  const body = events
    .map(([id, type, data]) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('');
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream',
      'X-Frontdesk-Job': 'preview',
      'X-Frontdesk-Session': 'preview',
    },
  });
}

window.fetch = async (address) => {
  const path = new URL(address, location.href).pathname.replace('/api/v1/', '');
  const shown = await look;
  document.documentElement.lang = shown.config.languages[0];
  document.body.className = shown.config.theme === 'dark' ? 'dark' : '';
  if (path === 'config') return json(shown.config);
  if (path === 'chat') return answer(shown);
  if (path === 'sessions/start') return json({ session_id: 'preview' });
  return json({ messages: [], next_cursor: null });
};
window.Frontdesk = { q: [['open']] };
