
/*
 * GET sessions/:id/history and DELETE sessions/:id/end: what a worker is asked
 * about a session.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/call.h"
#include "protocol/json.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"


#define NGX_HTTP_FRONTDESK_HISTORY_LIMIT  20
#define NGX_HTTP_FRONTDESK_HISTORY_MAX    100
#define NGX_HTTP_FRONTDESK_CURSOR_MAX     200


static ngx_int_t ngx_http_frontdesk_history_args(ngx_http_request_t *r,
    ngx_str_t *args);
static ngx_int_t ngx_http_frontdesk_history_limit(ngx_http_request_t *r,
    ngx_int_t *limit);
static ngx_int_t ngx_http_frontdesk_history_cursor(ngx_http_request_t *r,
    ngx_str_t *cursor);


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


/* NGX_OK, or what to return */

static ngx_int_t
ngx_http_frontdesk_history_args(ngx_http_request_t *r, ngx_str_t *args)
{
    ngx_int_t              rc, limit;
    ngx_str_t              cursor;
    struct fd_json_writer  w;

    rc = ngx_http_frontdesk_history_limit(r, &limit);

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_history_cursor(r, &cursor);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member_int(&w, "limit", limit);

    if (cursor.len) {
        fd_jw_key(&w, "cursor");
        fd_jw_string(&w, (char *) cursor.data, cursor.len);
    }

    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    args->data = (u_char *) w.data;
    args->len = w.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_history_limit(ngx_http_request_t *r, ngx_int_t *limit)
{
    ngx_str_t  value;

    *limit = NGX_HTTP_FRONTDESK_HISTORY_LIMIT;

    if (ngx_http_arg(r, (u_char *) "limit", sizeof("limit") - 1, &value)
        != NGX_OK)
    {
        return NGX_OK;
    }

    *limit = ngx_atoi(value.data, value.len);

    if (*limit < 1 || *limit > NGX_HTTP_FRONTDESK_HISTORY_MAX) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST, "limit",
                                       "a number from 1 to 100 is wanted");
    }

    return NGX_OK;
}


/* opaque, but of an alphabet that needs no escape anywhere; perhaps empty */

static ngx_int_t
ngx_http_frontdesk_history_cursor(ngx_http_request_t *r, ngx_str_t *cursor)
{
    u_char      c;
    ngx_uint_t  i;

    if (ngx_http_arg(r, (u_char *) "cursor", sizeof("cursor") - 1, cursor)
        != NGX_OK)
    {
        ngx_str_null(cursor);
        return NGX_OK;
    }

    for (i = 0; i < cursor->len; i++) {
        c = (u_char) (cursor->data[i] | 0x20);

        if ((c < 'a' || c > 'z')
            && (cursor->data[i] < '0' || cursor->data[i] > '9')
            && cursor->data[i] != '-' && cursor->data[i] != '_')
        {
            break;
        }
    }

    if (i < cursor->len || cursor->len > NGX_HTTP_FRONTDESK_CURSOR_MAX) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST, "cursor",
                                       "take next_cursor of the page before");
    }

    return NGX_OK;
}
