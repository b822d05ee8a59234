
/*
 * A JSON body, read and parsed: ngx_http_frontdesk_body.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_BODY_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"

#include "ngx_http_frontdesk_ctx.h"


/*
 * Reads the body, checks size, type and JSON, sets ctx->json and calls
 * handler; its return value finalizes the request.  Return what this returns.
 */
ngx_int_t ngx_http_frontdesk_body_read(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_handler_pt handler);
/* for fd_json_parse(): what it makes is the pool's */
struct fd_alloc ngx_http_frontdesk_allocator(ngx_pool_t *pool);


#endif /* _NGX_HTTP_FRONTDESK_BODY_H_INCLUDED_ */
