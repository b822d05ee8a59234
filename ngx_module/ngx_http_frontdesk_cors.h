
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


/* ngx_http_frontdesk_seen.c: which sites use which key, for the dashboard */

void ngx_http_frontdesk_seen(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t allowed);


/* ngx_http_frontdesk_origin.c: origins (RFC 6454) and patterns of them */

typedef struct {
    ngx_str_t                  scheme;
    ngx_str_t                  host;
    ngx_int_t                  port;
} ngx_http_frontdesk_origin_t;

/* the origin points into text; NGX_DECLINED: it is none */
ngx_int_t ngx_http_frontdesk_origin_parse(ngx_str_t *text,
    ngx_http_frontdesk_origin_t *origin);
/* list: "https://shop.example *.example.org", space separated */
ngx_uint_t ngx_http_frontdesk_origin_listed(
    ngx_http_frontdesk_origin_t *origin, ngx_str_t *list);


#endif /* _NGX_HTTP_FRONTDESK_CORS_H_INCLUDED_ */
