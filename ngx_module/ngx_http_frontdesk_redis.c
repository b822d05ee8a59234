
/*
 * Redis: pipelined commands and their replies.  hiredis answers every pending
 * command with NULL when the connection breaks; deadlines are kept here,
 * because hiredis 0.14 has none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/scripts.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_redis_peer.h"


#define NGX_HTTP_FRONTDESK_REDIS_PENDING      4096
#define NGX_HTTP_FRONTDESK_REDIS_ARGS         64
/* a command without a reply for so long: the connection is taken for dead */
#define NGX_HTTP_FRONTDESK_REDIS_DEAD         5000


struct ngx_http_frontdesk_op_s {
    ngx_queue_t                       queue;
    ngx_http_frontdesk_peer_t        *peer;
    ngx_http_frontdesk_reply_pt       handler;    /* NULL: nobody waits */
    void                             *data;
    ngx_msec_t                        sent;
};


static void ngx_http_frontdesk_redis_guard_cleanup(void *data);
static void ngx_http_frontdesk_redis_pend(ngx_http_frontdesk_peer_t *peer,
    ngx_int_t n);
static void ngx_http_frontdesk_redis_reply(redisAsyncContext *ac, void *data,
    void *privdata);
static ngx_uint_t ngx_http_frontdesk_redis_refused(redisReply *reply);
static ngx_uint_t ngx_http_frontdesk_redis_says(redisReply *reply,
    const char *code);
static void ngx_http_frontdesk_redis_timeout_handler(ngx_event_t *ev);
static void ngx_http_frontdesk_redis_arm(ngx_http_frontdesk_peer_t *peer);
static ngx_http_frontdesk_op_t *ngx_http_frontdesk_redis_op_alloc(void);
static void ngx_http_frontdesk_redis_op_free(ngx_http_frontdesk_op_t *op);


static ngx_http_frontdesk_peer_t
    ngx_http_frontdesk_peers[NGX_HTTP_FRONTDESK_ROLES];
static ngx_queue_t  ngx_http_frontdesk_free_ops;


ngx_int_t
ngx_http_frontdesk_redis_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_http_frontdesk_peer_t       *peer;
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_http_frontdesk_main_conf();

    ngx_queue_init(&ngx_http_frontdesk_free_ops);
    ngx_http_frontdesk_redis_greeting_init();

    for (i = 0; i < NGX_HTTP_FRONTDESK_ROLES; i++) {
        peer = &ngx_http_frontdesk_peers[i];

        peer->role = i;
        peer->name = (i == NGX_HTTP_FRONTDESK_JOBS) ? "jobs" : "live";
        peer->conf = &mcf->redis[i];
        peer->backoff = NGX_HTTP_FRONTDESK_BACKOFF_MIN;
        ngx_queue_init(&peer->ops);

        /* parked requests hang on the ops: they hold an exiting process */
        peer->timeout.handler = ngx_http_frontdesk_redis_timeout_handler;
        peer->timeout.data = peer;
        peer->timeout.log = cycle->log;

        peer->retry.handler = ngx_http_frontdesk_redis_retry;
        peer->retry.data = peer;
        peer->retry.log = cycle->log;
        peer->retry.cancelable = 1;

        ngx_http_frontdesk_redis_connect(peer);
    }

    return NGX_OK;
}


void
ngx_http_frontdesk_redis_exit(ngx_cycle_t *cycle)
{
    ngx_uint_t                  i;
    ngx_queue_t                *q;
    ngx_http_frontdesk_op_t    *op;
    ngx_http_frontdesk_peer_t  *peer;

    for (i = 0; i < NGX_HTTP_FRONTDESK_ROLES; i++) {
        peer = &ngx_http_frontdesk_peers[i];
        peer->closing = 1;

        for (q = ngx_queue_head(&peer->ops);
             q != ngx_queue_sentinel(&peer->ops);
             q = ngx_queue_next(q))
        {
            op = ngx_queue_data(q, ngx_http_frontdesk_op_t, queue);
            op->handler = NULL;
        }

        if (peer->ac) {
            redisAsyncFree(peer->ac);
        }

        if (peer->retry.timer_set) {
            ngx_del_timer(&peer->retry);
        }
    }

    while (!ngx_queue_empty(&ngx_http_frontdesk_free_ops)) {
        q = ngx_queue_head(&ngx_http_frontdesk_free_ops);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_http_frontdesk_op_t, queue));
    }
}


ngx_http_frontdesk_op_t *
ngx_http_frontdesk_redis_command(ngx_http_frontdesk_role_e role,
    ngx_http_frontdesk_reply_pt handler, void *data, ngx_uint_t argc,
    ngx_str_t *argv)
{
    ngx_http_frontdesk_peer_t  *peer;

    peer = &ngx_http_frontdesk_peers[role];

    if (!peer->up || peer->pending >= NGX_HTTP_FRONTDESK_REDIS_PENDING) {
        return NULL;
    }

    return ngx_http_frontdesk_redis_send(peer, handler, data, argc, argv);
}


