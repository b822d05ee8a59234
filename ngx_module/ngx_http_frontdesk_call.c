
/*
 * Calls: short questions to a worker (protocol/call.h), sent as an entry of
 * fd:calls and answered by a message on this process's channel.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/call.h"
#include "protocol/keys.h"
#include "protocol/limits.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_openai.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"


/* in a process; and, roughly, in Redis: late ones are dropped anyway */
#define NGX_HTTP_FRONTDESK_CALLS         1024
#define NGX_HTTP_FRONTDESK_CALLS_STREAM  "10000"


typedef void (*ngx_http_frontdesk_call_done_pt)(void *data, ngx_uint_t status);


typedef struct {
    ngx_rbtree_node_t                 node;       /* key is the id */
    ngx_queue_t                       queue;      /* in the order asked */
    ngx_msec_t                        deadline;
    ngx_http_request_t               *request;
    ngx_http_frontdesk_op_t          *op;
    ngx_http_frontdesk_call_done_pt   done;       /* NULL: answer r */
    void                             *data;
    unsigned                          pending:1;
} ngx_http_frontdesk_call_t;


static ngx_http_frontdesk_call_t *ngx_http_frontdesk_call_send(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx, const char *op,
    ngx_str_t *args);
static ngx_int_t ngx_http_frontdesk_call_write(ngx_http_frontdesk_call_t *call,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, ngx_str_t *args);
static void ngx_http_frontdesk_call_sent(void *data, redisReply *reply);
static void ngx_http_frontdesk_call_timeout(ngx_event_t *ev);
static ngx_http_frontdesk_call_t *ngx_http_frontdesk_call_find(
    ngx_rbtree_key_t id);
static void ngx_http_frontdesk_call_complete(ngx_http_frontdesk_call_t *call,
    ngx_uint_t status, ngx_str_t *json);
static void ngx_http_frontdesk_call_remove(ngx_http_frontdesk_call_t *call);
static void ngx_http_frontdesk_call_cleanup(void *data);


static ngx_rbtree_t       ngx_http_frontdesk_calls;
static ngx_rbtree_node_t  ngx_http_frontdesk_calls_sentinel;
static ngx_queue_t        ngx_http_frontdesk_calls_queue;
static ngx_event_t        ngx_http_frontdesk_calls_timer;
static ngx_uint_t         ngx_http_frontdesk_calls_pending;
static ngx_rbtree_key_t   ngx_http_frontdesk_calls_last;


void
ngx_http_frontdesk_call_init(ngx_cycle_t *cycle)
{
    ngx_rbtree_init(&ngx_http_frontdesk_calls,
                    &ngx_http_frontdesk_calls_sentinel,
                    ngx_rbtree_insert_value);
    ngx_queue_init(&ngx_http_frontdesk_calls_queue);

    /* requests hang on it: it holds an exiting process */
    ngx_http_frontdesk_calls_timer.handler = ngx_http_frontdesk_call_timeout;
    ngx_http_frontdesk_calls_timer.data = &ngx_http_frontdesk_calls_timer;
    ngx_http_frontdesk_calls_timer.log = cycle->log;
}


ngx_int_t
ngx_http_frontdesk_call(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    const char *op, ngx_str_t *args)
{
    if (ngx_http_frontdesk_call_send(r, ctx, op, args) == NULL) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


ngx_int_t
ngx_http_frontdesk_call_replay(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(void *data, ngx_uint_t status),
    void *data)
{
    ngx_str_t                   args;
    ngx_http_frontdesk_call_t  *call;

    ngx_str_set(&args, "{}");

    call = ngx_http_frontdesk_call_send(r, ctx, FD_CALL_REPLAY, &args);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->done = done;
    call->data = data;

    return NGX_OK;
}


/* "<id> <status> <json>" */

void
ngx_http_frontdesk_call_answer(u_char *message, size_t len)
{
    u_char                     *p, *last;
    ngx_int_t                   id, status;
    ngx_str_t                   json;
    ngx_http_frontdesk_call_t  *call;

    last = message + len;

    p = ngx_strlchr(message, last, ' ');
    if (p == NULL) {
        goto invalid;
    }

    id = ngx_atoi(message, p - message);
    message = p + 1;

    p = ngx_strlchr(message, last, ' ');
    if (p == NULL || id == NGX_ERROR) {
        goto invalid;
    }

    status = ngx_atoi(message, p - message);

    if (status < 200 || status > 599) {
        goto invalid;
    }

    /* none waits any more: it was late, or the client left */

    call = ngx_http_frontdesk_call_find(id);

    if (call) {
        json.data = p + 1;
        json.len = last - json.data;
        ngx_http_frontdesk_call_complete(call, status, &json);
    }

    return;

invalid:

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "frontdesk: a worker sent an invalid answer to a call");
}


