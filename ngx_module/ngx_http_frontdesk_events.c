
/*
 * GET /api/v1/chat/:id/events: an answer resumed, on whichever process or host
 * it began.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/job.h"
#include "protocol/keys.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_events.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_stream.h"


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_frontdesk_ctx_t    *ctx;
    ngx_http_frontdesk_op_t     *op;
    struct fd_event_id           last;
    ngx_uint_t                   own;
} ngx_http_frontdesk_attach_t;


static void ngx_http_frontdesk_attach_reply(void *data, redisReply *reply);
static ngx_uint_t ngx_http_frontdesk_attach_allowed(
    ngx_http_frontdesk_attach_t *at, redisReply *org, redisReply *session);
static ngx_int_t ngx_http_frontdesk_attach_session(
    ngx_http_frontdesk_attach_t *at, redisReply *session);
static ngx_uint_t ngx_http_frontdesk_attach_finished(redisReply *state);
static ngx_uint_t ngx_http_frontdesk_events_equal(redisReply *reply,
    ngx_str_t *text);


ngx_int_t
ngx_http_frontdesk_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t           rc;
    struct fd_event_id  last;

    rc = ngx_http_frontdesk_job_check(r, ctx);

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_events_last(r, &last);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->chat.stream = true;

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_RESUMES);

    rc = ngx_http_frontdesk_attach(r, ctx, last, 0);

    if (rc == NGX_DONE) {
        ngx_http_frontdesk_park(r);
    }

    return rc;
}


/*
 * The shapes of the job's id and of the session; a visitor has to name his,
 * since the key is every visitor's.  NGX_OK: ctx->job and session are set.
 */

ngx_int_t
ngx_http_frontdesk_job_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t      rc;
    ngx_str_t     *session;
    const u_char  *secret;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!fd_job_id_valid((char *) ctx->id.data, ctx->id.len)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    }

    ctx->job.len = ctx->id.len;
    ctx->job.data = ngx_pnalloc(r->pool, ctx->id.len + 1);

    if (ctx->job.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(ctx->job.data, ctx->id.data, ctx->id.len + 1);

    if (ctx->ticket) {
        return NGX_OK;
    }

    session = ngx_http_frontdesk_request_header(r, "X-Frontdesk-Session");

    if (session == NULL) {
        if (ctx->key->kind == FD_KEY_SECRET) {
            return NGX_OK;
        }

        return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST,
                                       "X-Frontdesk-Session",
                                       "the id of the job's session is "
                                       "wanted");
    }

    secret = ngx_http_frontdesk_session_key();

    /* before the secret is known there is nothing to be had by it either */

    if (secret
        ? !fd_session_id_valid((char *) session->data, session->len, secret,
                               (char *) ctx->key->org.data, ctx->key->org.len)
        : !fd_session_id_shaped((char *) session->data, session->len))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    }

    ctx->session = *session;

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_events_last(ngx_http_request_t *r, struct fd_event_id *last)
{
    ngx_str_t  *header, query;

    ngx_memzero(last, sizeof(struct fd_event_id));

    header = ngx_http_frontdesk_request_header(r, "Last-Event-ID");

    /* a new EventSource has no headers to say where the old one ended */

    if (header == NULL
        && ngx_http_arg(r, (u_char *) "last_event_id",
                        sizeof("last_event_id") - 1, &query)
           == NGX_OK)
    {
        header = &query;
    }

    if (header == NULL || header->len == 0) {
        return NGX_OK;
    }

    if (fd_event_id_parse((char *) header->data, header->len, last)
        && last->epoch != 0)
    {
        return NGX_OK;
    }

    return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST, "Last-Event-ID",
                                   "the id of an event is wanted");
}


ngx_int_t
ngx_http_frontdesk_events_later(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ctx->chat.stream = true;

    return ngx_http_frontdesk_stream_later(r, ctx);
}


