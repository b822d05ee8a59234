
/*
 * Tickets: an EventSource can send no header, and a URL must hold no secret.
 * POST /api/v1/chat/:id/ticket makes 128 random bits that open the events of
 * that job to the one who asked, once and within a minute.
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
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"


#define NGX_HTTP_FRONTDESK_TICKET_LEN   32   /* hex */
#define NGX_HTTP_FRONTDESK_TICKET_LIFE  60   /* seconds */


/* what a ticket stands for: "<key's sha256> <pk or sk> <job> <session>" */

typedef struct {
    ngx_http_request_t          *request;
    ngx_http_frontdesk_ctx_t    *ctx;
    ngx_http_frontdesk_op_t     *op;
    ngx_http_frontdesk_done_pt   done;
    u_char                       ticket[NGX_HTTP_FRONTDESK_TICKET_LEN + 1];
} ngx_http_frontdesk_ticket_t;


static ngx_http_frontdesk_ticket_t *ngx_http_frontdesk_ticket_create(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_ticket_value(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static void ngx_http_frontdesk_ticket_stored(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_ticket_answer(
    ngx_http_frontdesk_ticket_t *t);
static ngx_uint_t ngx_http_frontdesk_ticket_shaped(ngx_str_t *ticket);
static void ngx_http_frontdesk_ticket_taken(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_ticket_admit(
    ngx_http_frontdesk_ticket_t *t, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_ticket_read(ngx_http_frontdesk_ctx_t *ctx,
    ngx_pool_t *pool, redisReply *reply, u_char sha256[32],
    enum fd_key_kind *kind);
static ngx_int_t ngx_http_frontdesk_ticket_unknown(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


ngx_int_t
ngx_http_frontdesk_ticket_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_str_t                     argv[5];
    ngx_http_frontdesk_ticket_t  *t;
    u_char                        random[NGX_HTTP_FRONTDESK_TICKET_LEN / 2];

    rc = ngx_http_frontdesk_job_check(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    t = ngx_http_frontdesk_ticket_create(r, ctx);

    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    fd_random(random, sizeof(random));
    *ngx_hex_dump(t->ticket, random, sizeof(random)) = '\0';

    if (ngx_http_frontdesk_redis_key(r->pool, &argv[1], FD_KEY_TICKET,
                                     t->ticket)
        != NGX_OK
        || ngx_http_frontdesk_ticket_value(r, ctx, &argv[2]) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&argv[0], "SET");
    ngx_str_set(&argv[3], "EX");
    ngx_str_set(&argv[4], ngx_value(NGX_HTTP_FRONTDESK_TICKET_LIFE));

    t->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                             ngx_http_frontdesk_ticket_stored,
                                             t, 5, argv);
    if (t->op == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


static ngx_http_frontdesk_ticket_t *
ngx_http_frontdesk_ticket_create(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_ticket_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_ticket_t));

    if (t == NULL || ngx_http_frontdesk_redis_guard(r, &t->op) != NGX_OK) {
        return NULL;
    }

    t->request = r;
    t->ctx = ctx;

    return t;
}


static ngx_int_t
ngx_http_frontdesk_ticket_value(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    u_char  *p;

    value->data = ngx_pnalloc(r->pool, 64 + sizeof(" pk  ") - 1
                                       + ctx->job.len + ctx->session.len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_hex_dump(value->data, ctx->key->sha256, 32);
    p = ngx_sprintf(p, " %s %V %V",
                    ctx->key->kind == FD_KEY_SECRET ? "sk" : "pk",
                    &ctx->job, &ctx->session);

    value->len = p - value->data;

    return NGX_OK;
}


static void
ngx_http_frontdesk_ticket_stored(void *data, redisReply *reply)
{
    ngx_http_frontdesk_ticket_t *t = data;

    ngx_int_t  rc;

    t->op = NULL;

    if (reply && reply->type == REDIS_REPLY_STATUS) {
        rc = ngx_http_frontdesk_ticket_answer(t);

    } else {
        rc = ngx_http_frontdesk_fail(t->request, FD_PROBLEM_UNAVAILABLE, NULL,
                                     NULL);
    }

    ngx_http_frontdesk_resume(t->request, rc);
}


static ngx_int_t
ngx_http_frontdesk_ticket_answer(ngx_http_frontdesk_ticket_t *t)
{
    ngx_tm_t               tm;
    ngx_str_t              body;
    struct fd_json_writer  w;
    u_char                 expires[sizeof("1970-01-01T00:00:00Z")];

    ngx_gmtime(ngx_time() + NGX_HTTP_FRONTDESK_TICKET_LIFE, &tm);
    (void) ngx_sprintf(expires, "%4d-%02d-%02dT%02d:%02d:%02dZ%Z",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);

    ngx_http_frontdesk_json_writer(&w, t->request->pool);

    fd_jw_object(&w);
    fd_jw_member(&w, "ticket", (char *) t->ticket);
    fd_jw_member(&w, "expires_at", (char *) expires);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(t->request, NGX_HTTP_OK,
                                      "application/json", &body);
}


ngx_int_t
ngx_http_frontdesk_ticket_redeem(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *ticket,
    ngx_http_frontdesk_done_pt done)
{
    ngx_str_t                     argv[2];
    ngx_http_frontdesk_ticket_t  *t;

    if (!ngx_http_frontdesk_ticket_shaped(ticket)) {
        return ngx_http_frontdesk_ticket_unknown(r, ctx);
    }

    t = ngx_http_frontdesk_ticket_create(r, ctx);

    if (t == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    t->done = done;
    (void) ngx_cpystrn(t->ticket, ticket->data, sizeof(t->ticket));

    ngx_str_set(&argv[0], "GETDEL");

    if (ngx_http_frontdesk_redis_key(r->pool, &argv[1], FD_KEY_TICKET,
                                     t->ticket)
        != NGX_OK)
    {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    t->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                             ngx_http_frontdesk_ticket_taken,
                                             t, 2, argv);
    if (t->op == NULL) {
        ctx->refused = ngx_http_frontdesk_events_later(r, ctx);
        return NGX_DECLINED;
    }

    if (ngx_http_frontdesk_park_phase(r) != NGX_OK) {
        ngx_http_frontdesk_redis_cancel(t->op);
        t->op = NULL;
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    ctx->lookup = 1;

    return NGX_AGAIN;
}


/* nothing else is worth a question to Redis */

static ngx_uint_t
ngx_http_frontdesk_ticket_shaped(ngx_str_t *ticket)
{
    u_char      c;
    ngx_uint_t  i;

    if (ticket->len != NGX_HTTP_FRONTDESK_TICKET_LEN) {
        return 0;
    }

    for (i = 0; i < ticket->len; i++) {
        c = ticket->data[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_http_frontdesk_ticket_taken(void *data, redisReply *reply)
{
    ngx_http_frontdesk_ticket_t *t = data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    t->op = NULL;

    r = t->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    t->ctx->lookup = 0;

    rc = ngx_http_frontdesk_ticket_admit(t, reply);

    if (rc != NGX_AGAIN) {
        t->done(r, t->ctx, rc);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_frontdesk_ticket_admit(ngx_http_frontdesk_ticket_t *t,
    redisReply *reply)
{
    ngx_int_t                  rc;
    enum fd_key_kind           kind;
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;
    u_char                     sha256[32];

    r = t->request;
    ctx = t->ctx;

    if (reply && reply->type == REDIS_REPLY_NIL) {
        return ngx_http_frontdesk_ticket_unknown(r, ctx);
    }

    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        ctx->refused = ngx_http_frontdesk_events_later(r, ctx);
        return NGX_DECLINED;
    }

    rc = ngx_http_frontdesk_ticket_read(ctx, r->pool, reply, sha256, &kind);

    if (rc == NGX_DECLINED) {
        return ngx_http_frontdesk_ticket_unknown(r, ctx);
    }

    if (rc != NGX_OK) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    ctx->ticket = 1;

    /* the key may be revoked by now, and its origins changed */

    return ngx_http_frontdesk_key_recall(r, ctx, sha256, kind, t->done);
}


/* NGX_DECLINED: the ticket is another job's */

static ngx_int_t
ngx_http_frontdesk_ticket_read(ngx_http_frontdesk_ctx_t *ctx, ngx_pool_t *pool,
    redisReply *reply, u_char sha256[32], enum fd_key_kind *kind)
{
    size_t      fixed;
    u_char     *p;
    ngx_int_t   n;
    ngx_str_t   session;
    ngx_uint_t  i;

    p = (u_char *) reply->str;
    fixed = 64 + sizeof(" pk  ") - 1 + ctx->id.len;

    if ((size_t) reply->len < fixed
        || ngx_memcmp(p + 68, ctx->id.data, ctx->id.len) != 0
        || p[68 + ctx->id.len] != ' ')
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < 32; i++) {
        n = ngx_hextoi(p + 2 * i, 2);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        sha256[i] = (u_char) n;
    }

    *kind = (p[65] == 's') ? FD_KEY_SECRET : FD_KEY_PUBLISHABLE;

    session.data = p + fixed;
    session.len = reply->len - fixed;

    ctx->session.len = session.len;
    ctx->session.data = ngx_pstrdup(pool, &session);

    return ctx->session.data ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_frontdesk_ticket_unknown(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL, NULL);

    return NGX_DECLINED;
}
