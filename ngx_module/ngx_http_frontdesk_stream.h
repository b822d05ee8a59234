
/*
 * An open answer, or a session's events, as the rest of the module knows it;
 * see ngx_http_frontdesk_stream_state.h.
 */


#ifndef _NGX_HTTP_FRONTDESK_STREAM_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_STREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_ctx.h"


/*
 * Subscribes to ctx->job, before the job is admitted.  Events that come before
 * the stream is opened are kept.
 */
ngx_int_t ngx_http_frontdesk_stream_prepare(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * The job was admitted: the answer goes to the client as it comes, or once
 * where !ctx->chat.stream.  The request must be parked.
 */
void ngx_http_frontdesk_stream_open(ngx_http_frontdesk_ctx_t *ctx);
/*
 * The same for a job that exists since long, after the event `last`.
 * `finished`: no event is to come, only to be read or replayed.  `unproven`:
 * Redis forgot whose job it is; nothing is sent before a worker has said so.
 */
void ngx_http_frontdesk_stream_attach(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last,
    ngx_uint_t finished, ngx_uint_t unproven);
/* ends an open stream with a problem */
void ngx_http_frontdesk_stream_fail(ngx_http_frontdesk_ctx_t *ctx,
    enum fd_problem_type type);
/*
 * Redis is away: retry: and a close with 200, as other answers end an
 * EventSource for good, or 503 where the client asked for JSON.  Returns what
 * to finalize the request with, never NGX_OK.
 */
ngx_int_t ngx_http_frontdesk_stream_later(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * The events of ctx->session after `last`, from now on where it is none; as
 * ..._stream_attach(), but it has no end of its own.
 */
void ngx_http_frontdesk_stream_follow(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last);
/* forgets a prepared stream; whoever asks finalizes the request */
void ngx_http_frontdesk_stream_discard(ngx_http_frontdesk_ctx_t *ctx);

void ngx_http_frontdesk_stream_message(u_char *job, size_t job_len,
    u_char *frame, size_t len);                 /* from the channel */
void ngx_http_frontdesk_stream_subscribed(u_char *job, size_t len);
void ngx_http_frontdesk_stream_resubscribe(void);   /* the channel is back */
void ngx_http_frontdesk_stream_resync(void);    /* live is back */
void ngx_http_frontdesk_stream_revoke(u_char sha256[32]);
void ngx_http_frontdesk_stream_drain(void);     /* graceful shutdown */
ngx_int_t ngx_http_frontdesk_stream_init(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_FRONTDESK_STREAM_H_INCLUDED_ */
