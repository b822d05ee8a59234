
/*
 * POST /api/v1/chat/:id/cancel: a mark on the job, which counts, and a hint to
 * the workers, which makes it quick.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_job_ask.h"


static void ngx_http_frontdesk_cancel_answer(ngx_http_frontdesk_job_ask_t *ask,
    const char *state, struct fd_json_writer *w);


ngx_int_t
ngx_http_frontdesk_cancel_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_frontdesk_job_ask_t  *ask;

    rc = ngx_http_frontdesk_job_ask_create(r, ctx, &ask);

    if (rc != NGX_OK) {
        return rc;
    }

    ask->script = FD_SCRIPT_CANCEL;
    ask->handler = ngx_http_frontdesk_cancel_answer;

    return ngx_http_frontdesk_job_ask(ask);
}


/* a hint that is lost: the worker learns of the mark by its next heartbeat */

static void
ngx_http_frontdesk_cancel_answer(ngx_http_frontdesk_job_ask_t *ask,
    const char *state, struct fd_json_writer *w)
{
    if (ngx_strcmp(state, "cancelling") == 0) {
        ngx_http_frontdesk_job_hint(&ask->ctx->job, FD_CONTROL_CANCEL);
    }

    fd_jw_member(w, "state", state);
}
