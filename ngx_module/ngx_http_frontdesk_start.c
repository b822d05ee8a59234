
/*
 * The start of a session: its limits in one script, and an id.  Nothing is
 * stored but the state of the limits.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/chat_request.h"
#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/keys.h"
#include "protocol/problem.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_limit.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"


struct ngx_http_frontdesk_start_s {
    ngx_http_request_t         *request;
    ngx_http_frontdesk_ctx_t   *ctx;
    ngx_http_frontdesk_op_t    *op;
    ngx_uint_t                  tries;
};


static ngx_int_t ngx_http_frontdesk_start_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_start_key(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_text *token);
static void ngx_http_frontdesk_start_known(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_frontdesk_start_send(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_http_frontdesk_start_t *ngx_http_frontdesk_start_state(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_start_reply(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_start_answer(
    ngx_http_frontdesk_start_t *start, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_start_admitted(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_start_stale(
    ngx_http_frontdesk_start_t *start);


ngx_int_t
ngx_http_frontdesk_start_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    /* the body is optional, and without one there is no type to look at */

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return ngx_http_frontdesk_body_read(r, ctx,
                                            ngx_http_frontdesk_start_body);
    }

    return ngx_http_frontdesk_start_body(r, ctx);
}


static ngx_int_t
ngx_http_frontdesk_start_body(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                  rc;
    struct fd_field_fault      fault;
    struct fd_session_request  request;

    ngx_memzero(&request, sizeof(struct fd_session_request));

    if (ctx->json && !fd_session_request_read(ctx->json, &request, &fault)) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_FIELD, fault.field,
                                       fault.detail);
    }

    if (ctx->key == NULL) {
        return ngx_http_frontdesk_start_key(r, ctx, &request.client_api_key);
    }

    rc = ngx_http_frontdesk_start_send(r, ctx);

    if (rc == NGX_DONE) {
        ngx_http_frontdesk_park(r);
    }

    return rc;
}


static ngx_int_t
ngx_http_frontdesk_start_key(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_text *token)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    if (token->s == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_KEY_MISSING, NULL, NULL);
    }

    text.data = (u_char *) token->s;
    text.len = token->len;

    rc = ngx_http_frontdesk_key_resolve(r, ctx, &text, 0,
                                        ngx_http_frontdesk_start_known);

    if (rc == NGX_DECLINED) {
        return ctx->refused;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_start_send(r, ctx);

        if (rc != NGX_DONE) {
            return rc;
        }
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


static void
ngx_http_frontdesk_start_known(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_start_send(r, ctx);

        if (rc == NGX_DONE) {
            return;
        }

    } else {
        rc = ctx->refused;
    }

    ngx_http_frontdesk_resume(r, rc);
}


/* NGX_DONE: sent, or what to finalize with */

