
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

#include "ngx_http_frontdesk.h"
#include "ngx_http_frontdesk_admission.h"


/* a client waits so long for a server that is coming back */
#define NGX_HTTP_FRONTDESK_ADMIT_WAIT   5000
#define NGX_HTTP_FRONTDESK_ADMIT_AGAIN  100


static ngx_http_frontdesk_admission_t *ngx_http_frontdesk_admission_create(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_admission_release(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_cleanup(void *data);

static ngx_int_t ngx_http_frontdesk_admission_send(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_reply(void *data, redisReply *reply);
static void ngx_http_frontdesk_admission_wait(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_again(ngx_event_t *ev);
static void ngx_http_frontdesk_admission_finish(
    ngx_http_frontdesk_admission_t *ad, ngx_int_t rc);

static ngx_int_t ngx_http_frontdesk_admission_answer(
    ngx_http_frontdesk_admission_t *ad, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_admission_admitted(
    ngx_http_frontdesk_admission_t *ad, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_admission_duplicate(
    ngx_http_frontdesk_admission_t *ad, redisReply *job);
static ngx_int_t ngx_http_frontdesk_admission_stale(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_fresh(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);
static void ngx_http_frontdesk_admission_repeated(
    ngx_http_frontdesk_admission_t *ad, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_admission_error(
    ngx_http_frontdesk_admission_t *ad, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_admission_problem(ngx_http_request_t *r,
    enum fd_problem_type type, const char *job, ngx_int_t retry_after_ms);
static ngx_uint_t ngx_http_frontdesk_admission_is(redisReply *reply,
    const char *word, ngx_uint_t elements);


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
        || ngx_http_frontdesk_stream_prepare(r, ctx) != NGX_OK)
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
    ad->again.handler = ngx_http_frontdesk_admission_again;
    ad->again.data = ad;
    ad->again.log = ngx_cycle->log;

    ngx_queue_insert_tail(&ngx_http_frontdesk_admissions, &ad->queue);

    ctx->admission = ad;
    cln->handler = ngx_http_frontdesk_admission_cleanup;
    cln->data = ctx;

    return ad;
}


static void
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

    rc = ngx_http_frontdesk_admission_problem(ad->request,
                                              FD_PROBLEM_UNAVAILABLE, NULL,
                                              2000);
    ngx_http_frontdesk_admission_finish(ad, rc);
}


static void
ngx_http_frontdesk_admission_again(ngx_event_t *ev)
{
    ngx_http_frontdesk_admission_t  *ad;

    ad = ev->data;

    if (ngx_http_frontdesk_admission_send(ad) != NGX_OK) {
        ngx_http_frontdesk_admission_wait(ad);
    }
}


static void
ngx_http_frontdesk_admission_finish(ngx_http_frontdesk_admission_t *ad,
    ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = ad->request;

    ngx_http_frontdesk_stream_discard(ad->ctx);
    ngx_http_frontdesk_admission_release(ad);

    ngx_http_frontdesk_resume(r, rc);
}


/* NGX_DONE: the request goes on, or what to finalize it with */

static ngx_int_t
ngx_http_frontdesk_admission_answer(ngx_http_frontdesk_admission_t *ad,
    redisReply *reply)
{
    ngx_str_t    which;
    redisReply **e;

    e = reply->element;

    if (ngx_http_frontdesk_admission_is(reply, "admitted", 4)) {
        return ngx_http_frontdesk_admission_admitted(ad, reply);
    }

    if (ngx_http_frontdesk_admission_is(reply, "duplicate", 2)) {
        return ngx_http_frontdesk_admission_duplicate(ad, e[1]);
    }

    if (ngx_http_frontdesk_admission_is(reply, "mismatch", 2)) {
        return ngx_http_frontdesk_admission_problem(ad->request,
                                              FD_PROBLEM_IDEMPOTENCY_MISMATCH,
                                              e[1]->str, 0);
    }

    if (ngx_http_frontdesk_admission_is(reply, "busy", 2)) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_BUSY);
        return ngx_http_frontdesk_admission_problem(ad->request,
                                                    FD_PROBLEM_BUSY,
                                                    e[1]->str, 2000);
    }

    if (ngx_http_frontdesk_admission_is(reply, "limited", 4)
        && e[1]->type == REDIS_REPLY_STRING)
    {
        which.data = (u_char *) e[1]->str;
        which.len = e[1]->len;

        return ngx_http_frontdesk_limited(ad->request, ad->ctx, &which,
                                          e[2]->integer, e[3]->integer);
    }

    if (ngx_http_frontdesk_admission_is(reply, "full", 2)) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_FULL);
        return ngx_http_frontdesk_admission_problem(ad->request,
                                                    FD_PROBLEM_OVERLOADED,
                                                    NULL, e[1]->integer);
    }

    if (ngx_http_frontdesk_admission_is(reply, "stale", 1)) {
        return ngx_http_frontdesk_admission_stale(ad);
    }

    return ngx_http_frontdesk_admission_error(ad, reply);
}


static ngx_int_t
ngx_http_frontdesk_admission_admitted(ngx_http_frontdesk_admission_t *ad,
    redisReply *reply)
{
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ad->ctx;

    ctx->limit = NGX_HTTP_FRONTDESK_LIMIT_PASS;
    ctx->redis_ms = ngx_current_msec - ad->sent;

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_ADMITTED);
    ngx_http_frontdesk_observe(NGX_HTTP_FRONTDESK_TIME_ADMISSION,
                               ctx->redis_ms);

    if (ngx_http_frontdesk_rate_headers(ad->request,
                                        reply->element[2]->integer,
                                        reply->element[1]->integer,
                                        reply->element[3]->integer)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ad->opened = 1;
    ngx_http_frontdesk_stream_open(ctx);

    if (ctx->events) {
        ngx_http_frontdesk_admission_settle(ctx);
    }

    return NGX_DONE;
}


/* this message was sent before: its answer, whether it runs or is over */

static ngx_int_t
ngx_http_frontdesk_admission_duplicate(ngx_http_frontdesk_admission_t *ad,
    redisReply *job)
{
    ngx_str_t                  id;
    ngx_http_request_t        *r;
    struct fd_event_id         none;
    ngx_http_frontdesk_ctx_t  *ctx;

    if (job->type != REDIS_REPLY_STRING
        || !fd_job_id_valid(job->str, job->len))
    {
        return ngx_http_frontdesk_admission_error(ad, job);
    }

    r = ad->request;
    ctx = ad->ctx;

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_DUPLICATE);

    id.len = job->len;
    id.data = ngx_pnalloc(r->pool, job->len + 1);

    if (id.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(id.data, (u_char *) job->str, job->len + 1);
    ctx->job = id;

    ngx_http_frontdesk_admission_release(ad);

    ngx_memzero(&none, sizeof(struct fd_event_id));
    ngx_http_frontdesk_attach(r, ctx, none, 1);

    return NGX_DONE;
}


/*
 * The key was read before its organisation changed: once more with what Redis
 * has now.  Still stale then, the two servers are not of one mind yet.
 */

static ngx_int_t
ngx_http_frontdesk_admission_stale(ngx_http_frontdesk_admission_t *ad)
{
    ngx_int_t  rc;
    ngx_str_t  token;

    if (ad->stale) {
        return ngx_http_frontdesk_admission_problem(ad->request,
                                                    FD_PROBLEM_UNAVAILABLE,
                                                    NULL, 1000);
    }

    ad->stale = 1;
    token = ad->ctx->token;

    rc = ngx_http_frontdesk_key_resolve(ad->request, ad->ctx, &token, 1,
                                        ngx_http_frontdesk_admission_fresh);

    if (rc == NGX_DECLINED) {
        return ad->ctx->refused;
    }

    if (rc == NGX_OK) {
        ngx_http_frontdesk_admission_fresh(ad->request, ad->ctx, NGX_OK);
    }

    return NGX_DONE;
}


static void
ngx_http_frontdesk_admission_fresh(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_frontdesk_admission_t  *ad;

    ad = ctx->admission;

    if (rc != NGX_OK) {
        ngx_http_frontdesk_admission_finish(ad, ctx->refused);
        return;
    }

    if (ngx_http_frontdesk_admission_generation(ad) != NGX_OK) {
        ngx_http_frontdesk_admission_finish(ad,
                                            NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_http_frontdesk_admission_send(ad) != NGX_OK) {
        ngx_http_frontdesk_admission_wait(ad);
    }
}


/* the stream is open already: a refusal can only be told in it */

static void
ngx_http_frontdesk_admission_repeated(ngx_http_frontdesk_admission_t *ad,
    redisReply *reply)
{
    enum fd_problem_type  type;

    if (ngx_http_frontdesk_admission_is(reply, "admitted", 4)
        || ngx_http_frontdesk_admission_is(reply, "duplicate", 2))
    {
        return;
    }

    type = ngx_http_frontdesk_admission_is(reply, "busy", 2)
           ? FD_PROBLEM_BUSY
           : ngx_http_frontdesk_admission_is(reply, "limited", 4)
             ? FD_PROBLEM_RATE
             : FD_PROBLEM_UNAVAILABLE;

    ngx_http_frontdesk_stream_fail(ad->ctx, type);
}


static ngx_int_t
ngx_http_frontdesk_admission_error(ngx_http_frontdesk_admission_t *ad,
    redisReply *reply)
{
    ngx_log_error(NGX_LOG_ERR, ad->request->connection->log, 0,
                  "frontdesk: admission failed: %s",
                  reply->type == REDIS_REPLY_ERROR ? reply->str
                                                   : "unknown answer");

    if (reply->type == REDIS_REPLY_ERROR
        && ngx_strncmp(reply->str, "OOM ", 4) == 0)
    {
        return ngx_http_frontdesk_admission_problem(ad->request,
                                                    FD_PROBLEM_OVERLOADED,
                                                    NULL, 5000);
    }

    return ngx_http_frontdesk_admission_problem(ad->request,
                                                FD_PROBLEM_UNAVAILABLE, NULL,
                                                2000);
}


static ngx_int_t
ngx_http_frontdesk_admission_problem(ngx_http_request_t *r,
    enum fd_problem_type type, const char *job, ngx_int_t retry_after_ms)
{
    struct fd_problem  problem;

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = type;
    problem.job_id = job;
    problem.retry_after = (retry_after_ms + 999) / 1000;

    if (type == FD_PROBLEM_UNAVAILABLE) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE);
    }

    return ngx_http_frontdesk_refuse(r, &problem);
}


static ngx_uint_t
ngx_http_frontdesk_admission_is(redisReply *reply, const char *word,
    ngx_uint_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY
           && reply->elements == elements
           && reply->element[0]->type == REDIS_REPLY_STRING
           && ngx_strcmp(reply->element[0]->str, word) == 0;
}
