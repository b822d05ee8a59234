
/*
 * Is a job over, whose events are not to be had?  Its hash in the jobs Redis
 * says so; what it came to, a worker reads from the database and tells anew.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/job.h"
#include "protocol/keys.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


#define NGX_HTTP_FRONTDESK_REPLAYS  3


static void ngx_http_frontdesk_replay_resync(ngx_http_frontdesk_stream_t *s,
    void *data);
static void ngx_http_frontdesk_replay_checked(void *data, redisReply *reply);
static void ngx_http_frontdesk_replay_done(void *data, ngx_uint_t status);


/* a server that comes back may have lost its memory: look at the job, too */

void
ngx_http_frontdesk_stream_resync(void)
{
    ngx_http_frontdesk_pulse_each(ngx_http_frontdesk_replay_resync, NULL);
}


static void
ngx_http_frontdesk_replay_resync(ngx_http_frontdesk_stream_t *s, void *data)
{
    ngx_http_frontdesk_replay_check(s);
}


void
ngx_http_frontdesk_replay_check(ngx_http_frontdesk_stream_t *s)
{
    char       shard[5];
    ngx_str_t  argv[3];
    u_char     key[sizeof(FD_KEY_JOB) + FD_JOB_ID_SIZE + sizeof(shard)];

    if (!s->open || ngx_http_frontdesk_reader_busy(s) || s->job == NULL) {
        return;
    }

    if (s->follows) {

        /* from what it has read: is that still there? */

        s->resumed = (s->last.epoch != 0);
        ngx_http_frontdesk_reader_pull(s);
        return;
    }

    fd_job_id_shard((char *) s->job->id, s->job->node.str.len, shard);

    ngx_str_set(&argv[0], "HGET");
    argv[1].data = key;
    argv[1].len = ngx_sprintf(key, FD_KEY_JOB, shard, s->job->id) - key;
    ngx_str_set(&argv[2], "state");

    s->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_JOBS,
                                             ngx_http_frontdesk_replay_checked,
                                             s, 3, argv);
    if (s->op == NULL) {
        ngx_http_frontdesk_reader_pull(s);
    }
}


static void
ngx_http_frontdesk_replay_checked(void *data, redisReply *reply)
{
    ngx_http_frontdesk_stream_t  *s = data;

    s->op = NULL;

    if (reply && reply->type == REDIS_REPLY_STRING) {
        s->finished = ngx_strcmp(reply->str, FD_JOB_QUEUED) != 0
                      && ngx_strcmp(reply->str, FD_JOB_RUNNING) != 0;

    } else if (reply && reply->type == REDIS_REPLY_NIL) {

        /*
         * Long over; or lost by a fail-over before anything came of it, while
         * the request that made it is still here.
         */

        if (s->ctx->admission) {
            ngx_http_frontdesk_admission_repeat(s->ctx);

        } else {
            s->finished = 1;
        }
    }

    ngx_http_frontdesk_reader_pull(s);
}


/* the job is over and its last event is not to be had: a worker has it */

void
ngx_http_frontdesk_replay(ngx_http_frontdesk_stream_t *s)
{
    if (s->job->replaying == s || (s->job->replaying && !s->unproven)) {
        return;
    }

    if (s->replays++ == NGX_HTTP_FRONTDESK_REPLAYS
        || ngx_http_frontdesk_call_replay(s->request, s->ctx,
                                          ngx_http_frontdesk_replay_done,
                                          s)
           != NGX_OK)
    {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
        return;
    }

    s->job->replaying = s;
    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_REPLAYS);
}


static void
ngx_http_frontdesk_replay_done(void *data, ngx_uint_t status)
{
    ngx_http_frontdesk_stream_t  *s = data;

    if (s->end) {
        return;
    }

    s->job->replaying = NULL;

    if (status == NGX_HTTP_OK) {
        s->unproven = 0;
        ngx_http_frontdesk_reader_pull(s);
        return;
    }

    if (status == NGX_HTTP_NOT_FOUND) {
        ngx_http_frontdesk_stream_problem(s, FD_PROBLEM_NOT_FOUND);
        return;
    }

    ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                  NGX_HTTP_FRONTDESK_CLOSE_ERROR);
}
