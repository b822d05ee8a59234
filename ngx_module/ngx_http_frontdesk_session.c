
/*
 * A session's id says by its tag whose it is, so an invented or a foreign one
 * costs no look-up.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"


ngx_int_t
ngx_http_frontdesk_session_make(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    char          *id;
    const u_char  *secret;

    secret = ngx_http_frontdesk_session_key();

    if (secret == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    id = ngx_pnalloc(r->pool, FD_SESSION_ID_SIZE);
    if (id == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    fd_session_id_make(id, secret, (char *) ctx->key->org.data,
                       ctx->key->org.len);

    ctx->session.data = (u_char *) id;
    ctx->session.len = FD_SESSION_ID_LEN;

    return NGX_OK;
}


/* unknown, foreign and ended look the same */

ngx_int_t
ngx_http_frontdesk_session_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *session, const char *field)
{
    const u_char  *secret;

    if (field && !fd_session_id_shaped((char *) session->data, session->len)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, field,
                                       "an id that sessions/start or chat "
                                       "answered is wanted");
    }

    secret = ngx_http_frontdesk_session_key();

    if (secret == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    if (!fd_session_id_valid((char *) session->data, session->len, secret,
                             (char *) ctx->key->org.data, ctx->key->org.len))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, field,
                                       "there is no such session");
    }

    ctx->session = *session;

    return NGX_OK;
}
