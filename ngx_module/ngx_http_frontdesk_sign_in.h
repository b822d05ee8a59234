
/*
 * Signed-in users, by the cookie of their session:
 * ngx_http_frontdesk_sign_in.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_SIGN_IN_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_SIGN_IN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/* as the claims of the cookie have him; each string has a NUL behind it */

struct ngx_http_frontdesk_user_s {
    ngx_str_t                  id;          /* uuid */
    ngx_str_t                  org;         /* uuid */
    ngx_str_t                  role;
    ngx_str_t                  team;        /* uuid, or empty */
    ngx_str_t                  session;     /* uuid */
    ngx_str_t                  nonce;
};


/* as ..._key_resolve(); sets ctx->user */
ngx_int_t ngx_http_frontdesk_sign_in(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_done_pt done);


/*
 * ngx_http_frontdesk_cookie.c: the one cookie of the name that this connection
 * has; NGX_DECLINED: none, or more than one
 */
ngx_int_t ngx_http_frontdesk_cookie(ngx_http_request_t *r, ngx_str_t *value);


/* ngx_http_frontdesk_ended.c: users' sessions that ended before their time */

void ngx_http_frontdesk_ended_init(void);
void ngx_http_frontdesk_ended_reload(void);     /* the channel is up again */
void ngx_http_frontdesk_ended_add(u_char *id, size_t len);
/* NGX_OK it has ended, NGX_DECLINED it has not, NGX_AGAIN ask Redis */
ngx_int_t ngx_http_frontdesk_ended_find(ngx_str_t *session);


#endif /* _NGX_HTTP_FRONTDESK_SIGN_IN_H_INCLUDED_ */
