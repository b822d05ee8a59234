
/*
 * POST /api/v1/chat: from a body to an admission.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/chat_request.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_accept.h"
#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"


static ngx_int_t ngx_http_frontdesk_chat_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_uint_t ngx_http_frontdesk_chat_header_has(ngx_http_request_t *r,
    const char *name, ngx_str_t *word);
static ngx_int_t ngx_http_frontdesk_chat_key(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_chat_known(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_frontdesk_chat_admit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_chat_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_chat_idempotency(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *key);


ngx_int_t
ngx_http_frontdesk_chat_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx, ngx_http_frontdesk_chat_body);
}


static ngx_int_t
ngx_http_frontdesk_chat_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t              rc;
    struct fd_field_fault  fault;

    static ngx_str_t  stream = ngx_string("text/event-stream");
    static ngx_str_t  async = ngx_string("respond-async");

    if (!fd_chat_request_read(ctx->json, &ctx->chat, &fault)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, fault.field,
                                       fault.detail);
    }

    if (!ctx->chat.has_stream) {
        ctx->chat.stream = ngx_http_frontdesk_chat_header_has(r, "Accept",
                                                              &stream);
    }

    ctx->async = ngx_http_frontdesk_chat_header_has(r, "Prefer", &async);

    rc = ctx->key ? ngx_http_frontdesk_chat_admit(r, ctx)
                  : ngx_http_frontdesk_chat_key(r, ctx);

    if (rc == NGX_DONE) {
        ngx_http_frontdesk_park(r);
    }

    return rc;
}


/* a list that has the word, and does not refuse it */

static ngx_uint_t
ngx_http_frontdesk_chat_header_has(ngx_http_request_t *r, const char *name,
    ngx_str_t *word)
{
    ngx_str_t  *value;

    value = ngx_http_frontdesk_request_header(r, name);

    return value && ngx_http_frontdesk_accept_weight(value, word) > 0;
}


/* NGX_DONE: Redis is asked, for the key or already for admission */

static ngx_int_t
ngx_http_frontdesk_chat_key(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  token;

    if (ctx->chat.client_api_key.s == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_KEY_MISSING, NULL, NULL);
    }

    token.data = (u_char *) ctx->chat.client_api_key.s;
    token.len = ctx->chat.client_api_key.len;

    rc = ngx_http_frontdesk_key_resolve(r, ctx, &token, 0,
                                        ngx_http_frontdesk_chat_known);

    if (rc == NGX_OK) {
        return ngx_http_frontdesk_chat_admit(r, ctx);
    }

    return (rc == NGX_AGAIN) ? NGX_DONE : ctx->refused;
}


static void
ngx_http_frontdesk_chat_known(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc)
{
    rc = (rc == NGX_OK) ? ngx_http_frontdesk_chat_admit(r, ctx) : ctx->refused;

    if (rc != NGX_DONE) {
        ngx_http_frontdesk_resume(r, rc);
    }
}


static ngx_int_t
ngx_http_frontdesk_chat_admit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  idempotency;

    rc = ngx_http_frontdesk_chat_idempotency(r, ctx, &idempotency);

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_chat_session(r, ctx);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_frontdesk_admit(r, ctx, &idempotency,
                                    ctx->chat.session_id.s == NULL);
}


static ngx_int_t
ngx_http_frontdesk_chat_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t  session;

    if (ctx->chat.session_id.s) {

        /* it outlives the body */

        session.len = ctx->chat.session_id.len;
        session.data = ngx_pnalloc(r->pool, session.len + 1);

        if (session.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        (void) ngx_cpystrn(session.data, (u_char *) ctx->chat.session_id.s,
                           session.len + 1);

        return ngx_http_frontdesk_session_check(r, ctx, &session,
                                                "session_id");
    }

    return ngx_http_frontdesk_session_make(r, ctx);
}


/* the header, or the name that the client gave its message; perhaps neither */

static ngx_int_t
ngx_http_frontdesk_chat_idempotency(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *key)
{
    key->data = (u_char *) ctx->chat.client_message_id.s;
    key->len = ctx->chat.client_message_id.len;

    return ngx_http_frontdesk_idempotency_key(r, key);
}
