
/*
 * The table of jobs with open streams, and who of them hears what: several
 * tabs or repeated requests may follow one job.  A session that is followed is
 * in it like a job that never ends; the ids differ in length.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/event.h"
#include "protocol/ids.h"

#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


static ngx_http_frontdesk_job_t *ngx_http_frontdesk_job_find(u_char *id,
    size_t len);
static ngx_http_frontdesk_job_t *ngx_http_frontdesk_job_add(ngx_str_t *id);
static void ngx_http_frontdesk_job_release(ngx_http_frontdesk_job_t *job);


static ngx_rbtree_t       ngx_http_frontdesk_jobs;
static ngx_rbtree_node_t  ngx_http_frontdesk_jobs_sentinel;


void
ngx_http_frontdesk_job_table_init(void)
{
    ngx_rbtree_init(&ngx_http_frontdesk_jobs,
                    &ngx_http_frontdesk_jobs_sentinel,
                    ngx_str_rbtree_insert_value);
}


ngx_int_t
ngx_http_frontdesk_job_join(ngx_http_frontdesk_stream_t *s, ngx_str_t *id)
{
    ngx_http_frontdesk_job_t  *job;

    job = ngx_http_frontdesk_job_find(id->data, id->len);

    if (job == NULL) {
        job = ngx_http_frontdesk_job_add(id);
        if (job == NULL) {
            return NGX_ERROR;
        }
    }

    s->job = job;
    ngx_queue_insert_tail(&job->streams, &s->queue);

    return NGX_OK;
}


void
ngx_http_frontdesk_job_leave(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_job_t  *job;

    if (s->op) {
        ngx_http_frontdesk_redis_cancel(s->op);
        s->op = NULL;
    }

    job = s->job;

    if (job == NULL) {
        return;
    }

    s->job = NULL;
    ngx_http_frontdesk_stream_unlink(&s->queue);

    if (job->replaying == s) {
        job->replaying = NULL;
    }

    ngx_http_frontdesk_job_release(job);
}


static ngx_http_frontdesk_job_t *
ngx_http_frontdesk_job_find(u_char *id, size_t len)
{
    ngx_str_t        name;
    ngx_str_node_t  *node;

    name.data = id;
    name.len = len;

    node = ngx_str_rbtree_lookup(&ngx_http_frontdesk_jobs, &name,
                                 ngx_crc32_short(id, len));

    return (ngx_http_frontdesk_job_t *) node;
}


static ngx_http_frontdesk_job_t *
ngx_http_frontdesk_job_add(ngx_str_t *id)
{
    ngx_http_frontdesk_job_t  *job;

    if (id->len >= FD_JOB_ID_SIZE) {
        return NULL;
    }

    job = ngx_calloc(sizeof(ngx_http_frontdesk_job_t), ngx_cycle->log);
    if (job == NULL) {
        return NULL;
    }

    job->followed = (id->len == FD_SESSION_ID_LEN);

    ngx_memcpy(job->id, id->data, id->len);
    ngx_queue_init(&job->streams);

    job->node.str.data = job->id;
    job->node.str.len = id->len;
    job->node.node.key = ngx_crc32_short(id->data, id->len);

    ngx_rbtree_insert(&ngx_http_frontdesk_jobs, &job->node.node);

    (void) ngx_http_frontdesk_channel_subscribe(&job->node.str);

    return job;
}


ngx_uint_t
ngx_http_frontdesk_job_crowd(ngx_str_t *id)
{
    ngx_uint_t                 n;
    ngx_queue_t               *q;
    ngx_http_frontdesk_job_t  *job;

    job = ngx_http_frontdesk_job_find(id->data, id->len);

    if (job == NULL) {
        return 0;
    }

    n = 0;

    for (q = ngx_queue_head(&job->streams);
         q != ngx_queue_sentinel(&job->streams);
         q = ngx_queue_next(q))
    {
        n++;
    }

    return n;
}


static void
ngx_http_frontdesk_job_release(ngx_http_frontdesk_job_t *job)
{
    if (job->held || !ngx_queue_empty(&job->streams)) {
        return;
    }

    ngx_http_frontdesk_channel_unsubscribe(&job->node.str);

    ngx_rbtree_delete(&ngx_http_frontdesk_jobs, &job->node.node);
    ngx_free(job);
}


void
ngx_http_frontdesk_stream_message(u_char *id, size_t id_len, u_char *frame,
    size_t len)
{
    ngx_uint_t                    passing;
    ngx_queue_t                  *q, *next;
    struct fd_event               event;
    ngx_http_frontdesk_job_t     *job;
    ngx_http_frontdesk_stream_t  *s;

    job = ngx_http_frontdesk_job_find(id, id_len);

    if (job == NULL) {
        return;
    }

    passing = job->followed && fd_event_passing((char *) frame, len);

    if (!passing && !fd_event_parse((char *) frame, len, &event)) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "frontdesk: invalid event of job \"%V\"",
                      &job->node.str);
        return;
    }

    /* the job outlives the loop, even if its last stream ends in it */

    job->held = 1;

    for (q = ngx_queue_head(&job->streams);
         q != ngx_queue_sentinel(&job->streams);
         q = next)
    {
        next = ngx_queue_next(q);
        s = ngx_queue_data(q, ngx_http_frontdesk_stream_t, queue);

        if (passing) {
            ngx_http_frontdesk_follow_pass(s, frame, len);

        } else {
            ngx_http_frontdesk_reader_offer(s, &event, frame, len);
        }
    }

    job->held = 0;
    ngx_http_frontdesk_job_release(job);
}


void
ngx_http_frontdesk_stream_subscribed(u_char *id, size_t len)
{
    ngx_queue_t               *q, *next;
    ngx_http_frontdesk_job_t  *job;

    job = ngx_http_frontdesk_job_find(id, len);

    if (job == NULL) {
        return;
    }

    job->subscribed = 1;
    job->held = 1;

    /* what was published until now, nobody has told us */

    for (q = ngx_queue_head(&job->streams);
         q != ngx_queue_sentinel(&job->streams);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_http_frontdesk_reader_pull(
                      ngx_queue_data(q, ngx_http_frontdesk_stream_t, queue));
    }

    job->held = 0;
    ngx_http_frontdesk_job_release(job);
}


void
ngx_http_frontdesk_stream_resubscribe(void)
{
    ngx_rbtree_node_t         *node;
    ngx_http_frontdesk_job_t  *job;

    if (ngx_http_frontdesk_jobs.root == &ngx_http_frontdesk_jobs_sentinel) {
        return;
    }

    for (node = ngx_rbtree_min(ngx_http_frontdesk_jobs.root,
                               &ngx_http_frontdesk_jobs_sentinel);
         node;
         node = ngx_rbtree_next(&ngx_http_frontdesk_jobs, node))
    {
        job = (ngx_http_frontdesk_job_t *) node;

        job->subscribed = 0;
        (void) ngx_http_frontdesk_channel_subscribe(&job->node.str);
    }
}
