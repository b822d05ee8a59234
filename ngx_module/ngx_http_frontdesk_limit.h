
/*
 * Read limits, and what a limited client is told: ngx_http_frontdesk_limit.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_LIMIT_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_LIMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/* the client for limits, NUL terminated: the address, of IPv6 its /64 */
ngx_str_t ngx_http_frontdesk_address(ngx_http_request_t *r);
/* NGX_OK, or NGX_DECLINED and ctx->refused: the read limit's problem is sent */
ngx_int_t ngx_http_frontdesk_read_limit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* RateLimit fields of the org's limit, per minute */
ngx_int_t ngx_http_frontdesk_rate_headers(ngx_http_request_t *r,
    ngx_int_t limit, ngx_int_t remaining, ngx_int_t reset_ms);
/* the answer `limited` of admit.lua and start.lua as a problem */
ngx_int_t ngx_http_frontdesk_limited(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *which, ngx_int_t retry_after_ms,
    ngx_int_t limit);


#endif /* _NGX_HTTP_FRONTDESK_LIMIT_H_INCLUDED_ */
