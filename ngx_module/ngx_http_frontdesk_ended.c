
/*
 * Sessions of users that ended although their claims are still good.  The live
 * Redis has them in FD_KEY_ENDED; each process reads the set when its channel
 * comes up, after it was subscribed, and hears of what is added from then on.
 * What it knows counts only while the channel is proven alive.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/keys.h"
#include "protocol/sign_in.h"

#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_sign_in.h"


#define NGX_HTTP_FRONTDESK_ENDED_MAX      8192
#define NGX_HTTP_FRONTDESK_ENDED_LIMIT    "8193"
#define NGX_HTTP_FRONTDESK_ENDED_BUCKETS  1024
#define NGX_HTTP_FRONTDESK_ENDED_RETRY    1000
#define NGX_HTTP_FRONTDESK_ENDED_SLACK    60     /* s, of clocks */
#define NGX_HTTP_FRONTDESK_ENDED_ID       36     /* a uuid */


typedef struct {
    ngx_queue_t                queue;
    time_t                     until;
    u_char                     id[NGX_HTTP_FRONTDESK_ENDED_ID];
} ngx_http_frontdesk_ended_t;


static void ngx_http_frontdesk_ended_load(void);
static void ngx_http_frontdesk_ended_cancel(ngx_http_frontdesk_op_t **op);
static void ngx_http_frontdesk_ended_read(void *data, redisReply *reply);
static void ngx_http_frontdesk_ended_marker(void *data, redisReply *reply);
static void ngx_http_frontdesk_ended_insert(u_char *id, size_t len,
    time_t until);
static ngx_http_frontdesk_ended_t *ngx_http_frontdesk_ended_node(u_char *id);
static void ngx_http_frontdesk_ended_sweep(time_t before);


static ngx_queue_t  ngx_http_frontdesk_ended_sets
                        [NGX_HTTP_FRONTDESK_ENDED_BUCKETS];
static ngx_uint_t   ngx_http_frontdesk_ended_count;
static ngx_uint_t   ngx_http_frontdesk_ended_loaded;
static ngx_uint_t   ngx_http_frontdesk_ended_partial;  /* not all was kept */
static ngx_msec_t   ngx_http_frontdesk_ended_tried;

static ngx_http_frontdesk_op_t  *ngx_http_frontdesk_ended_list_op;
static ngx_http_frontdesk_op_t  *ngx_http_frontdesk_ended_marker_op;


void
ngx_http_frontdesk_ended_init(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FRONTDESK_ENDED_BUCKETS; i++) {
        ngx_queue_init(&ngx_http_frontdesk_ended_sets[i]);
    }
}


ngx_int_t
ngx_http_frontdesk_ended_find(ngx_str_t *session)
{
    ngx_http_frontdesk_ended_t  *node;

    if (session->len != NGX_HTTP_FRONTDESK_ENDED_ID) {
        return NGX_OK;
    }

    node = ngx_http_frontdesk_ended_node(session->data);

    if (node && node->until >= ngx_time()) {
        return NGX_OK;
    }

    if (ngx_http_frontdesk_channel_alive()) {

        if (ngx_http_frontdesk_ended_loaded) {
            return NGX_DECLINED;
        }

        if (ngx_http_frontdesk_ended_marker_op == NULL
            && ngx_current_msec - ngx_http_frontdesk_ended_tried
               >= NGX_HTTP_FRONTDESK_ENDED_RETRY)
        {
            ngx_http_frontdesk_ended_load();
        }
    }

    return NGX_AGAIN;
}


void
ngx_http_frontdesk_ended_add(u_char *id, size_t len)
{
    ngx_http_frontdesk_ended_insert(id, len,
                                    ngx_time() + FD_SIGN_IN_ACCESS_MAX_S
                                    + NGX_HTTP_FRONTDESK_ENDED_SLACK);
}


/* the channel was away: what was added meanwhile is not known */

void
ngx_http_frontdesk_ended_reload(void)
{
    ngx_http_frontdesk_ended_cancel(&ngx_http_frontdesk_ended_list_op);
    ngx_http_frontdesk_ended_cancel(&ngx_http_frontdesk_ended_marker_op);

    ngx_http_frontdesk_ended_load();
}


static void
ngx_http_frontdesk_ended_load(void)
{
    u_char     now[NGX_TIME_T_LEN];
    ngx_str_t  argv[8];

    ngx_http_frontdesk_ended_loaded = 0;
    ngx_http_frontdesk_ended_partial = 0;
    ngx_http_frontdesk_ended_tried = ngx_current_msec;

    ngx_http_frontdesk_ended_sweep(ngx_time());

    ngx_str_set(&argv[0], "ZRANGEBYSCORE");
    ngx_str_set(&argv[1], FD_KEY_ENDED);
    argv[2].data = now;
    argv[2].len = ngx_sprintf(now, "%T", ngx_time()) - now;
    ngx_str_set(&argv[3], "+inf");
    ngx_str_set(&argv[4], "WITHSCORES");
    ngx_str_set(&argv[5], "LIMIT");
    ngx_str_set(&argv[6], "0");
    ngx_str_set(&argv[7], NGX_HTTP_FRONTDESK_ENDED_LIMIT);

    ngx_http_frontdesk_ended_list_op =
        ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                         ngx_http_frontdesk_ended_read, NULL,
                                         8, argv);

    if (ngx_http_frontdesk_ended_list_op == NULL) {
        return;
    }

    ngx_str_set(&argv[0], "EXISTS");
    ngx_str_set(&argv[1], FD_KEY_SYNCED);

    ngx_http_frontdesk_ended_marker_op =
        ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                         ngx_http_frontdesk_ended_marker, NULL,
                                         2, argv);

    if (ngx_http_frontdesk_ended_marker_op == NULL) {
        ngx_http_frontdesk_ended_cancel(&ngx_http_frontdesk_ended_list_op);
    }
}


