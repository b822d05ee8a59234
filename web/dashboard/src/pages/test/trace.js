/*
 * What a test chat tells of itself, put together from its events. Pure: take() returns a new
 * trace. Long texts and lists come in pieces, with `more` on all but the last.
 */
export const emptyTrace = { snippets: [], chunks: [], requests: [], tools: [], notices: [] };

const last = (list) => list[list.length - 1];
const replaceLast = (list, item) => [...list.slice(0, -1), item];

/** The piece joins what it continues, or begins something. */
function join(list, piece, isSame) {
  const before = last(list);
  if (before?.more && isSame(before)) {
    return replaceLast(list, { ...before, text: before.text + piece.text, more: piece.more });
  }
  return [...list, piece];
}

function inRequest(trace, change) {
  const request = last(trace.requests);
  return request ? { ...trace, requests: replaceLast(trace.requests, change(request)) } : trace;
}

function takeTool(trace, event) {
  const known = trace.tools.find((call) => call.call_id === event.call_id) ?? {
    request: '',
    answer: '',
  };
  const call = { ...known, ...event, [event.part]: known[event.part] + event.text };
  const others = trace.tools.filter((one) => one.call_id !== event.call_id);
  return { ...trace, tools: [...others, call] };
}

const STEPS = {
  intent: (trace, event) => ({ ...trace, intent: event }),
  route: (trace, event) => ({ ...trace, route: event }),
  snippets: (trace, { items }) => ({ ...trace, snippets: [...trace.snippets, ...items] }),
  chunks: (trace, { items }) => ({ ...trace, chunks: [...trace.chunks, ...items] }),
  request: (trace, event) => ({
    ...trace,
    requests: [...trace.requests, { ...event, parts: [], raw: '' }],
  }),
  prompt: (trace, event) =>
    inRequest(trace, (request) => ({
      ...request,
      parts: join(
        request.parts,
        event,
        ({ part, index, name }) =>
          part === event.part && index === event.index && name === event.name,
      ),
    })),
  provider: (trace, { text }) =>
    inRequest(trace, (request) => ({ ...request, raw: request.raw + text })),
  provider_end: (trace, event) => inRequest(trace, (request) => ({ ...request, end: event })),
  tool: takeTool,
  sentiment: (trace, event) => ({ ...trace, sentiment: event }),
  usage: (trace, event) => ({ ...trace, usage: event }),
  timings: (trace, event) => ({ ...trace, timings: event }),
  cut: (trace) => ({ ...trace, isCut: true }),
};

export function take(trace, event) {
  return STEPS[event.step]?.(trace, event) ?? trace;
}
