
/*
 * A script is asked about fd:job of ctx->job, for its organisation and its
 * session; the word that it says becomes the answer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/keys.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_events.h"
#include "ngx_http_frontdesk_job_ask.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"


/* "confirm JOB", the longest */
#define NGX_HTTP_FRONTDESK_JOB_HINT                                          \
    (sizeof(FD_CONTROL_CONFIRM) + FD_JOB_ID_SIZE)


static void ngx_http_frontdesk_job_ask_reply(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_job_ask_answer(
    ngx_http_frontdesk_job_ask_t *ask, redisReply *reply);


ngx_int_t
ngx_http_frontdesk_job_ask_create(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_job_ask_t **created)
{
    ngx_int_t                      rc;
    ngx_http_frontdesk_job_ask_t  *ask;

    rc = ngx_http_frontdesk_job_check(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    ask = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_job_ask_t));

    if (ask == NULL || ngx_http_frontdesk_redis_guard(r, &ask->op) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ask->request = r;
    ask->ctx = ctx;

    *created = ask;

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_job_ask(ngx_http_frontdesk_job_ask_t *ask)
{
    ngx_str_t                  argv[3 + NGX_HTTP_FRONTDESK_JOB_ARGS];
    ngx_uint_t                 i;
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;
    char                       shard[5];

    r = ask->request;
    ctx = ask->ctx;

    fd_job_id_shard((char *) ctx->job.data, ctx->job.len, shard);

    if (ngx_http_frontdesk_redis_key(r->pool, &argv[0], FD_KEY_JOB, shard,
                                     ctx->job.data)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    argv[1] = ctx->key->org;
    argv[2] = ctx->session;

    for (i = 0; i < ask->nargs; i++) {
        argv[3 + i] = ask->args[i];
    }

    ask->op = ngx_http_frontdesk_redis_script(ask->script,
                                              ngx_http_frontdesk_job_ask_reply,
                                              ask, 1, 3 + ask->nargs, argv);

    if (ask->op == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


static void
ngx_http_frontdesk_job_ask_reply(void *data, redisReply *reply)
{
    ngx_int_t                      rc;
    ngx_http_frontdesk_job_ask_t  *ask = data;

    ask->op = NULL;

    rc = ngx_http_frontdesk_job_ask_answer(ask, reply);

    ngx_http_frontdesk_resume(ask->request, rc);
}


static ngx_int_t
ngx_http_frontdesk_job_ask_answer(ngx_http_frontdesk_job_ask_t *ask,
    redisReply *reply)
{
    ngx_str_t               body;
    ngx_http_request_t     *r;
    struct fd_json_writer   w;

    r = ask->request;

    if (reply && reply->type == REDIS_REPLY_NIL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL,
                                       ask->none);
    }

    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member(&w, "job_id", (char *) ask->ctx->job.data);
    ask->handler(ask, reply->str, &w);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(r, NGX_HTTP_OK, "application/json",
                                      &body);
}


void
ngx_http_frontdesk_job_hint(ngx_str_t *job, const char *control)
{
    ngx_str_t  argv[3];
    u_char     hint[NGX_HTTP_FRONTDESK_JOB_HINT];

    ngx_str_set(&argv[0], "PUBLISH");
    ngx_str_set(&argv[1], FD_CHANNEL_CONTROL);
    argv[2].data = hint;
    argv[2].len = ngx_snprintf(hint, sizeof(hint), "%s %V", control, job)
                  - hint;

    (void) ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE, NULL,
                                            NULL, 3, argv);
}
