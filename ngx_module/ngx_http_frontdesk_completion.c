
/*
 * POST /v1/chat/completions: from a body to an admission.  Each request is a
 * session of its own: there is nothing to be locked, remembered or resumed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/completion_check.h"
#include "protocol/completion_request.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"


static ngx_int_t ngx_http_frontdesk_completion_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_completion_fault(ngx_http_request_t *r,
    struct fd_completion_fault *fault);


ngx_int_t
ngx_http_frontdesk_completion_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_completion_body);
}


static ngx_int_t
ngx_http_frontdesk_completion_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_str_t                   idempotency;
    struct fd_completion_fault  fault;

    ctx->completion = ngx_palloc(ctx->scratch,
                                 sizeof(struct fd_completion_request));
    if (ctx->completion == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!fd_completion_request_read(ctx->json, ctx->completion, &fault)) {
        return ngx_http_frontdesk_completion_fault(r, &fault);
    }

    ctx->chat.stream = ctx->completion->stream;

    ngx_str_null(&idempotency);

    rc = ngx_http_frontdesk_idempotency_key(r, &idempotency);

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_session_make(r, ctx);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->repeatable = (idempotency.len != 0);

    rc = ngx_http_frontdesk_admit(r, ctx, &idempotency, 1);

    if (rc == NGX_DONE) {
        ngx_http_frontdesk_park(r);
    }

    return rc;
}


static ngx_int_t
ngx_http_frontdesk_completion_fault(ngx_http_request_t *r,
    struct fd_completion_fault *fault)
{
    struct fd_problem  problem;

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = FD_PROBLEM_FIELD;
    problem.field = fault->at.field;
    problem.detail = fault->at.detail;
    problem.openai_code = fault->code;

    return ngx_http_frontdesk_refuse(r, &problem);
}
