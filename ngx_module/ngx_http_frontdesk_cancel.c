
/*
 * POST /api/v1/chat/:id/cancel: a mark on the job, which counts, and a hint to
 * the workers, which makes it quick.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk.h"

#include "protocol/keys.h"


static void ngx_http_frontdesk_cancel_answer(ngx_http_frontdesk_job_ask_t *ask,
    const char *state, struct fd_json_writer *w);


ngx_int_t
ngx_http_frontdesk_cancel_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_frontdesk_job_ask_t  *ask;

    rc = ngx_http_frontdesk_job_check(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    ask = ngx_http_frontdesk_job_ask_create(r, ctx);
    if (ask == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
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


void
ngx_http_frontdesk_cancel_job(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t  argv[3];
    char       shard[5];
    u_char     key[sizeof(FD_KEY_JOB) + FD_JOB_ID_SIZE + sizeof(shard)];

    /* the key is being read anew: nothing was admitted with it */

    if (ctx->key == NULL) {
        return;
    }

    fd_job_id_shard((char *) ctx->job.data, ctx->job.len, shard);

    argv[0].data = key;
    argv[0].len = ngx_sprintf(key, FD_KEY_JOB, shard, ctx->job.data) - key;
    argv[1] = ctx->key->org;
    argv[2] = ctx->session;

    (void) ngx_http_frontdesk_redis_script(FD_SCRIPT_CANCEL, NULL, NULL, 1, 3,
                                           argv);
    ngx_http_frontdesk_job_hint(&ctx->job, FD_CONTROL_CANCEL);
}