ngx_http_frontdesk_op_t *
ngx_http_frontdesk_redis_script(enum fd_script script,
    ngx_http_frontdesk_reply_pt handler, void *data, ngx_uint_t nkeys,
    ngx_uint_t argc, ngx_str_t *argv)
{
    u_char     count[NGX_INT_T_LEN];
    ngx_str_t  args[NGX_HTTP_FRONTDESK_REDIS_ARGS];

    if (argc > NGX_HTTP_FRONTDESK_REDIS_ARGS - 3) {
        return NULL;
    }

    ngx_str_set(&args[0], "EVALSHA");
    ngx_http_frontdesk_redis_sha(script, &args[1]);
    args[2].data = count;
    args[2].len = ngx_sprintf(count, "%ui", nkeys) - count;
    ngx_memcpy(&args[3], argv, argc * sizeof(ngx_str_t));

    return ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_JOBS, handler,
                                            data, argc + 3, args);
}


void
ngx_http_frontdesk_redis_cancel(ngx_http_frontdesk_op_t *op)
{
    op->handler = NULL;
}


ngx_int_t
ngx_http_frontdesk_redis_guard(ngx_http_request_t *r,
    ngx_http_frontdesk_op_t **op)
{
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_frontdesk_redis_guard_cleanup;
    cln->data = op;

    return NGX_OK;
}


static void
ngx_http_frontdesk_redis_guard_cleanup(void *data)
{
    ngx_http_frontdesk_op_t **op = data;

    if (*op) {
        ngx_http_frontdesk_redis_cancel(*op);
        *op = NULL;
    }
}


ngx_uint_t
ngx_http_frontdesk_redis_up(ngx_http_frontdesk_role_e role)
{
    return ngx_http_frontdesk_peers[role].up;
}


