
/*
 * Heartbeats of open streams, and a second look at jobs that are silent: a
 * timer a process, whatever the number of streams.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/limits.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_stream_state.h"


#define NGX_HTTP_FRONTDESK_PULSE_AGAIN  1000


/* streams that were put into it `delay` ago are looked at */

typedef struct {
    ngx_queue_t                  streams;
    ngx_event_t                  timer;
    ngx_msec_t                   delay;
} ngx_http_frontdesk_watch_t;


static void ngx_http_frontdesk_watch_init(ngx_http_frontdesk_watch_t *watch,
    ngx_msec_t delay, ngx_cycle_t *cycle);
static void ngx_http_frontdesk_watch_add(ngx_http_frontdesk_watch_t *watch,
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_watch_handler(ngx_event_t *ev);
static void ngx_http_frontdesk_watch_each(ngx_http_frontdesk_watch_t *watch,
    void (*next)(ngx_http_frontdesk_stream_t *s, void *data), void *data);
static void ngx_http_frontdesk_pulse_beat_handler(ngx_event_t *ev);
static void ngx_http_frontdesk_pulse_beat(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_pulse_begin(
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_pulse_queue_beat(
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_pulse_arm(ngx_event_t *ev, ngx_msec_t due);


static ngx_queue_t  ngx_http_frontdesk_beats;
static ngx_event_t  ngx_http_frontdesk_beat_timer;

/* every open stream is in one of them */
static ngx_http_frontdesk_watch_t  ngx_http_frontdesk_silent;
static ngx_http_frontdesk_watch_t  ngx_http_frontdesk_again;


void
ngx_http_frontdesk_pulse_init(ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;

    ngx_queue_init(&ngx_http_frontdesk_beats);

    ev = &ngx_http_frontdesk_beat_timer;
    ev->handler = ngx_http_frontdesk_pulse_beat_handler;
    ev->data = &ngx_http_frontdesk_silent;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_http_frontdesk_watch_init(&ngx_http_frontdesk_silent,
                                  FD_SILENT_PULL_MS, cycle);
    ngx_http_frontdesk_watch_init(&ngx_http_frontdesk_again,
                                  NGX_HTTP_FRONTDESK_PULSE_AGAIN, cycle);
}


void
ngx_http_frontdesk_pulse_start(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_loc_conf_t  *lcf;

    ngx_http_frontdesk_pulse_heard(s);

    if (!s->ctx->chat.stream) {
        return;
    }

    lcf = ngx_http_get_module_loc_conf(s->request, ngx_http_frontdesk_module);

    s->beat = s->ctx->started;

    do {
        s->beat += lcf->heartbeat;
    } while ((ngx_msec_int_t) (s->beat - ngx_current_msec) <= 0);

    ngx_http_frontdesk_pulse_queue_beat(s);
    ngx_http_frontdesk_pulse_arm(&ngx_http_frontdesk_beat_timer, s->beat);
}


void
ngx_http_frontdesk_pulse_heard(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_watch_add(&ngx_http_frontdesk_silent, s);
}


void
ngx_http_frontdesk_pulse_again(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_watch_add(&ngx_http_frontdesk_again, s);
}


void
ngx_http_frontdesk_pulse_each(
    void (*next)(ngx_http_frontdesk_stream_t *s, void *data), void *data)
{
    ngx_http_frontdesk_watch_each(&ngx_http_frontdesk_again, next, data);
    ngx_http_frontdesk_watch_each(&ngx_http_frontdesk_silent, next, data);
}


static void
ngx_http_frontdesk_watch_init(ngx_http_frontdesk_watch_t *watch,
    ngx_msec_t delay, ngx_cycle_t *cycle)
{
    ngx_queue_init(&watch->streams);
    watch->delay = delay;

    watch->timer.handler = ngx_http_frontdesk_watch_handler;
    watch->timer.data = watch;
    watch->timer.log = cycle->log;
    watch->timer.cancelable = 1;
}


static void
ngx_http_frontdesk_watch_add(ngx_http_frontdesk_watch_t *watch,
    ngx_http_frontdesk_stream_t *s)
{
    if (!s->open || s->end) {
        return;
    }

    ngx_http_frontdesk_stream_unlink(&s->watch);
    ngx_queue_insert_tail(&watch->streams, &s->watch);

    s->watched = ngx_current_msec;

    ngx_http_frontdesk_pulse_arm(&watch->timer, s->watched + watch->delay);
}


static void
ngx_http_frontdesk_watch_handler(ngx_event_t *ev)
{
    ngx_msec_t                    due;
    ngx_queue_t                  *q;
    ngx_http_frontdesk_watch_t   *watch;
    ngx_http_frontdesk_stream_t  *s;

    watch = ev->data;

    while (!ngx_queue_empty(&watch->streams)) {
        q = ngx_queue_head(&watch->streams);
        s = ngx_queue_data(q, ngx_http_frontdesk_stream_t, watch);

        due = s->watched + watch->delay;

        if ((ngx_msec_int_t) (due - ngx_current_msec) > 0) {
            ngx_http_frontdesk_pulse_arm(ev, due);
            return;
        }

        if (!s->follows
            && ngx_current_msec - s->ctx->started
               >= NGX_HTTP_FRONTDESK_STREAM_LIFE)
        {
            ngx_http_frontdesk_stream_problem(s, FD_PROBLEM_DEADLINE);
            continue;
        }

        ngx_http_frontdesk_pulse_heard(s);
        ngx_http_frontdesk_replay_check(s);
    }
}


/* what `next` does may put its stream into either queue, at the end */

static void
ngx_http_frontdesk_watch_each(ngx_http_frontdesk_watch_t *watch,
    void (*next)(ngx_http_frontdesk_stream_t *s, void *data), void *data)
{
    ngx_queue_t                  *q, walk;
    ngx_http_frontdesk_stream_t  *s;

    ngx_queue_init(&walk);

    if (!ngx_queue_empty(&watch->streams)) {
        ngx_queue_add(&walk, &watch->streams);
        ngx_queue_init(&watch->streams);
    }

    while (!ngx_queue_empty(&walk)) {
        q = ngx_queue_head(&walk);
        s = ngx_queue_data(q, ngx_http_frontdesk_stream_t, watch);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&watch->streams, q);

        next(s, data);
    }
}


static void
ngx_http_frontdesk_pulse_beat_handler(ngx_event_t *ev)
{
    ngx_queue_t                  *q;
    ngx_http_frontdesk_stream_t  *s;

    while (!ngx_queue_empty(&ngx_http_frontdesk_beats)) {
        q = ngx_queue_head(&ngx_http_frontdesk_beats);
        s = ngx_queue_data(q, ngx_http_frontdesk_stream_t, beats);

        if ((ngx_msec_int_t) (s->beat - ngx_current_msec) > 0) {
            ngx_http_frontdesk_pulse_arm(ev, s->beat);
            return;
        }

        ngx_http_frontdesk_pulse_beat(s);
    }
}


/* a client that does not take what it has gets no more: its time runs out */

static void
ngx_http_frontdesk_pulse_beat(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_loc_conf_t  *lcf;

    if (s->follows
        && ngx_current_msec - s->ctx->started
           >= NGX_HTTP_FRONTDESK_FOLLOW_LIFE)
    {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_DONE);
        return;
    }

    lcf = ngx_http_get_module_loc_conf(s->request, ngx_http_frontdesk_module);

    ngx_http_frontdesk_stream_unlink(&s->beats);

    do {
        s->beat += lcf->heartbeat;
    } while ((ngx_msec_int_t) (s->beat - ngx_current_msec) <= 0);

    ngx_http_frontdesk_pulse_queue_beat(s);

    if (ngx_http_frontdesk_pulse_begin(s) != NGX_OK
        || (s->headers && !s->blocked && s->out == NULL
            && ngx_http_frontdesk_sse_ping(s) != NGX_OK))
    {
        ngx_http_frontdesk_resume(s->request, NGX_ERROR);
    }
}


/* of a completion, which has no header before its first delta otherwise */

static ngx_int_t
ngx_http_frontdesk_pulse_begin(ngx_http_frontdesk_stream_t *s)
{
    if (!s->ctx->openai || s->lazy || s->unproven
        || !ngx_http_frontdesk_chunk_unbegun(s))
    {
        return NGX_OK;
    }

    return ngx_http_frontdesk_sse_headers(s);
}


/* nearly always at the end: locations may differ in their heartbeat */

static void
ngx_http_frontdesk_pulse_queue_beat(ngx_http_frontdesk_stream_t *s)
{
    ngx_queue_t                  *q;
    ngx_http_frontdesk_stream_t  *other;

    for (q = ngx_queue_last(&ngx_http_frontdesk_beats);
         q != ngx_queue_sentinel(&ngx_http_frontdesk_beats);
         q = ngx_queue_prev(q))
    {
        other = ngx_queue_data(q, ngx_http_frontdesk_stream_t, beats);

        if ((ngx_msec_int_t) (s->beat - other->beat) >= 0) {
            break;
        }
    }

    ngx_queue_insert_after(q, &s->beats);
}


static void
ngx_http_frontdesk_pulse_arm(ngx_event_t *ev, ngx_msec_t due)
{
    ngx_msec_int_t  wait;

    wait = (ngx_msec_int_t) (due - ngx_current_msec);

    if (ev->timer_set && (ngx_msec_int_t) (ev->timer.key - due) <= 0) {
        return;
    }

    ngx_add_timer(ev, ngx_max(wait, 1));
}
