
/*
 * Short questions to a worker (call.h): ngx_http_frontdesk_call.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_CALL_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/*
 * Sends the question and answers the request with the reply, or with 503 at
 * the deadline.  Takes the request over: return what this returns.
 */
ngx_int_t ngx_http_frontdesk_call(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, ngx_str_t *args);
/* the same without a request: done(data, status) */
ngx_int_t ngx_http_frontdesk_call_replay(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(void *data, ngx_uint_t status),
    void *data);
/* from the channel */
void ngx_http_frontdesk_call_answer(u_char *message, size_t len);
void ngx_http_frontdesk_call_init(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_FRONTDESK_CALL_H_INCLUDED_ */