static void
ngx_http_frontdesk_ended_cancel(ngx_http_frontdesk_op_t **op)
{
    if (*op) {
        ngx_http_frontdesk_redis_cancel(*op);
        *op = NULL;
    }
}


static void
ngx_http_frontdesk_ended_read(void *data, redisReply *reply)
{
    time_t       until;
    size_t       i;
    redisReply  *id, *score;

    ngx_http_frontdesk_ended_list_op = NULL;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        ngx_http_frontdesk_ended_partial = 1;
        return;
    }

    for (i = 0; i + 1 < reply->elements; i += 2) {
        id = reply->element[i];
        score = reply->element[i + 1];

        if (id->type != REDIS_REPLY_STRING
            || score->type != REDIS_REPLY_STRING)
        {
            ngx_http_frontdesk_ended_partial = 1;
            return;
        }

        until = ngx_atotm((u_char *) score->str, score->len);

        if (until == (time_t) NGX_ERROR) {
            until = ngx_time() + FD_SIGN_IN_ACCESS_MAX_S;
        }

        ngx_http_frontdesk_ended_insert((u_char *) id->str, id->len, until);
    }
}


/* the same rule as for keys: without the marker the set may lack some */

static void
ngx_http_frontdesk_ended_marker(void *data, redisReply *reply)
{
    ngx_http_frontdesk_ended_marker_op = NULL;

    if (ngx_http_frontdesk_ended_list_op) {
        ngx_http_frontdesk_ended_cancel(&ngx_http_frontdesk_ended_list_op);
        return;
    }

    if (reply && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1
        && !ngx_http_frontdesk_ended_partial)
    {
        ngx_http_frontdesk_ended_loaded = 1;
    }
}


static void
ngx_http_frontdesk_ended_insert(u_char *id, size_t len, time_t until)
{
    uint32_t                     hash;
    ngx_http_frontdesk_ended_t  *node;

    if (len != NGX_HTTP_FRONTDESK_ENDED_ID) {
        return;
    }

    node = ngx_http_frontdesk_ended_node(id);

    if (node) {
        node->until = ngx_max(node->until, until);
        return;
    }

    if (ngx_http_frontdesk_ended_count == NGX_HTTP_FRONTDESK_ENDED_MAX) {
        ngx_http_frontdesk_ended_sweep(ngx_time());
    }

    node = (ngx_http_frontdesk_ended_count < NGX_HTTP_FRONTDESK_ENDED_MAX)
           ? ngx_alloc(sizeof(ngx_http_frontdesk_ended_t), ngx_cycle->log)
           : NULL;

    if (node == NULL) {

        /* a session that is not here may have ended: Redis is asked of each */

        ngx_http_frontdesk_ended_partial = 1;
        ngx_http_frontdesk_ended_loaded = 0;
        return;
    }

    ngx_memcpy(node->id, id, NGX_HTTP_FRONTDESK_ENDED_ID);
    node->until = until;

    hash = ngx_murmur_hash2(id, NGX_HTTP_FRONTDESK_ENDED_ID);

    ngx_queue_insert_head(&ngx_http_frontdesk_ended_sets
                               [hash % NGX_HTTP_FRONTDESK_ENDED_BUCKETS],
                          &node->queue);
    ngx_http_frontdesk_ended_count++;
}


static ngx_http_frontdesk_ended_t *
ngx_http_frontdesk_ended_node(u_char *id)
{
    uint32_t                     hash;
    ngx_queue_t                 *set, *q;
    ngx_http_frontdesk_ended_t  *node;

    hash = ngx_murmur_hash2(id, NGX_HTTP_FRONTDESK_ENDED_ID);
    set = &ngx_http_frontdesk_ended_sets[hash
                                         % NGX_HTTP_FRONTDESK_ENDED_BUCKETS];

    for (q = ngx_queue_head(set); q != set; q = ngx_queue_next(q)) {
        node = ngx_queue_data(q, ngx_http_frontdesk_ended_t, queue);

        if (ngx_memcmp(node->id, id, NGX_HTTP_FRONTDESK_ENDED_ID) == 0) {
            return node;
        }
    }

    return NULL;
}


static void
ngx_http_frontdesk_ended_sweep(time_t before)
{
    ngx_uint_t                   i;
    ngx_queue_t                 *set, *q, *next;
    ngx_http_frontdesk_ended_t  *node;

    for (i = 0; i < NGX_HTTP_FRONTDESK_ENDED_BUCKETS; i++) {
        set = &ngx_http_frontdesk_ended_sets[i];

        for (q = ngx_queue_head(set); q != set; q = next) {
            next = ngx_queue_next(q);
            node = ngx_queue_data(q, ngx_http_frontdesk_ended_t, queue);

            if (node->until < before) {
                ngx_queue_remove(q);
                ngx_free(node);
                ngx_http_frontdesk_ended_count--;
            }
        }
    }
}
