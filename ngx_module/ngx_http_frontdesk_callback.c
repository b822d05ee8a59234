
/*
 * POST /api/v1/tools/callback/:token: the outcome of a tool's call, told late.
 * The token is the key: it names one call of one organisation, and its tag says
 * that a worker made it, so an invented one costs no look-up.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/call.h"
#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/limits.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_respond.h"


static ngx_int_t ngx_http_frontdesk_callback_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_callback_args(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *call, ngx_str_t *args);
static ngx_int_t ngx_http_frontdesk_callback_org(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *org);


ngx_int_t
ngx_http_frontdesk_callback_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    char           org[37], call[37];
    const u_char  *secret;

    secret = ngx_http_frontdesk_session_key();

    if (secret == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    if (!fd_callback_token_valid((char *) ctx->id.data, ctx->id.len, secret,
                                 org, call))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    }

    if (r->headers_in.content_length_n > FD_CALLBACK_MAX) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_TOO_LARGE, NULL, NULL);
    }

    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_callback_body);
}


static ngx_int_t
ngx_http_frontdesk_callback_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    char           org[37], call[37];
    ngx_int_t      rc;
    ngx_str_t      args;
    const u_char  *secret;

    secret = ngx_http_frontdesk_session_key();

    if (secret == NULL
        || !fd_callback_token_valid((char *) ctx->id.data, ctx->id.len, secret,
                                    org, call))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    rc = ngx_http_frontdesk_callback_args(r, ctx, call, &args);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_frontdesk_callback_org(r, ctx, org) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_frontdesk_call(r, ctx, FD_CALL_OUTCOME, &args);
}


static ngx_int_t
ngx_http_frontdesk_callback_args(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *call, ngx_str_t *args)
{
    struct fd_json_writer  w;

    if (ctx->json->type != FD_JSON_OBJECT) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, "",
                                       "the body must be a JSON object");
    }

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member(&w, "call", call);
    fd_jw_key(&w, "outcome");
    fd_jw_json(&w, ctx->json);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (w.len > FD_CALLBACK_MAX + 128) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_TOO_LARGE, NULL, NULL);
    }

    args->data = (u_char *) w.data;
    args->len = w.len;

    return NGX_OK;
}


/* a call is asked for an organisation, which here no key tells */

static ngx_int_t
ngx_http_frontdesk_callback_org(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *org)
{
    ngx_str_t                  text;
    ngx_http_frontdesk_key_t  *key;

    text.data = (u_char *) org;
    text.len = 36;

    key = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_key_t));
    if (key == NULL) {
        return NGX_ERROR;
    }

    key->kind = FD_KEY_SECRET;
    key->org.len = text.len;
    key->org.data = ngx_pstrdup(r->pool, &text);

    if (key->org.data == NULL) {
        return NGX_ERROR;
    }

    ctx->key = key;

    return NGX_OK;
}
