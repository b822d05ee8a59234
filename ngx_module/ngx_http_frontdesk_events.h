
/*
 * An answer that is resumed: ngx_http_frontdesk_events.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_EVENTS_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_EVENTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"

#include "ngx_http_frontdesk_ctx.h"


/* Last-Event-ID, 0-0 without one; NGX_OK, or what to return */
ngx_int_t ngx_http_frontdesk_events_last(ngx_http_request_t *r,
    struct fd_event_id *last);
/* the same as _stream_later() before it is known whose request this is */
ngx_int_t ngx_http_frontdesk_events_later(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * Reads fd:job of ctx->job and attaches a stream to it, after the event `last`.
 * `own`: a duplicate, so that the job is known to be this client's and its
 * session becomes ctx->session.  NGX_DONE: Redis is asked, to be parked, or
 * what to finalize the request with.
 */
ngx_int_t ngx_http_frontdesk_attach(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last, ngx_uint_t own);
/*
 * Of a route with a job's id: discards the body, sets ctx->job and, from its
 * header, ctx->session.  NGX_OK, or what to return.
 */
ngx_int_t ngx_http_frontdesk_job_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


#endif /* _NGX_HTTP_FRONTDESK_EVENTS_H_INCLUDED_ */
