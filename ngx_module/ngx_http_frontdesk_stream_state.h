
/*
 * Between the files of an open answer, and of a stream of a session's events,
 * which has all but the last word of it in common: the state that they share,
 * and what each does for the others.
 */


#ifndef _NGX_HTTP_FRONTDESK_STREAM_STATE_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_STREAM_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/event.h"
#include "protocol/ids.h"
#include "protocol/limits.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_stream.h"


/* past it a job is not waited for, whatever became of its worker */
#define NGX_HTTP_FRONTDESK_STREAM_LIFE  (FD_JOB_DEADLINE_MS + 15000)
/* past it who follows a session comes back, and proves its key again */
#define NGX_HTTP_FRONTDESK_FOLLOW_LIFE  (15 * 60 * 1000)
/* unsent bytes above which a client counts as blocked */
#define NGX_HTTP_FRONTDESK_STREAM_OUT   65536


typedef struct {
    ngx_str_node_t                  node;
    ngx_queue_t                     streams;      /* tabs, repeated POSTs */
    ngx_http_frontdesk_stream_t    *replaying;    /* who asked for it */
    ngx_uint_t                      subscribed;   /* and acknowledged */
    ngx_uint_t                      held;         /* a loop walks streams */
    ngx_uint_t                      followed;     /* a session's events, and
                                                     not a job's */
    u_char                          id[FD_JOB_ID_SIZE];
} ngx_http_frontdesk_job_t;


/* what the client gets, told once the request's turn comes */

typedef enum {
    NGX_HTTP_FRONTDESK_END_NONE = 0,
    NGX_HTTP_FRONTDESK_END_EVENT,      /* the terminal event */
    NGX_HTTP_FRONTDESK_END_PROBLEM,
    NGX_HTTP_FRONTDESK_END_LATER,      /* retry: and come back */
    NGX_HTTP_FRONTDESK_END_READ        /* nothing: it has everything */
} ngx_http_frontdesk_end_e;


struct ngx_http_frontdesk_stream_s {
    ngx_queue_t                     queue;        /* of the job */
    ngx_queue_t                     dirty;        /* has something to send */
    ngx_queue_t                     beats;        /* by next heartbeat */
    ngx_queue_t                     watch;        /* by last sign of life */

    ngx_http_request_t             *request;
    ngx_http_frontdesk_ctx_t       *ctx;
    ngx_http_frontdesk_job_t       *job;
    ngx_http_frontdesk_op_t        *op;           /* a look at the job */

    struct fd_event_id              last;         /* written */
    struct fd_event_id              announced;    /* the highest heard of */
    ngx_msec_t                      beat;
    ngx_msec_t                      watched;

    ngx_chain_t                    *free;
    ngx_chain_t                    *busy;
    ngx_chain_t                    *out;
    ngx_chain_t                    *tail;         /* of out */
    size_t                          size;         /* of out */
    ngx_buf_t                       text;         /* a static one's */

    ngx_str_t                       answer;       /* data of a JSON answer */
    enum fd_event_type              type;         /* of it */
    enum fd_problem_type            problem;
    ngx_http_frontdesk_end_e        end;
    ngx_uint_t                      replays;

    unsigned                        open:1;
    unsigned                        headers:1;    /* sent */
    unsigned                        begun:1;      /* a completion's delta is
                                                     written */
    unsigned                        lazy:1;       /* no headers before it is
                                                     known what there is */
    unsigned                        blocked:1;
    unsigned                        finished:1;   /* the job is terminal */
    unsigned                        unproven:1;   /* whose it is, a worker has
                                                     to say before a byte */
    unsigned                        resumed:1;    /* first pull: from `last` */
    unsigned                        follows:1;    /* a session */
    unsigned                        late:1;       /* and begins at its end */
    unsigned                        more:1;       /* the last pull left some */
    unsigned                        stuck:1;      /* looked, found a gap */
};


/* ngx_http_frontdesk_stream.c */

/* its client can come back for the rest of it */
#define ngx_http_frontdesk_stream_resumes(s)                                  \
    ((s)->ctx->chat.stream && !(s)->ctx->openai)


/* the first call counts; nothing is read for the stream any more */
void ngx_http_frontdesk_stream_end(ngx_http_frontdesk_stream_t *s,
    ngx_http_frontdesk_end_e end, ngx_http_frontdesk_close_e close);
void ngx_http_frontdesk_stream_problem(ngx_http_frontdesk_stream_t *s,
    enum fd_problem_type type);
void ngx_http_frontdesk_stream_unlink(ngx_queue_t *q);


/* ngx_http_frontdesk_flush.c: what there is to send, at the end of a turn */

void ngx_http_frontdesk_flush_init(ngx_cycle_t *cycle);
/* queues it for the end of the loop's turn */
void ngx_http_frontdesk_flush_touch(ngx_http_frontdesk_stream_t *s);
/* headers, what is there and, of a stream that ended, its last words */
ngx_int_t ngx_http_frontdesk_flush_send(ngx_http_frontdesk_stream_t *s);
/* its request's write events from now on */
void ngx_http_frontdesk_flush_start(ngx_http_frontdesk_stream_t *s);


/* ngx_http_frontdesk_job.c: the table of jobs */

void ngx_http_frontdesk_job_table_init(void);
ngx_int_t ngx_http_frontdesk_job_join(ngx_http_frontdesk_stream_t *s,
    ngx_str_t *id);
