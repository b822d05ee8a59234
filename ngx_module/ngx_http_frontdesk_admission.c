
/*
 * Admission: limits, idempotency, the session's lock and the enqueue, by one
 * call of admit.lua.
 *
 * The call is kept until the first event of its job, and sent again, as it was,
 * where its reply was lost and whenever the jobs server comes back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/limits.h"
#include "protocol/problem.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_admission_state.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_job_ask.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_stream.h"


/* a client waits so long for a server that is coming back */
#define NGX_HTTP_FRONTDESK_ADMIT_WAIT   5000
#define NGX_HTTP_FRONTDESK_ADMIT_AGAIN  100


static ngx_http_frontdesk_admission_t *ngx_http_frontdesk_admission_create(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_admission_cleanup(void *data);

static ngx_int_t ngx_http_frontdesk_admission_send(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_reply(void *data, redisReply *reply);
static void ngx_http_frontdesk_admission_wait(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_handler(ngx_event_t *ev);


/* without their job's first event yet; one a process */
static ngx_queue_t  ngx_http_frontdesk_admissions = {
    &ngx_http_frontdesk_admissions, &ngx_http_frontdesk_admissions
};


ngx_int_t
ngx_http_frontdesk_admit(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_str_t *idempotency_key, ngx_uint_t starts)
{
    char                            *id;
    ngx_http_frontdesk_admission_t  *ad;

    if (!ngx_http_frontdesk_redis_up(NGX_HTTP_FRONTDESK_JOBS)
        || !ngx_http_frontdesk_redis_up(NGX_HTTP_FRONTDESK_LIVE))
    {
        return ngx_http_frontdesk_admission_problem(r, FD_PROBLEM_UNAVAILABLE,
                                                    NULL, 2000);
    }

    id = ngx_pnalloc(r->pool, FD_JOB_ID_SIZE);
    if (id == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    fd_job_id_make(id, ngx_http_frontdesk_shard(&ctx->key->org));

    ctx->job.data = (u_char *) id;
    ctx->job.len = ngx_strlen(id);

    ad = ngx_http_frontdesk_admission_create(r, ctx);

    if (ad == NULL
        || ngx_http_frontdesk_admission_call(ad, idempotency_key, starts)
           != NGX_OK
        || (!ctx->async
            && ngx_http_frontdesk_stream_prepare(r, ctx) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_frontdesk_admission_send(ad) != NGX_OK) {
        ngx_http_frontdesk_admission_release(ad);
        ngx_http_frontdesk_stream_discard(ctx);

        return ngx_http_frontdesk_admission_problem(r, FD_PROBLEM_UNAVAILABLE,
                                                    NULL, 2000);
    }

    return NGX_DONE;
}


ngx_int_t
ngx_http_frontdesk_idempotency_key(ngx_http_request_t *r, ngx_str_t *key)
{
    ngx_str_t   *header;
    ngx_uint_t   i;

    header = ngx_http_frontdesk_request_header(r, "Idempotency-Key");

    if (header == NULL) {
        return NGX_OK;
    }

    for (i = 0; i < header->len; i++) {
        if (header->data[i] < 0x21 || header->data[i] > 0x7e) {
            break;
        }
    }

    if (header->len == 0 || header->len > FD_IDEMPOTENCY_MAX
        || i < header->len)
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST,
                                       "Idempotency-Key",
                                       "1 to 255 visible ASCII characters are "
                                       "wanted");
    }

    *key = *header;

    return NGX_OK;
}


void
ngx_http_frontdesk_admission_settle(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_admission_t  *ad;

    ad = ctx->admission;

    /* an event may overtake the reply, which is still wanted then */

    if (ad && !ad->opened) {
        return;
    }

    if (ad) {
        ngx_http_frontdesk_admission_release(ad);
    }

    ngx_http_frontdesk_scratch_free(ctx);
}


void
ngx_http_frontdesk_admission_repeat(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_admission_t  *ad;

    ad = ctx->admission;

    if (ad && ad->op == NULL) {
        (void) ngx_http_frontdesk_admission_send(ad);
    }
}


/* who waits for a reply has a timer of its own */

void
ngx_http_frontdesk_admission_resync(void)
{
    ngx_queue_t                     *q;
    ngx_http_frontdesk_admission_t  *ad;

    for (q = ngx_queue_head(&ngx_http_frontdesk_admissions);
         q != ngx_queue_sentinel(&ngx_http_frontdesk_admissions);
         q = ngx_queue_next(q))
    {
        ad = ngx_queue_data(q, ngx_http_frontdesk_admission_t, queue);

        if (ad->opened && ad->op == NULL) {
            (void) ngx_http_frontdesk_admission_send(ad);
        }
    }
}


static ngx_http_frontdesk_admission_t *
ngx_http_frontdesk_admission_create(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_cleanup_t              *cln;
    ngx_http_frontdesk_admission_t  *ad;

    if (ngx_http_frontdesk_scratch(r, ctx) != NGX_OK) {
        return NULL;
    }

    ad = ngx_pcalloc(ctx->scratch, sizeof(ngx_http_frontdesk_admission_t));
    if (ad == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    ad->pool = ctx->scratch;
    ad->request = r;
    ad->ctx = ctx;
    ad->sent = ngx_current_msec;

    /* the client waits: it holds an exiting process */
    ad->again.handler = ngx_http_frontdesk_admission_handler;
    ad->again.data = ad;
    ad->again.log = ngx_cycle->log;

    ngx_queue_insert_tail(&ngx_http_frontdesk_admissions, &ad->queue);

    ctx->admission = ad;
    cln->handler = ngx_http_frontdesk_admission_cleanup;
    cln->data = ctx;

    return ad;
}


void
ngx_http_frontdesk_admission_release(ngx_http_frontdesk_admission_t *ad)
{
    if (ad->op) {
        ngx_http_frontdesk_redis_cancel(ad->op);
    }

    if (ad->again.timer_set) {
        ngx_del_timer(&ad->again);
    }

    ngx_queue_remove(&ad->queue);
    ad->ctx->admission = NULL;
}


static void
ngx_http_frontdesk_admission_cleanup(void *data)
{
    ngx_http_frontdesk_ctx_t *ctx = data;

    if (ctx->admission) {
        ngx_http_frontdesk_admission_release(ctx->admission);
    }
}


static ngx_int_t
ngx_http_frontdesk_admission_send(ngx_http_frontdesk_admission_t *ad)
{
    ad->op = ngx_http_frontdesk_redis_script(FD_SCRIPT_ADMIT,
                                           ngx_http_frontdesk_admission_reply,
                                           ad, ad->nkeys, ad->argc, ad->argv);

    return ad->op ? NGX_OK : NGX_DECLINED;
}


static void
ngx_http_frontdesk_admission_reply(void *data, redisReply *reply)
{
    ngx_int_t                        rc;
    ngx_http_frontdesk_admission_t  *ad = data;

    ad->op = NULL;

    if (reply == NULL) {
        ngx_http_frontdesk_admission_wait(ad);
        return;
    }

    if (ad->opened) {
        ngx_http_frontdesk_admission_repeated(ad, reply);
        return;
    }

    rc = ngx_http_frontdesk_admission_answer(ad, reply);

    if (rc != NGX_DONE) {
        ngx_http_frontdesk_admission_finish(ad, rc);
    }
}


/* lost on the way, there or back: the script answers again as it did */

static void
ngx_http_frontdesk_admission_wait(ngx_http_frontdesk_admission_t *ad)
{
    ngx_int_t  rc;

    if (ad->opened) {
        return;
    }

    if (ngx_current_msec - ad->sent < NGX_HTTP_FRONTDESK_ADMIT_WAIT) {
        ngx_add_timer(&ad->again, NGX_HTTP_FRONTDESK_ADMIT_AGAIN);
        return;
    }

    /* it may be admitted yet, and without its key nobody can come for it */

    if (ad->ctx->openai && !ad->ctx->repeatable) {
        ngx_http_frontdesk_cancel_job(ad->ctx);
    }

    rc = ngx_http_frontdesk_admission_problem(ad->request,
                                              FD_PROBLEM_UNAVAILABLE, NULL,
                                              2000);
    ngx_http_frontdesk_admission_finish(ad, rc);
}


static void
ngx_http_frontdesk_admission_handler(ngx_event_t *ev)
{
    ngx_http_frontdesk_admission_again(ev->data);
}


void
ngx_http_frontdesk_admission_again(ngx_http_frontdesk_admission_t *ad)
{
    if (ngx_http_frontdesk_admission_send(ad) != NGX_OK) {
        ngx_http_frontdesk_admission_wait(ad);
    }
}


void
ngx_http_frontdesk_admission_finish(ngx_http_frontdesk_admission_t *ad,
    ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = ad->request;

    ngx_http_frontdesk_stream_discard(ad->ctx);
    ngx_http_frontdesk_admission_release(ad);

    ngx_http_frontdesk_resume(r, rc);
}
