
/*
 * What admit.lua answered, as an open stream, the stream of another job or a
 * problem.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_admission_state.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_events.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_limit.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_stream.h"


#define NGX_HTTP_FRONTDESK_ADMIT_BUSY  100


static ngx_int_t ngx_http_frontdesk_admission_admitted(
    ngx_http_frontdesk_admission_t *ad, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_admission_accepted(
    ngx_http_frontdesk_admission_t *ad);
static ngx_int_t ngx_http_frontdesk_admission_duplicate(
    ngx_http_frontdesk_admission_t *ad, redisReply *job);
static ngx_int_t ngx_http_frontdesk_admission_stale(
    ngx_http_frontdesk_admission_t *ad);
static void ngx_http_frontdesk_admission_fresh(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_frontdesk_admission_error(
    ngx_http_frontdesk_admission_t *ad, redisReply *reply);
static ngx_uint_t ngx_http_frontdesk_admission_is(redisReply *reply,
    const char *word, ngx_uint_t elements);


ngx_int_t
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

        /*
         * An answer's last event is seen a moment before its session is free:
         * who asks the next question at once is not refused for that.
         */

        if (!ad->patient) {
            ad->patient = 1;
            ngx_add_timer(&ad->again, NGX_HTTP_FRONTDESK_ADMIT_BUSY);
            return NGX_DONE;
        }

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

    if (ngx_http_frontdesk_admission_is(reply, "away", 2)) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE);
        return ngx_http_frontdesk_admission_problem(ad->request,
                                                    FD_PROBLEM_UNAVAILABLE,
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

    if (ctx->async) {
        return ngx_http_frontdesk_admission_accepted(ad);
    }

    ad->opened = 1;
    ngx_http_frontdesk_stream_open(ctx);

    if (ctx->events) {
        ngx_http_frontdesk_admission_settle(ctx);
    }

    return NGX_DONE;
}


/* RFC 7240, 4.1: where the answer is, for a client that will not wait */

static ngx_int_t
ngx_http_frontdesk_admission_accepted(ngx_http_frontdesk_admission_t *ad)
{
    ngx_str_t                  location, applied, body;
    ngx_http_request_t        *r;
    struct fd_json_writer      w;
    ngx_http_frontdesk_ctx_t  *ctx;

    r = ad->request;
    ctx = ad->ctx;

    location.len = sizeof("/api/v1/chat//events") - 1 + ctx->job.len;
    location.data = ngx_pnalloc(r->pool, location.len);

    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_sprintf(location.data, "/api/v1/chat/%V/events", &ctx->job);
    ngx_str_set(&applied, "respond-async");

    ngx_http_frontdesk_json_writer(&w, r->pool);
    fd_jw_object(&w);
    fd_jw_key(&w, "job_id");
    fd_jw_string(&w, (char *) ctx->job.data, ctx->job.len);
    fd_jw_key(&w, "session_id");

    if (ctx->session.len) {
        fd_jw_string(&w, (char *) ctx->session.data, ctx->session.len);

    } else {
        fd_jw_null(&w);
    }

    fd_jw_end_object(&w);

    if (w.failed
        || ngx_http_frontdesk_header(r, "Location", &location) != NGX_OK
        || ngx_http_frontdesk_header(r, "Preference-Applied", &applied)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(r, NGX_HTTP_ACCEPTED,
                                      "application/json", &body);
}


/* this message was sent before: its answer, whether it runs or is over */

static ngx_int_t
ngx_http_frontdesk_admission_duplicate(ngx_http_frontdesk_admission_t *ad,
    redisReply *job)
{
    ngx_int_t                  rc;
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

    if (ctx->async) {
        return ngx_http_frontdesk_admission_accepted(ad);
    }

    ngx_memzero(&none, sizeof(struct fd_event_id));
    rc = ngx_http_frontdesk_attach(r, ctx, none, 1);

    if (rc == NGX_DONE) {
        ngx_http_frontdesk_admission_release(ad);
    }

    return rc;
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

    ngx_http_frontdesk_admission_again(ad);
}


/* the stream is open already: a refusal can only be told in it */

void
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


ngx_int_t
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