ngx_int_t
ngx_http_frontdesk_attach(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    struct fd_event_id last, ngx_uint_t own)
{
    ngx_str_t                     argv[5];
    ngx_http_frontdesk_attach_t  *at;
    char                          shard[5];

    fd_job_id_shard((char *) ctx->job.data, ctx->job.len, shard);

    at = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_attach_t));

    if (at == NULL
        || ngx_http_frontdesk_redis_guard(r, &at->op) != NGX_OK
        || ngx_http_frontdesk_redis_key(r->pool, &argv[1], FD_KEY_JOB, shard,
                                        ctx->job.data)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at->request = r;
    at->ctx = ctx;
    at->last = last;
    at->own = own;

    ngx_str_set(&argv[0], "HMGET");
    ngx_str_set(&argv[2], FD_JOB_ORG);
    ngx_str_set(&argv[3], FD_JOB_SESSION);
    ngx_str_set(&argv[4], "state");

    at->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_JOBS,
                                              ngx_http_frontdesk_attach_reply,
                                              at, 5, argv);

    return at->op ? NGX_DONE : ngx_http_frontdesk_stream_later(r, ctx);
}


static void
ngx_http_frontdesk_attach_reply(void *data, redisReply *reply)
{
    ngx_int_t                     rc;
    ngx_uint_t                    finished;
    redisReply                  **e;
    ngx_http_request_t           *r;
    ngx_http_frontdesk_ctx_t     *ctx;
    ngx_http_frontdesk_attach_t  *at = data;

    at->op = NULL;

    r = at->request;
    ctx = at->ctx;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 3)
    {
        ngx_http_frontdesk_resume(r, ngx_http_frontdesk_stream_later(r, ctx));
        return;
    }

    e = reply->element;

    if (!ngx_http_frontdesk_attach_allowed(at, e[0], e[1])) {
        ngx_http_frontdesk_stream_discard(ctx);

        rc = ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL, NULL);
        ngx_http_frontdesk_resume(r, rc);
        return;
    }

    if (ngx_http_frontdesk_attach_session(at, e[1]) != NGX_OK) {
        ngx_http_frontdesk_resume(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    finished = ngx_http_frontdesk_attach_finished(e[2]);

    ngx_http_frontdesk_stream_attach(r, ctx, at->last, finished,
                                     e[0]->type == REDIS_REPLY_NIL);
}


/*
 * Unknown, foreign and long forgotten look the same from outside.  Forgotten
 * is for a worker to find out: it checks the same when it is asked to replay.
 */

static ngx_uint_t
ngx_http_frontdesk_attach_allowed(ngx_http_frontdesk_attach_t *at,
    redisReply *org, redisReply *session)
{
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = at->ctx;

    if (org->type == REDIS_REPLY_NIL) {
        return 1;
    }

    if (!ngx_http_frontdesk_events_equal(org, &ctx->key->org)) {
        return 0;
    }

    return at->own
           || (ctx->session.len == 0 && ctx->key->kind == FD_KEY_SECRET)
           || ngx_http_frontdesk_events_equal(session, &ctx->session);
}


/* what the answer is headed with, and what a replay is asked for with */

static ngx_int_t
ngx_http_frontdesk_attach_session(ngx_http_frontdesk_attach_t *at,
    redisReply *session)
{
    ngx_str_t                  id;
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = at->ctx;

    if (session->type != REDIS_REPLY_STRING) {

        /* a session that this request has just started is not the job's */

        if (at->own && ctx->chat.session_id.s == NULL) {
            ngx_str_null(&ctx->session);
        }

        return NGX_OK;
    }

    id.data = (u_char *) session->str;
    id.len = session->len;

    ctx->session.len = id.len;
    ctx->session.data = ngx_pstrdup(at->request->pool, &id);

    return ctx->session.data ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
ngx_http_frontdesk_attach_finished(redisReply *state)
{
    return state->type != REDIS_REPLY_STRING
           || (ngx_strcmp(state->str, FD_JOB_QUEUED) != 0
               && ngx_strcmp(state->str, FD_JOB_RUNNING) != 0);
}


static ngx_uint_t
ngx_http_frontdesk_events_equal(redisReply *reply, ngx_str_t *text)
{
    return reply->type == REDIS_REPLY_STRING
           && (size_t) reply->len == text->len
           && ngx_memcmp(reply->str, text->data, text->len) == 0;
}
