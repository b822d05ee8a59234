/**
 * A refusal of the server (RFC 9457), or that it could not be reached (status 0). `field` names
 * the member of the body that is wrong: a form shows the message there.
 */
export class Problem extends Error {
  constructor(status, document = {}, retryAfter = 0) {
    super(document.detail || document.title || `HTTP ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.code = document.code ?? (status ? `http-${status}` : 'unreachable');
    this.field = document.field ?? null;
    this.requestId = document.request_id ?? null;
    this.retryAfter = Number(document.retry_after ?? retryAfter) || 0;
    this.document = document;
  }
}

export async function readProblem(response) {
  // a proxy may have answered in its own way: then the status has to do
  const document = await response.json().catch(() => ({}));
  return new Problem(response.status, document, response.headers.get('Retry-After'));
}

export const isAbort = (error) => error?.name === 'AbortError';
