
/*
 * Cross-origin answers - preflight, headers on every answer - and whether a key
 * may be used where it is: ngx_http_frontdesk_cors.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_CORS_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_CORS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


ngx_int_t ngx_http_frontdesk_cors_preflight(ngx_http_request_t *r);
/* is the request's Origin among the key's?  Sets ctx->origin */
ngx_uint_t ngx_http_frontdesk_cors_allowed(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_cors_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* the origin of the page that asks, "null" where it has none to show */
ngx_int_t ngx_http_frontdesk_cors_site(ngx_http_request_t *r, ngx_str_t *site);


#endif /* _NGX_HTTP_FRONTDESK_CORS_H_INCLUDED_ */