static ngx_http_frontdesk_call_t *
ngx_http_frontdesk_call_send(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, ngx_str_t *args)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_frontdesk_call_t  *call;

    if (ngx_http_frontdesk_calls_pending >= NGX_HTTP_FRONTDESK_CALLS) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_frontdesk_call_t));
    if (cln == NULL) {
        return NULL;
    }

    call = cln->data;
    ngx_memzero(call, sizeof(ngx_http_frontdesk_call_t));

    cln->handler = ngx_http_frontdesk_call_cleanup;

    call->request = r;
    call->deadline = ngx_current_msec + FD_CALL_DEADLINE_MS;
    call->node.key = ++ngx_http_frontdesk_calls_last;

    if (ngx_http_frontdesk_call_write(call, ctx, op, args) != NGX_OK) {
        return NULL;
    }

    ngx_rbtree_insert(&ngx_http_frontdesk_calls, &call->node);
    ngx_queue_insert_tail(&ngx_http_frontdesk_calls_queue, &call->queue);
    ngx_http_frontdesk_calls_pending++;
    call->pending = 1;

    if (!ngx_http_frontdesk_calls_timer.timer_set) {
        ngx_add_timer(&ngx_http_frontdesk_calls_timer, FD_CALL_DEADLINE_MS);
    }

    return call;
}


static ngx_int_t
ngx_http_frontdesk_call_write(ngx_http_frontdesk_call_t *call,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, ngx_str_t *args)
{
    uint64_t     now;
    ngx_uint_t   n;
    ngx_time_t  *tp;
    u_char       id[NGX_INT64_LEN], deadline[NGX_INT64_LEN];
    ngx_str_t    argv[24];

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;
    n = 0;

    ngx_str_set(&argv[n], "XADD"); n++;
    ngx_str_set(&argv[n], FD_KEY_CALLS); n++;
    ngx_str_set(&argv[n], "MAXLEN"); n++;
    ngx_str_set(&argv[n], "~"); n++;
    ngx_str_set(&argv[n], NGX_HTTP_FRONTDESK_CALLS_STREAM); n++;
    ngx_str_set(&argv[n], "*"); n++;

    ngx_str_set(&argv[n], "id"); n++;
    argv[n].data = id;
    argv[n++].len = ngx_sprintf(id, "%ui", call->node.key) - id;

    ngx_str_set(&argv[n], "op"); n++;
    argv[n].data = (u_char *) op;
    argv[n++].len = ngx_strlen(op);

    ngx_str_set(&argv[n], "reply"); n++;
    argv[n++] = *ngx_http_frontdesk_channel_reply();

    ngx_str_set(&argv[n], "request"); n++;
    argv[n++] = ngx_http_frontdesk_request_id(call->request);

    ngx_str_set(&argv[n], "deadline"); n++;
    argv[n].data = deadline;
    argv[n++].len = ngx_sprintf(deadline, "%uL", now + FD_CALL_DEADLINE_MS)
                    - deadline;

    ngx_str_set(&argv[n], "org"); n++;
    argv[n++] = ctx->key->org;

    ngx_str_set(&argv[n], "session"); n++;
    argv[n++] = ctx->session;

    ngx_str_set(&argv[n], "job"); n++;
    argv[n++] = ctx->job;

    ngx_str_set(&argv[n], "args"); n++;
    argv[n++] = *args;

    call->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                                ngx_http_frontdesk_call_sent,
                                                call, n, argv);

    return call->op ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_frontdesk_call_sent(void *data, redisReply *reply)
{
    ngx_http_frontdesk_call_t *call = data;

    call->op = NULL;

    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        ngx_http_frontdesk_call_complete(call,
                                         NGX_HTTP_SERVICE_UNAVAILABLE, NULL);
    }
}