void ngx_http_frontdesk_job_leave(ngx_http_frontdesk_stream_t *s);
/* how many streams of this process have joined it */
ngx_uint_t ngx_http_frontdesk_job_crowd(ngx_str_t *id);


/* ngx_http_frontdesk_reader.c: events, by the rules of the hand-off */

/* an event was published */
void ngx_http_frontdesk_reader_offer(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event, u_char *frame, size_t len);
/* reads what is missing, as soon as its channel is subscribed */
void ngx_http_frontdesk_reader_pull(ngx_http_frontdesk_stream_t *s);
/* the next pull was not to be had */
void ngx_http_frontdesk_reader_failed(ngx_http_frontdesk_stream_t *s);
ngx_uint_t ngx_http_frontdesk_reader_behind(ngx_http_frontdesk_stream_t *s);
/* a client that is behind, or will be in a moment */
ngx_uint_t ngx_http_frontdesk_reader_busy(ngx_http_frontdesk_stream_t *s);
/* 0: no event, which is logged */
ngx_uint_t ngx_http_frontdesk_reader_entry(ngx_http_frontdesk_stream_t *s,
    struct redisReply *entry, struct fd_event *event,
    struct redisReply **frame);


/* ngx_http_frontdesk_replay.c: is the job over? */

/* pulls, but asks that first */
void ngx_http_frontdesk_replay_check(ngx_http_frontdesk_stream_t *s);
/* it is, and its last event is not to be had: a worker has it */
void ngx_http_frontdesk_replay(ngx_http_frontdesk_stream_t *s);


/* ngx_http_frontdesk_follow.c: streams of a session */

/* what is not kept: written at once, or never */
void ngx_http_frontdesk_follow_pass(ngx_http_frontdesk_stream_t *s,
    u_char *frame, size_t len);
/* before what was pulled is dealt with: is it what comes next? */
void ngx_http_frontdesk_follow_meet(ngx_http_frontdesk_stream_t *s,
    struct redisReply *reply);


/* ngx_http_frontdesk_answer.c: an answer in one piece */

/* of a request that is no stream; what to finalize it with */
ngx_int_t ngx_http_frontdesk_answer(ngx_http_frontdesk_stream_t *s);
ngx_int_t ngx_http_frontdesk_answer_headers(ngx_http_frontdesk_stream_t *s);


/* ngx_http_frontdesk_chunk.c: streams of OpenAI's clients */

ngx_int_t ngx_http_frontdesk_chunk_store(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event);
ngx_int_t ngx_http_frontdesk_chunk_farewell(ngx_http_frontdesk_stream_t *s);
/* nothing was written yet: an error may still be the status */
ngx_uint_t ngx_http_frontdesk_chunk_unbegun(ngx_http_frontdesk_stream_t *s);
/* who gave up, gave up for good: the job is stopped */
void ngx_http_frontdesk_chunk_abandon(ngx_http_frontdesk_stream_t *s);


/* ngx_http_frontdesk_sse.c: server-sent events */

ngx_int_t ngx_http_frontdesk_sse_headers(ngx_http_frontdesk_stream_t *s);
/* the last words of a stream that ends without its job's */
ngx_int_t ngx_http_frontdesk_sse_farewell(ngx_http_frontdesk_stream_t *s);
ngx_int_t ngx_http_frontdesk_sse_ping(ngx_http_frontdesk_stream_t *s);


/* ngx_http_frontdesk_output.c: buffers, and whether the client takes them */

/* NGX_ERROR: no memory */
ngx_int_t ngx_http_frontdesk_output_init(ngx_http_frontdesk_stream_t *s);
ngx_int_t ngx_http_frontdesk_output_append(ngx_http_frontdesk_stream_t *s,
    u_char *data, size_t len);
/* a text of less than a block, before all that is not sent yet */
ngx_int_t ngx_http_frontdesk_output_prepend(ngx_http_frontdesk_stream_t *s,
    u_char *data, size_t len);
/* NGX_ERROR: the client is gone; sets s->blocked */
ngx_int_t ngx_http_frontdesk_output_send(ngx_http_frontdesk_stream_t *s,
    ngx_uint_t last);
/* the same for a static text, while nothing else is to be sent */
ngx_int_t ngx_http_frontdesk_output_send_text(ngx_http_frontdesk_stream_t *s,
    u_char *text, size_t len);
/* the socket is writable again: NGX_AGAIN while still blocked */
ngx_int_t ngx_http_frontdesk_output_drain(ngx_http_frontdesk_stream_t *s);


/* ngx_http_frontdesk_drain.c: the end of the process */

ngx_int_t ngx_http_frontdesk_drain_init(ngx_cycle_t *cycle);
/* a graceful shutdown has begun */
ngx_uint_t ngx_http_frontdesk_draining(void);
/* the process stays for a stream that was opened since */
void ngx_http_frontdesk_drain_wait(void);


/* ngx_http_frontdesk_pulse.c: heartbeats and silence */

void ngx_http_frontdesk_pulse_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_pulse_start(ngx_http_frontdesk_stream_t *s);
/* a sign of life of the job */
void ngx_http_frontdesk_pulse_heard(ngx_http_frontdesk_stream_t *s);
/* look again in a second: Redis could not be asked */
void ngx_http_frontdesk_pulse_again(ngx_http_frontdesk_stream_t *s);
/* all open streams; `next` may end the one it is called with */
void ngx_http_frontdesk_pulse_each(
    void (*next)(ngx_http_frontdesk_stream_t *s, void *data), void *data);


#endif /* _NGX_HTTP_FRONTDESK_STREAM_STATE_H_INCLUDED_ */
