// The gateway hands fetch's own Response on, whose headers are immutable in current Node;
// without this wrapper its streaming answers 500.
const original = globalThis.fetch;
globalThis.fetch = async (...args) => {
  const response = await original(...args);
  return new Response(response.body, { status: response.status, headers: new Headers(response.headers) });
};
