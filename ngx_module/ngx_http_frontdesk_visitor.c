
/*
 * What a visitor says beside the chat: POST messages/:id/feedback and
 * sessions/:id/rating, handoff, identify and typing.  Each body is checked
 * here, so that a wrong one costs no worker anything, and put to a worker as
 * a call.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/call.h"
#include "protocol/chat_request.h"
#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/problem.h"
#include "protocol/visitor_request.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"


typedef bool (*ngx_http_frontdesk_visitor_pt)(const struct fd_json *json,
    struct fd_field_fault *fault);


static ngx_int_t ngx_http_frontdesk_feedback_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_rating_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static bool ngx_http_frontdesk_rating_read(const struct fd_json *json,
    struct fd_field_fault *fault);
static ngx_int_t ngx_http_frontdesk_handoff_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static bool ngx_http_frontdesk_handoff_read(const struct fd_json *json,
    struct fd_field_fault *fault);
static ngx_int_t ngx_http_frontdesk_identify_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static bool ngx_http_frontdesk_identify_read(const struct fd_json *json,
    struct fd_field_fault *fault);
static ngx_int_t ngx_http_frontdesk_typing_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static bool ngx_http_frontdesk_typing_read(const struct fd_json *json,
    struct fd_field_fault *fault);
static ngx_int_t ngx_http_frontdesk_visitor_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_visitor_pt read,
    const char *op);
static ngx_int_t ngx_http_frontdesk_visitor_message(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_visitor_ask(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, const char *message);


ngx_int_t
ngx_http_frontdesk_feedback_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_feedback_body);
}


ngx_int_t
ngx_http_frontdesk_rating_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_rating_body);
}


ngx_int_t
ngx_http_frontdesk_handoff_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_handoff_body);
}


ngx_int_t
ngx_http_frontdesk_identify_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_identify_body);
}


ngx_int_t
ngx_http_frontdesk_typing_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_typing_body);
}


static ngx_int_t
ngx_http_frontdesk_feedback_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    u_char                      message[sizeof("00000000-0000-0000-0000-"
                                               "000000000000")];
    ngx_int_t                   rc;
    struct fd_field_fault       fault;
    struct fd_feedback_request  request;

    rc = ngx_http_frontdesk_visitor_message(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!fd_feedback_request_read(ctx->json, &request, &fault)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, fault.field,
                                       fault.detail);
    }

    (void) ngx_cpystrn(message, ctx->id.data, sizeof(message));

    return ngx_http_frontdesk_visitor_ask(r, ctx, FD_CALL_FEEDBACK,
                                          (char *) message);
}


static ngx_int_t
ngx_http_frontdesk_rating_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_visitor_session(r, ctx,
                                              ngx_http_frontdesk_rating_read,
                                              FD_CALL_RATING);
}


static bool
ngx_http_frontdesk_rating_read(const struct fd_json *json,
    struct fd_field_fault *fault)
{
    struct fd_rating_request  request;

    return fd_rating_request_read(json, &request, fault);
}


static ngx_int_t
ngx_http_frontdesk_handoff_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_visitor_session(r, ctx,
                                              ngx_http_frontdesk_handoff_read,
                                              FD_CALL_HANDOFF);
}


static bool
ngx_http_frontdesk_handoff_read(const struct fd_json *json,
    struct fd_field_fault *fault)
{
    struct fd_handoff_request  request;

    return fd_handoff_request_read(json, &request, fault);
}


static ngx_int_t
ngx_http_frontdesk_identify_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_visitor_session(r, ctx,
                                              ngx_http_frontdesk_identify_read,
                                              FD_CALL_IDENTIFY);
}


static bool
ngx_http_frontdesk_identify_read(const struct fd_json *json,
    struct fd_field_fault *fault)
{
    struct fd_identify_request  request;

    return fd_identify_request_read(json, &request, fault);
}


static ngx_int_t
ngx_http_frontdesk_typing_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_visitor_session(r, ctx,
                                              ngx_http_frontdesk_typing_read,
                                              FD_CALL_TYPING);
}


static bool
ngx_http_frontdesk_typing_read(const struct fd_json *json,
    struct fd_field_fault *fault)
{
    const char  *field;

    if (json->type == FD_JSON_OBJECT && json->child == NULL) {
        return true;
    }

    field = json->child && json->child->key ? json->child->key : "";

    (void) ngx_cpystrn((u_char *) fault->field, (u_char *) field,
                       sizeof(fault->field));
    (void) ngx_cpystrn((u_char *) fault->detail,
                       (u_char *) "an empty object is wanted",
                       sizeof(fault->detail));

    return false;
}


/* what is said about the whole of a session */

static ngx_int_t
ngx_http_frontdesk_visitor_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_visitor_pt read,
    const char *op)
{
    ngx_int_t              rc;
    struct fd_field_fault  fault;

    rc = ngx_http_frontdesk_session_check(r, ctx, &ctx->id, NULL);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!read(ctx->json, &fault)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, fault.field,
                                       fault.detail);
    }

    return ngx_http_frontdesk_visitor_ask(r, ctx, op, NULL);
}


/* of a visitor's key, the session is the proof that the answer is his */

static ngx_int_t
ngx_http_frontdesk_visitor_message(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t  *session;

    session = ngx_http_frontdesk_request_header(r, "X-Frontdesk-Session");

    if (session == NULL && ctx->key->kind != FD_KEY_SECRET) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST,
                                       "X-Frontdesk-Session",
                                       "the id of the message's session is "
                                       "wanted");
    }

    if (!fd_uuid_valid((char *) ctx->id.data, ctx->id.len)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    }

    return session ? ngx_http_frontdesk_session_check(r, ctx, session, NULL)
                   : NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_visitor_ask(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, const char *message)
{
    ngx_str_t              args;
    struct fd_json_writer  w;

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);

    if (message) {
        fd_jw_member(&w, "message_id", message);
    }

    fd_jw_key(&w, "body");
    fd_jw_json(&w, ctx->json);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    args.data = (u_char *) w.data;
    args.len = w.len;

    return ngx_http_frontdesk_call(r, ctx, op, &args);
}
