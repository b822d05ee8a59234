
/*
 * Jobs whose client has gone for good.  Each is marked as cancelled; while
 * their server is away it is remembered, for when it is back.  What is lost all
 * the same, or one too many, a worker stops for want of listeners, only later.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_job_ask.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_redis.h"


#define NGX_HTTP_FRONTDESK_ORPHANS  1024


typedef struct {
    ngx_queue_t                  queue;
    u_char                       job[FD_JOB_ID_SIZE];
    u_char                       org[NGX_HTTP_FRONTDESK_UUID + 1];
    u_char                       session[FD_SESSION_ID_SIZE];
} ngx_http_frontdesk_orphan_t;


static ngx_int_t ngx_http_frontdesk_orphan_send(
    ngx_http_frontdesk_orphan_t *orphan);
static void ngx_http_frontdesk_orphan_reply(void *data, redisReply *reply);
static void ngx_http_frontdesk_orphan_keep(ngx_http_frontdesk_orphan_t *orphan);


/* their server could not be told; oldest first */
static ngx_queue_t  ngx_http_frontdesk_orphans = {
    &ngx_http_frontdesk_orphans, &ngx_http_frontdesk_orphans
};
static ngx_uint_t   ngx_http_frontdesk_orphan_count;


void
ngx_http_frontdesk_cancel_job(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_orphan_t  *orphan;

    /* the key is being read anew: nothing was admitted with it */

    if (ctx->key == NULL) {
        return;
    }

    orphan = ngx_alloc(sizeof(ngx_http_frontdesk_orphan_t), ngx_cycle->log);
    if (orphan == NULL) {
        return;
    }

    (void) ngx_cpystrn(orphan->job, ctx->job.data, FD_JOB_ID_SIZE);
    (void) ngx_cpystrn(orphan->org, ctx->key->org.data,
                        NGX_HTTP_FRONTDESK_UUID + 1);
    (void) ngx_cpystrn(orphan->session, ctx->session.data, FD_SESSION_ID_SIZE);

    if (ngx_http_frontdesk_orphan_send(orphan) != NGX_OK) {
        ngx_http_frontdesk_orphan_keep(orphan);
    }
}


void
ngx_http_frontdesk_orphan_resync(void)
{
    ngx_queue_t                  *q;
    ngx_http_frontdesk_orphan_t  *orphan;

    while (!ngx_queue_empty(&ngx_http_frontdesk_orphans)) {
        q = ngx_queue_head(&ngx_http_frontdesk_orphans);
        orphan = ngx_queue_data(q, ngx_http_frontdesk_orphan_t, queue);

        if (ngx_http_frontdesk_orphan_send(orphan) != NGX_OK) {
            return;
        }

        ngx_queue_remove(q);
        ngx_http_frontdesk_orphan_count--;
    }
}


static ngx_int_t
ngx_http_frontdesk_orphan_send(ngx_http_frontdesk_orphan_t *orphan)
{
    ngx_str_t  job, argv[3];
    char       shard[5];
    u_char     key[sizeof(FD_KEY_JOB) + FD_JOB_ID_SIZE + sizeof(shard)];

    job.data = orphan->job;
    job.len = ngx_strlen(orphan->job);

    fd_job_id_shard((char *) job.data, job.len, shard);

    argv[0].data = key;
    argv[0].len = ngx_sprintf(key, FD_KEY_JOB, shard, job.data) - key;
    argv[1].data = orphan->org;
    argv[1].len = ngx_strlen(orphan->org);
    argv[2].data = orphan->session;
    argv[2].len = ngx_strlen(orphan->session);

    if (ngx_http_frontdesk_redis_script(FD_SCRIPT_CANCEL,
                                        ngx_http_frontdesk_orphan_reply, orphan,
                                        1, 3, argv)
        == NULL)
    {
        return NGX_DECLINED;
    }

    ngx_http_frontdesk_job_hint(&job, FD_CONTROL_CANCEL);

    return NGX_OK;
}


static void
ngx_http_frontdesk_orphan_reply(void *data, redisReply *reply)
{
    if (reply) {
        ngx_free(data);
        return;
    }

    ngx_http_frontdesk_orphan_keep(data);
}


static void
ngx_http_frontdesk_orphan_keep(ngx_http_frontdesk_orphan_t *orphan)
{
    ngx_queue_t                  *q;
    ngx_http_frontdesk_orphan_t  *oldest;

    if (ngx_http_frontdesk_orphan_count == NGX_HTTP_FRONTDESK_ORPHANS) {
        q = ngx_queue_head(&ngx_http_frontdesk_orphans);
        oldest = ngx_queue_data(q, ngx_http_frontdesk_orphan_t, queue);

        ngx_queue_remove(q);
        ngx_http_frontdesk_orphan_count--;
        ngx_free(oldest);
    }

    ngx_queue_insert_tail(&ngx_http_frontdesk_orphans, &orphan->queue);
    ngx_http_frontdesk_orphan_count++;
}
