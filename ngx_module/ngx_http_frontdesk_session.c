
/*
 * Sessions: history, end.  A session's id says by its tag whose it is, so an
 * invented or a foreign one costs no look-up.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk.h"
#include "protocol/call.h"


#define NGX_HTTP_FRONTDESK_HISTORY_LIMIT  20
#define NGX_HTTP_FRONTDESK_HISTORY_MAX    100
#define NGX_HTTP_FRONTDESK_CURSOR_MAX     200


static ngx_int_t ngx_http_frontdesk_history_args(ngx_http_request_t *r,
    ngx_str_t *args);


ngx_int_t
ngx_http_frontdesk_history_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  args;

    rc = ngx_http_frontdesk_session_check(r, ctx, &ctx->id, NULL);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_frontdesk_history_args(r, &args);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_frontdesk_call(r, ctx, FD_CALL_HISTORY, &args);
}


static ngx_int_t
ngx_http_frontdesk_history_args(ngx_http_request_t *r, ngx_str_t *args)
{
    ngx_int_t              limit;
    ngx_str_t              value;
    ngx_uint_t             i;
    struct fd_json_writer  w;

    limit = NGX_HTTP_FRONTDESK_HISTORY_LIMIT;

    if (ngx_http_arg(r, (u_char *) "limit", 5, &value) == NGX_OK) {
        limit = ngx_atoi(value.data, value.len);

        if (limit < 1 || limit > NGX_HTTP_FRONTDESK_HISTORY_MAX) {
            return ngx_http_frontdesk_fail(r,
                                          FD_PROBLEM_BAD_REQUEST, "limit",
                                          "a number from 1 to 100 is wanted");
        }
    }

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member_int(&w, "limit", limit);

    if (ngx_http_arg(r, (u_char *) "cursor", 6, &value) == NGX_OK
        && value.len)
    {
        /* opaque, but of an alphabet that needs no escape anywhere */

        for (i = 0; i < value.len; i++) {
            if (!(value.data[i] >= '0' && value.data[i] <= '9')
                && !(value.data[i] >= 'a' && value.data[i] <= 'z')
                && !(value.data[i] >= 'A' && value.data[i] <= 'Z')
                && value.data[i] != '-' && value.data[i] != '_')
            {
                break;
            }
        }

        if (i < value.len || value.len > NGX_HTTP_FRONTDESK_CURSOR_MAX) {
            return ngx_http_frontdesk_fail(r,
                                          FD_PROBLEM_BAD_REQUEST, "cursor",
                                        "take next_cursor of the page before");
        }

        fd_jw_key(&w, "cursor");
        fd_jw_string(&w, (char *) value.data, value.len);
    }

    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    args->data = (u_char *) w.data;
    args->len = w.len;

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_end_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  args;

    rc = ngx_http_frontdesk_session_check(r, ctx, &ctx->id, NULL);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_set(&args, "{}");

    return ngx_http_frontdesk_call(r, ctx, FD_CALL_END, &args);
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
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE,
                                                  NULL, NULL);
    }

    if (!fd_session_id_valid((char *) session->data, session->len, secret,
                             (char *) ctx->key->org.data, ctx->key->org.len))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND,
                                                  field,
                                                  "there is no such session");
    }

    ctx->session = *session;

    return NGX_OK;
}
