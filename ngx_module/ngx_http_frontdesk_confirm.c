
/*
 * POST /api/v1/chat/:id/confirm: a visitor's word on a call of a tool.  What
 * stands in the job's hash counts; a hint to the workers makes it quick.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/chat_request.h"
#include "protocol/confirm_request.h"
#include "protocol/json.h"
#include "protocol/keys.h"
#include "protocol/problem.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_job_ask.h"
#include "ngx_http_frontdesk_respond.h"


static ngx_int_t ngx_http_frontdesk_confirm_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_confirm_answer(
    ngx_http_frontdesk_job_ask_t *ask, const char *decision,
    struct fd_json_writer *w);


ngx_int_t
ngx_http_frontdesk_confirm_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    return ngx_http_frontdesk_body_read(r, ctx,
                                        ngx_http_frontdesk_confirm_body);
}


static ngx_int_t
ngx_http_frontdesk_confirm_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                      rc;
    struct fd_field_fault          fault;
    struct fd_confirm_request      request;
    ngx_http_frontdesk_job_ask_t  *ask;

    if (!fd_confirm_request_read(ctx->json, &request, &fault)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, fault.field,
                                       fault.detail);
    }

    rc = ngx_http_frontdesk_job_ask_create(r, ctx, &ask);

    if (rc != NGX_OK) {
        return rc;
    }

    ask->script = FD_SCRIPT_CONFIRM;
    ask->nargs = 2;
    ask->args[0].data = (u_char *) request.call_id.s;
    ask->args[0].len = request.call_id.len;
    ask->args[1].data = (u_char *) request.decision;
    ask->args[1].len = ngx_strlen(request.decision);
    ask->none = "nothing waits for this word, or not any more";
    ask->handler = ngx_http_frontdesk_confirm_answer;

    return ngx_http_frontdesk_job_ask(ask);
}


/* a hint that is lost: a worker that waits looks by itself */

static void
ngx_http_frontdesk_confirm_answer(ngx_http_frontdesk_job_ask_t *ask,
    const char *decision, struct fd_json_writer *w)
{
    ngx_http_frontdesk_job_hint(&ask->ctx->job, FD_CONTROL_CONFIRM);

    fd_jw_key(w, "call_id");
    fd_jw_string(w, (char *) ask->args[0].data, ask->args[0].len);
    fd_jw_member(w, "decision", decision);
}