static void
ngx_http_frontdesk_call_timeout(ngx_event_t *ev)
{
    ngx_queue_t                *q;
    ngx_msec_int_t              wait;
    ngx_http_frontdesk_call_t  *call;

    while (!ngx_queue_empty(&ngx_http_frontdesk_calls_queue)) {
        q = ngx_queue_head(&ngx_http_frontdesk_calls_queue);
        call = ngx_queue_data(q, ngx_http_frontdesk_call_t, queue);

        wait = (ngx_msec_int_t) (call->deadline - ngx_current_msec);

        if (wait > 0) {
            ngx_add_timer(ev, wait);
            return;
        }

        ngx_http_frontdesk_call_complete(call,
                                         NGX_HTTP_SERVICE_UNAVAILABLE, NULL);
    }
}


static ngx_http_frontdesk_call_t *
ngx_http_frontdesk_call_find(ngx_rbtree_key_t id)
{
    ngx_rbtree_node_t  *node;

    node = ngx_http_frontdesk_calls.root;

    while (node != &ngx_http_frontdesk_calls_sentinel) {

        if (id == node->key) {
            return ngx_rbtree_data(node, ngx_http_frontdesk_call_t, node);
        }

        node = (id < node->key) ? node->left : node->right;
    }

    return NULL;
}


/* json is NULL where no worker has answered */

static void
ngx_http_frontdesk_call_complete(ngx_http_frontdesk_call_t *call,
    ngx_uint_t status, ngx_str_t *json)
{
    ngx_int_t                  rc;
    ngx_str_t                  body;
    const char                *type;
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;

    r = call->request;

    ngx_http_frontdesk_call_remove(call);

    if (call->done) {
        call->done(call->data, status);
        return;
    }

    if (json == NULL) {
        rc = ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
        ngx_http_frontdesk_resume(r, rc);
        return;
    }

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx->openai && status >= NGX_HTTP_BAD_REQUEST) {
        ngx_http_frontdesk_resume(r, ngx_http_frontdesk_openai_relay(r, json));
        return;
    }

    type = (status < NGX_HTTP_BAD_REQUEST) ? "application/json"
                                           : "application/problem+json";

    body.len = json->len;
    body.data = ngx_pstrdup(r->pool, json);

    rc = body.data ? ngx_http_frontdesk_respond(r, status, type, &body)
                   : NGX_HTTP_INTERNAL_SERVER_ERROR;

    ngx_http_frontdesk_resume(r, rc);
}


static void
ngx_http_frontdesk_call_remove(ngx_http_frontdesk_call_t *call)
{
    ngx_rbtree_delete(&ngx_http_frontdesk_calls, &call->node);
    ngx_queue_remove(&call->queue);
    ngx_http_frontdesk_calls_pending--;
    call->pending = 0;

    if (call->op) {
        ngx_http_frontdesk_redis_cancel(call->op);
        call->op = NULL;
    }

    if (ngx_http_frontdesk_calls_pending == 0
        && ngx_http_frontdesk_calls_timer.timer_set)
    {
        ngx_del_timer(&ngx_http_frontdesk_calls_timer);
    }
}


static void
ngx_http_frontdesk_call_cleanup(void *data)
{
    ngx_http_frontdesk_call_t *call = data;

    if (call->pending) {
        ngx_http_frontdesk_call_remove(call);
    }
}
