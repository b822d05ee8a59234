
/*
 * POST /api/v1/chat/:id/cancel: a mark on the job, which counts, and a hint to
 * the workers, which makes it quick.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "ngx_http_frontdesk.h"

#include "protocol/keys.h"


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_frontdesk_ctx_t    *ctx;
    ngx_http_frontdesk_op_t     *op;
} ngx_http_frontdesk_cancel_t;


static void ngx_http_frontdesk_cancel_reply(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_cancel_answer(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, redisReply *reply);
static void ngx_http_frontdesk_cancel_hint(ngx_str_t *job);
static void ngx_http_frontdesk_cancel_cleanup(void *data);
static ngx_int_t ngx_http_frontdesk_cancel_problem(ngx_http_request_t *r,
    enum fd_problem_type type);


ngx_int_t
ngx_http_frontdesk_cancel_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_str_t                     argv[3];
    ngx_http_cleanup_t           *cln;
    ngx_http_frontdesk_cancel_t  *cancel;
    char                          shard[5];

    rc = ngx_http_frontdesk_job_check(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    fd_job_id_shard((char *) ctx->job.data, ctx->job.len, shard);

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_frontdesk_cancel_t));

    if (cln == NULL
        || ngx_http_frontdesk_redis_key(r->pool, &argv[0], FD_KEY_JOB, shard,
                                        ctx->job.data)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    argv[1] = ctx->key->org;
    argv[2] = ctx->session;

    cancel = cln->data;
    cancel->request = r;
    cancel->ctx = ctx;

    cancel->op = ngx_http_frontdesk_redis_script(FD_SCRIPT_CANCEL,
                                              ngx_http_frontdesk_cancel_reply,
                                              cancel, 1, 3, argv);
    cln->handler = ngx_http_frontdesk_cancel_cleanup;

    if (cancel->op == NULL) {
        return ngx_http_frontdesk_cancel_problem(r, FD_PROBLEM_UNAVAILABLE);
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


static void
ngx_http_frontdesk_cancel_reply(void *data, redisReply *reply)
{
    ngx_int_t                     rc;
    ngx_http_frontdesk_cancel_t  *cancel = data;

    cancel->op = NULL;

    rc = ngx_http_frontdesk_cancel_answer(cancel->request, cancel->ctx, reply);

    ngx_http_frontdesk_resume(cancel->request, rc);
}


static ngx_int_t
ngx_http_frontdesk_cancel_answer(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, redisReply *reply)
{
    ngx_str_t               body;
    struct fd_json_writer   w;

    if (reply && reply->type == REDIS_REPLY_NIL) {
        return ngx_http_frontdesk_cancel_problem(r, FD_PROBLEM_NOT_FOUND);
    }

    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        return ngx_http_frontdesk_cancel_problem(r, FD_PROBLEM_UNAVAILABLE);
    }

    if (ngx_strcmp(reply->str, "cancelling") == 0) {
        ngx_http_frontdesk_cancel_hint(&ctx->job);
    }

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member(&w, "job_id", (char *) ctx->job.data);
    fd_jw_member(&w, "state", reply->str);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(r, NGX_HTTP_OK, "application/json",
                                      &body);
}


/* its loss is no loss: the worker learns of the mark by its next heartbeat */

static void
ngx_http_frontdesk_cancel_hint(ngx_str_t *job)
{
    ngx_str_t  argv[3];
    u_char     hint[sizeof(FD_CONTROL_CANCEL) + FD_JOB_ID_SIZE];

    ngx_str_set(&argv[0], "PUBLISH");
    ngx_str_set(&argv[1], FD_CHANNEL_CONTROL);
    argv[2].data = hint;
    argv[2].len = ngx_snprintf(hint, sizeof(hint), FD_CONTROL_CANCEL " %V",
                               job)
                  - hint;

    (void) ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE, NULL,
                                            NULL, 3, argv);
}


static void
ngx_http_frontdesk_cancel_cleanup(void *data)
{
    ngx_http_frontdesk_cancel_t *cancel = data;

    if (cancel->op) {
        ngx_http_frontdesk_redis_cancel(cancel->op);
        cancel->op = NULL;
    }
}


static ngx_int_t
ngx_http_frontdesk_cancel_problem(ngx_http_request_t *r,
    enum fd_problem_type type)
{
    struct fd_problem  problem;

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = type;

    if (type == FD_PROBLEM_UNAVAILABLE) {
        problem.retry_after = 2;
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE);
    }

    return ngx_http_frontdesk_refuse(r, &problem);
}