ngx_int_t
ngx_http_frontdesk_redis_key(ngx_pool_t *pool, ngx_str_t *key,
    const char *format, ...)
{
    u_char   *last;
    va_list   args;
    u_char    buf[512];

    va_start(args, format);
    last = ngx_vslprintf(buf, buf + sizeof(buf), format, args);
    va_end(args);

    key->len = last - buf;
    key->data = ngx_pnalloc(pool, key->len + 1);

    if (key->data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(key->data, buf, key->len) = '\0';

    return NGX_OK;
}


ngx_http_frontdesk_op_t *
ngx_http_frontdesk_redis_send(ngx_http_frontdesk_peer_t *peer,
    ngx_http_frontdesk_reply_pt handler, void *data, ngx_uint_t argc,
    ngx_str_t *argv)
{
    int                       rc;
    u_char                   *command, *last;
    ngx_http_frontdesk_op_t  *op;

    op = ngx_http_frontdesk_redis_op_alloc();
    if (op == NULL) {
        return NULL;
    }

    command = ngx_alloc(ngx_http_frontdesk_resp_size(argc, argv),
                        ngx_cycle->log);
    if (command == NULL) {
        ngx_http_frontdesk_redis_op_free(op);
        return NULL;
    }

    last = ngx_http_frontdesk_resp_write(command, argc, argv);

    op->peer = peer;
    op->handler = handler;
    op->data = data;
    op->sent = ngx_current_msec;

    rc = redisAsyncFormattedCommand(peer->ac, ngx_http_frontdesk_redis_reply,
                                    op, (char *) command, last - command);

    ngx_free(command);

    if (rc != REDIS_OK) {
        ngx_http_frontdesk_redis_op_free(op);
        return NULL;
    }

    ngx_queue_insert_tail(&peer->ops, &op->queue);
    ngx_http_frontdesk_redis_pend(peer, 1);

    if (peer->pending == 1) {
        ngx_http_frontdesk_redis_arm(peer);

        /* nothing is in flight, so nothing is gained by waiting for more */
        if (!peer->writing) {
            ngx_http_frontdesk_redis_write_now(peer);
        }
    }

    return op;
}


static void
ngx_http_frontdesk_redis_pend(ngx_http_frontdesk_peer_t *peer, ngx_int_t n)
{
    peer->pending += n;

    ngx_http_frontdesk_gauge(NGX_HTTP_FRONTDESK_GAUGE_PENDING,
                  ngx_http_frontdesk_peers[NGX_HTTP_FRONTDESK_JOBS].pending
                  + ngx_http_frontdesk_peers[NGX_HTTP_FRONTDESK_LIVE].pending);
}


static void
ngx_http_frontdesk_redis_reply(redisAsyncContext *ac, void *data,
    void *privdata)
{
    void                         *arg;
    redisReply                   *reply = data;
    ngx_http_frontdesk_op_t      *op = privdata;
    ngx_http_frontdesk_peer_t    *peer;
    ngx_http_frontdesk_reply_pt   handler;

    peer = op->peer;
    handler = op->handler;
    arg = op->data;

    ngx_queue_remove(&op->queue);
    ngx_http_frontdesk_redis_op_free(op);
    ngx_http_frontdesk_redis_pend(peer, -1);

    if (peer->pending == 0 && peer->timeout.timer_set) {
        ngx_del_timer(&peer->timeout);
    }

    if (reply == NULL) {
        peer->up = 0;

    } else if (ngx_http_frontdesk_redis_refused(reply)) {
        ngx_http_frontdesk_redis_drop(peer, reply->str);
        reply = NULL;
    }

    if (handler) {
        handler(arg, reply);
    }
}


/*
 * A server that cannot serve now: a replica, one that starts, one that does not
 * know us or has lost our scripts.  Greeting it anew is the cure of the latter.
 */

static ngx_uint_t
ngx_http_frontdesk_redis_refused(redisReply *reply)
{
    return ngx_http_frontdesk_redis_says(reply, "READONLY")
           || ngx_http_frontdesk_redis_says(reply, "LOADING")
           || ngx_http_frontdesk_redis_says(reply, "MASTERDOWN")
           || ngx_http_frontdesk_redis_says(reply, "NOAUTH")
           || ngx_http_frontdesk_redis_says(reply, "NOSCRIPT");
}


static ngx_uint_t
ngx_http_frontdesk_redis_says(redisReply *reply, const char *code)
{
    size_t  len;

    if (reply->type != REDIS_REPLY_ERROR) {
        return 0;
    }

    len = ngx_strlen(code);

    return (size_t) reply->len > len
           && ngx_strncmp(reply->str, code, len) == 0
           && reply->str[len] == ' ';
}


static void
ngx_http_frontdesk_redis_timeout_handler(ngx_event_t *ev)
{
    ngx_queue_t                      *q;
    ngx_http_frontdesk_op_t          *op;
    ngx_http_frontdesk_peer_t        *peer;
    ngx_http_frontdesk_reply_pt       handler;
    ngx_http_frontdesk_main_conf_t   *mcf;

    peer = ev->data;
    mcf = ngx_http_frontdesk_main_conf();

    for (q = ngx_queue_head(&peer->ops);
         q != ngx_queue_sentinel(&peer->ops);
         q = ngx_queue_next(q))
    {
        op = ngx_queue_data(q, ngx_http_frontdesk_op_t, queue);

        if (ngx_current_msec - op->sent < mcf->redis_timeout) {
            break;
        }

        handler = op->handler;
        op->handler = NULL;

        if (handler) {
            handler(op->data, NULL);
        }
    }

    op = ngx_queue_data(ngx_queue_head(&peer->ops), ngx_http_frontdesk_op_t,
                        queue);

    if (ngx_current_msec - op->sent >= NGX_HTTP_FRONTDESK_REDIS_DEAD) {
        ngx_http_frontdesk_redis_drop(peer, "no reply");
        return;
    }

    ngx_http_frontdesk_redis_arm(peer);
}


/* to the first deadline of a command that is waited for, or the connection's */

static void
ngx_http_frontdesk_redis_arm(ngx_http_frontdesk_peer_t *peer)
{
    ngx_msec_t                       due;
    ngx_queue_t                     *q;
    ngx_msec_int_t                   wait;
    ngx_http_frontdesk_op_t         *op;
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_http_frontdesk_main_conf();

    op = ngx_queue_data(ngx_queue_head(&peer->ops), ngx_http_frontdesk_op_t,
                        queue);
    due = op->sent + NGX_HTTP_FRONTDESK_REDIS_DEAD;

    for (q = ngx_queue_head(&peer->ops);
         q != ngx_queue_sentinel(&peer->ops);
         q = ngx_queue_next(q))
    {
        op = ngx_queue_data(q, ngx_http_frontdesk_op_t, queue);

        if (op->handler) {
            if ((ngx_msec_int_t) (op->sent + mcf->redis_timeout - due) < 0) {
                due = op->sent + mcf->redis_timeout;
            }

            break;
        }
    }

    wait = (ngx_msec_int_t) (due - ngx_current_msec);
    ngx_add_timer(&peer->timeout, ngx_max(wait, 10));
}


static ngx_http_frontdesk_op_t *
ngx_http_frontdesk_redis_op_alloc(void)
{
    ngx_queue_t  *q;

    if (ngx_queue_empty(&ngx_http_frontdesk_free_ops)) {
        return ngx_alloc(sizeof(ngx_http_frontdesk_op_t), ngx_cycle->log);
    }

    q = ngx_queue_head(&ngx_http_frontdesk_free_ops);
    ngx_queue_remove(q);

    return ngx_queue_data(q, ngx_http_frontdesk_op_t, queue);
}


static void
ngx_http_frontdesk_redis_op_free(ngx_http_frontdesk_op_t *op)
{
    ngx_queue_insert_head(&ngx_http_frontdesk_free_ops, &op->queue);
}
