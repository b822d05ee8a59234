
/*
 * What every admin request goes through: ngx_http_frontdesk_admin.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ADMIN_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ADMIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


struct fd_sign_in_keys;

/* NGX_OK, NGX_ERROR, or NGX_DECLINED and ctx->refused: no path of the API */
ngx_int_t ngx_http_frontdesk_admin_begin(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_admin_headers(ngx_http_request_t *r);
/* the same, where the admin API has answered with a job's events */
ngx_int_t ngx_http_frontdesk_admin_follow(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* NGX_OK, or NGX_DECLINED and ctx->refused: another site's page asks */
ngx_int_t ngx_http_frontdesk_admin_open(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_admin_page(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_sign_in_keys *keys);


#endif /* _NGX_HTTP_FRONTDESK_ADMIN_H_INCLUDED_ */
