
/*
 * GET /v1/models and /v1/models/<id>: a worker knows what an organisation may
 * use and who serves it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/call.h"
#include "protocol/json.h"
#include "protocol/limits.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_respond.h"


ngx_int_t
ngx_http_frontdesk_models_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t               rc;
    ngx_str_t               args;
    struct fd_problem       problem;
    struct fd_json_writer   w;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->id.len > FD_MODEL_ID_MAX) {
        ngx_memzero(&problem, sizeof(struct fd_problem));
        problem.type = FD_PROBLEM_MODEL;
        problem.field = "model";

        return ngx_http_frontdesk_problem(r, &problem);
    }

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);

    if (ctx->id.len) {
        fd_jw_key(&w, "model");
        fd_jw_string(&w, (char *) ctx->id.data, ctx->id.len);
    }

    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    args.data = (u_char *) w.data;
    args.len = w.len;

    return ngx_http_frontdesk_call(r, ctx, FD_CALL_MODELS, &args);
}
