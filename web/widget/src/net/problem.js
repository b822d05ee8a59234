/**
 * A refusal of the server: an RFC 9457 problem document, or whatever an intermediary
 * answered in its place.
 */
export class Problem extends Error {
  constructor(status, document = {}, retryAfter = 0) {
    super(text(document.detail) || text(document.title) || `HTTP ${status}`);
    this.status = status;
    this.code = text(document.code);
    this.field = text(document.field);
    this.jobId = text(document.job_id);
    this.retryAfter = seconds(document.retry_after) || retryAfter;
    this.retryable = document.retryable ?? (status === 429 || status >= 500);
  }

  static async from(response) {
    let document;
    try {
      document = JSON.parse((await response.text()).slice(0, 65536));
    } catch {
      // a proxy's HTML page, or a body that was cut: the status has to do
    }
    const retryAfter = seconds(Number(response.headers.get('Retry-After')));
    return new Problem(response.status, isObject(document) ? document : {}, retryAfter);
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value) {
  return typeof value === 'string' ? value : '';
}

function seconds(value) {
  return Number.isFinite(value) && value > 0 ? Math.ceil(value) : 0;
}