static ngx_int_t
ngx_http_frontdesk_start_send(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t                        argv[4], address;
    ngx_http_frontdesk_start_t      *start;
    ngx_http_frontdesk_main_conf_t  *mcf;

    u_char  shard[NGX_INT_T_LEN + 1], generation[NGX_INT64_LEN],
            rate[NGX_INT_T_LEN];

    if (ngx_http_frontdesk_session_key() == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    start = ngx_http_frontdesk_start_state(r, ctx);
    if (start == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_frontdesk_module);
    address = ngx_http_frontdesk_address(r);

    (void) ngx_sprintf(shard, "%ui%Z",
                       ngx_http_frontdesk_shard(&ctx->key->org));

    if (ngx_http_frontdesk_redis_key(r->pool, &argv[0], FD_KEY_ORG, shard,
                                     ctx->key->org.data)
        != NGX_OK
        || ngx_http_frontdesk_redis_key(r->pool, &argv[1], FD_KEY_ADDRESS_RATE,
                                        shard, address.data)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    argv[2].data = generation;
    argv[2].len = ngx_sprintf(generation, "%L", ctx->key->generation)
                  - generation;
    argv[3].data = rate;

    /* all sessions of a server that has a secret key start from its address */
    argv[3].len = ngx_sprintf(rate, "%i",
                              ctx->key->kind == FD_KEY_SECRET
                              ? 0 : mcf->start_rate)
                  - rate;

    start->op = ngx_http_frontdesk_redis_script(FD_SCRIPT_START,
                                       ngx_http_frontdesk_start_reply, start,
                                       2, 4, argv);

    if (start->op == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    return NGX_DONE;
}


static ngx_http_frontdesk_start_t *
ngx_http_frontdesk_start_state(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_start_t  *start;

    if (ctx->start) {
        return ctx->start;
    }

    start = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_start_t));

    if (start == NULL
        || ngx_http_frontdesk_redis_guard(r, &start->op) != NGX_OK)
    {
        return NULL;
    }

    start->request = r;
    start->ctx = ctx;

    ctx->start = start;

    return start;
}


static void
ngx_http_frontdesk_start_reply(void *data, redisReply *reply)
{
    ngx_http_frontdesk_start_t *start = data;

    ngx_int_t  rc;

    start->op = NULL;

    ngx_http_set_log_request(start->request->connection->log, start->request);

    rc = ngx_http_frontdesk_start_answer(start, reply);

    if (rc != NGX_DONE) {
        ngx_http_frontdesk_resume(start->request, rc);
    }
}


static ngx_int_t
ngx_http_frontdesk_start_answer(ngx_http_frontdesk_start_t *start,
    redisReply *reply)
{
    ngx_str_t            which;
    ngx_http_request_t  *r;

    r = start->request;

    if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements
        && reply->element[0]->type == REDIS_REPLY_STRING)
    {
        if (ngx_strcmp(reply->element[0]->str, "admitted") == 0
            && reply->elements == 4)
        {
            return ngx_http_frontdesk_start_admitted(r, start->ctx, reply);
        }

        if (ngx_strcmp(reply->element[0]->str, "limited") == 0
            && reply->elements == 4
            && reply->element[1]->type == REDIS_REPLY_STRING)
        {
            which.data = (u_char *) reply->element[1]->str;
            which.len = reply->element[1]->len;

            return ngx_http_frontdesk_limited(r, start->ctx, &which,
                                              reply->element[2]->integer,
                                              reply->element[3]->integer);
        }

        if (ngx_strcmp(reply->element[0]->str, "stale") == 0) {
            return ngx_http_frontdesk_start_stale(start);
        }
    }

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the jobs Redis refused a session start: %s", reply->str);
    }

    return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
}


static ngx_int_t
ngx_http_frontdesk_start_admitted(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, redisReply *reply)
{
    ngx_int_t              rc;
    ngx_str_t              body;
    struct fd_json_writer  w;

    rc = ngx_http_frontdesk_session_make(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->limit = NGX_HTTP_FRONTDESK_LIMIT_PASS;

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member(&w, "session_id", (char *) ctx->session.data);
    fd_jw_end_object(&w);

    if (w.failed
        || ngx_http_frontdesk_rate_headers(r, reply->element[2]->integer,
                                           reply->element[1]->integer,
                                           reply->element[3]->integer)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(r, NGX_HTTP_OK, "application/json",
                                      &body);
}


/*
 * The key was read before its organisation changed: once more with what Redis
 * has now.  Still stale then, the two servers are not of one mind yet.
 */

static ngx_int_t
ngx_http_frontdesk_start_stale(ngx_http_frontdesk_start_t *start)
{
    ngx_int_t  rc;
    ngx_str_t  token;

    if (start->tries++) {
        return ngx_http_frontdesk_fail(start->request, FD_PROBLEM_UNAVAILABLE,
                                       NULL, NULL);
    }

    token = start->ctx->token;

    rc = ngx_http_frontdesk_key_resolve(start->request, start->ctx, &token, 1,
                                        ngx_http_frontdesk_start_known);

    if (rc == NGX_OK) {
        return ngx_http_frontdesk_start_send(start->request, start->ctx);
    }

    return (rc == NGX_AGAIN) ? NGX_DONE : start->ctx->refused;
}
