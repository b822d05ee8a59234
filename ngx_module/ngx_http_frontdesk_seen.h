
/*
 * Which sites use which key, for the dashboard: ngx_http_frontdesk_seen.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_SEEN_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_SEEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


void ngx_http_frontdesk_seen(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t allowed);


#endif /* _NGX_HTTP_FRONTDESK_SEEN_H_INCLUDED_ */
