
/*
 * A session's id, which says by its tag whose it is:
 * ngx_http_frontdesk_session.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_SESSION_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/* a new one as ctx->session; NGX_OK, or a problem is sent: its result */
ngx_int_t ngx_http_frontdesk_session_make(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * Shape and tag; field is NULL for an id of the path.  Sends the problem
 * itself: NGX_OK, or what to return or to finalize with, never NGX_OK then.
 */
ngx_int_t ngx_http_frontdesk_session_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *session, const char *field);


#endif /* _NGX_HTTP_FRONTDESK_SESSION_H_INCLUDED_ */
