
/*
 * An open answer, from its admission to its end.
 *
 * Whatever happens to a stream only marks it; what there is to send, its end
 * included, is sent in one go at the end of the loop's turn.  So nothing that
 * walks over streams ever sees one go away.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk.h"
#include "ngx_http_frontdesk_stream.h"


static ngx_http_frontdesk_stream_t *ngx_http_frontdesk_stream_create(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_stream_start(ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_stream_flush_handler(ngx_event_t *ev);
static void ngx_http_frontdesk_stream_flush(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_stream_send(
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_stream_finish(ngx_http_frontdesk_stream_t *s,
    ngx_int_t rc);
static void ngx_http_frontdesk_stream_write_handler(ngx_http_request_t *r);
static void ngx_http_frontdesk_stream_wait_handler(ngx_http_request_t *r);
static void ngx_http_frontdesk_stream_cleanup(void *data);


static ngx_queue_t  ngx_http_frontdesk_dirty;
static ngx_event_t  ngx_http_frontdesk_flush;
static ngx_int_t    ngx_http_frontdesk_streams;


ngx_int_t
ngx_http_frontdesk_stream_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_http_frontdesk_dirty);

    ngx_http_frontdesk_flush.handler = ngx_http_frontdesk_stream_flush_handler;
    ngx_http_frontdesk_flush.data = &ngx_http_frontdesk_flush;
    ngx_http_frontdesk_flush.log = cycle->log;

    ngx_http_frontdesk_job_table_init();

    ngx_http_frontdesk_pulse_init(cycle);

    return ngx_http_frontdesk_drain_init(cycle);
}


ngx_int_t
ngx_http_frontdesk_stream_prepare(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_stream_t  *s;

    s = ngx_http_frontdesk_stream_create(r, ctx);

    if (s == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_job_join(s, &ctx->job);
}


void
ngx_http_frontdesk_stream_open(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_stream_t  *s;

    s = ctx->stream;

    ngx_http_frontdesk_stream_start(s);

    if (!s->end && ngx_http_frontdesk_reader_behind(s)) {
        ngx_http_frontdesk_reader_pull(s);
    }
}


void
ngx_http_frontdesk_stream_attach(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last,
    ngx_uint_t finished, ngx_uint_t unproven)
{
    ngx_http_frontdesk_stream_t  *s;

    s = ctx->stream ? ctx->stream : ngx_http_frontdesk_stream_create(r, ctx);

    if (s == NULL) {
        ngx_http_frontdesk_resume(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_frontdesk_job_leave(s);

    s->last = last;
    s->announced = last;
    s->resumed = (last.epoch != 0);
    s->finished = finished;
    s->unproven = unproven;
    s->lazy = 1;

    if (ngx_http_frontdesk_job_join(s, &ctx->job) != NGX_OK) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
    }

    ngx_http_frontdesk_stream_start(s);
    ngx_http_frontdesk_reader_pull(s);
}


void
ngx_http_frontdesk_stream_follow(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last)
{
    ngx_http_frontdesk_stream_t  *s;

    s = ngx_http_frontdesk_stream_create(r, ctx);

    if (s == NULL) {
        ngx_http_frontdesk_resume(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    s->follows = 1;
    s->last = last;
    s->announced = last;
    s->resumed = (last.epoch != 0);
    s->late = (last.epoch == 0);
    s->lazy = 1;

    if (ngx_http_frontdesk_job_join(s, &ctx->session) != NGX_OK) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
    }

    ngx_http_frontdesk_stream_start(s);
    ngx_http_frontdesk_reader_pull(s);
}


ngx_int_t
ngx_http_frontdesk_stream_later(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_frontdesk_stream_t  *s;

    s = ctx->stream ? ctx->stream : ngx_http_frontdesk_stream_create(r, ctx);

    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                  NGX_HTTP_FRONTDESK_CLOSE_ERROR);
    ngx_http_frontdesk_stream_unlink(&s->dirty);

    rc = ngx_http_frontdesk_stream_resumes(s)
         ? ngx_http_frontdesk_stream_send(s)
         : ngx_http_frontdesk_answer(s);

    return (rc == NGX_OK || rc == NGX_AGAIN) ? NGX_HTTP_OK : rc;
}


void
ngx_http_frontdesk_stream_fail(ngx_http_frontdesk_ctx_t *ctx,
    enum fd_problem_type type)
{
    ngx_http_frontdesk_stream_problem(ctx->stream, type);
}


void
ngx_http_frontdesk_stream_problem(ngx_http_frontdesk_stream_t *s,
    enum fd_problem_type type)
{
    if (!s->end) {
        s->problem = type;
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_PROBLEM,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
    }
}


void
ngx_http_frontdesk_stream_discard(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_stream_t  *s;

    s = ctx->stream;

    if (s) {
        ngx_http_frontdesk_job_leave(s);
        ngx_http_frontdesk_stream_unlink(&s->dirty);
    }
}


void
ngx_http_frontdesk_stream_touch(ngx_http_frontdesk_stream_t *s)
{
    if (!ngx_queue_empty(&s->dirty)) {
        return;
    }

    ngx_queue_insert_tail(&ngx_http_frontdesk_dirty, &s->dirty);
    ngx_post_event(&ngx_http_frontdesk_flush, &ngx_posted_events);
}


void
ngx_http_frontdesk_stream_end(ngx_http_frontdesk_stream_t *s,
    ngx_http_frontdesk_end_e end, ngx_http_frontdesk_close_e close)
{
    if (s->end) {
        return;
    }

    s->end = end;
    s->ctx->close = close;

    ngx_http_frontdesk_job_leave(s);

    ngx_http_frontdesk_stream_unlink(&s->beats);
    ngx_http_frontdesk_stream_unlink(&s->watch);

    ngx_http_frontdesk_stream_touch(s);
}


/* a queue's element that is in no queue points to itself */

void
ngx_http_frontdesk_stream_unlink(ngx_queue_t *q)
{
    ngx_queue_remove(q);
    ngx_queue_init(q);
}


static ngx_http_frontdesk_stream_t *
ngx_http_frontdesk_stream_create(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_cleanup_t           *cln;
    ngx_http_frontdesk_stream_t  *s;

    s = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_stream_t));
    if (s == NULL) {
        return NULL;
    }

    ngx_queue_init(&s->queue);
    ngx_queue_init(&s->dirty);
    ngx_queue_init(&s->beats);
    ngx_queue_init(&s->watch);

    s->request = r;
    s->ctx = ctx;

    if (ngx_http_frontdesk_sse_init(s) != NGX_OK) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_frontdesk_stream_cleanup;
    cln->data = s;

    ctx->stream = s;

    return s;
}


static void
ngx_http_frontdesk_stream_start(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_request_t  *r;

    r = s->request;

    s->open = 1;

    ngx_http_frontdesk_gauge(NGX_HTTP_FRONTDESK_GAUGE_STREAMS,
                             ++ngx_http_frontdesk_streams);

    if (s->ctx->chat.stream) {
        r->write_event_handler = ngx_http_frontdesk_stream_write_handler;

        if (ngx_http_frontdesk_draining()
            && ngx_http_frontdesk_stream_resumes(s))
        {
            ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                          NGX_HTTP_FRONTDESK_CLOSE_RELOAD);
        }

    } else {

        /* nothing is written before the answer: the timer is free */

        r->write_event_handler = ngx_http_frontdesk_stream_wait_handler;
        ngx_add_timer(r->connection->write, NGX_HTTP_FRONTDESK_STREAM_LIFE);
    }

    if (!s->end) {
        ngx_http_frontdesk_pulse_start(s);
    }

    ngx_http_frontdesk_stream_touch(s);
}


static void
ngx_http_frontdesk_stream_flush_handler(ngx_event_t *ev)
{
    ngx_queue_t                  *q;
    ngx_http_frontdesk_stream_t  *s;

    while (!ngx_queue_empty(&ngx_http_frontdesk_dirty)) {
        q = ngx_queue_head(&ngx_http_frontdesk_dirty);
        s = ngx_queue_data(q, ngx_http_frontdesk_stream_t, dirty);

        ngx_http_frontdesk_stream_unlink(q);
        ngx_http_frontdesk_stream_flush(s);
    }
}


static void
ngx_http_frontdesk_stream_flush(ngx_http_frontdesk_stream_t *s)
{
    ngx_int_t   rc;
    ngx_uint_t  unbegun;

    /* events that overtook the admission's answer wait for it */

    if (!s->open) {
        return;
    }

    unbegun = s->ctx->openai && ngx_http_frontdesk_chunk_unbegun(s);

    if (!s->ctx->chat.stream
        || (!s->headers && (s->end == NGX_HTTP_FRONTDESK_END_PROBLEM
                            || s->end == NGX_HTTP_FRONTDESK_END_READ))
        || (s->end && unbegun))
    {
        if (s->end) {
            ngx_http_frontdesk_stream_finish(s, ngx_http_frontdesk_answer(s));
        }

        return;
    }

    if (!s->end && (s->blocked || (s->lazy && s->out == NULL))) {
        return;
    }

    if (unbegun) {

        /* an answer that fails before its first byte keeps its status */

        if (ngx_http_frontdesk_reader_behind(s)) {
            ngx_http_frontdesk_reader_pull(s);
        }

        return;
    }

    rc = ngx_http_frontdesk_stream_send(s);

    if (rc == NGX_ERROR || s->end) {
        ngx_http_frontdesk_stream_finish(s, rc);
        return;
    }

    if (!s->blocked && ngx_http_frontdesk_reader_behind(s)) {
        ngx_http_frontdesk_reader_pull(s);
    }
}


static ngx_int_t
ngx_http_frontdesk_stream_send(ngx_http_frontdesk_stream_t *s)
{
    /* headers come first: a header's filter may have added to the output */

    if (!s->headers && ngx_http_frontdesk_sse_headers(s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s->end && ngx_http_frontdesk_sse_farewell(s) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_sse_send(s, s->end != 0);
}


static void
ngx_http_frontdesk_stream_finish(ngx_http_frontdesk_stream_t *s, ngx_int_t rc)
{
    ngx_event_t  *wev;

    if (rc == NGX_ERROR) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_READ,
                                      NGX_HTTP_FRONTDESK_CLOSE_CLIENT);
        ngx_http_frontdesk_stream_unlink(&s->dirty);
    }

    wev = s->request->connection->write;

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    s->request->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_frontdesk_resume(s->request, rc);
}


static void
ngx_http_frontdesk_stream_write_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_event_t                  *wev;
    ngx_connection_t             *c;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_frontdesk_ctx_t     *ctx;
    ngx_http_frontdesk_stream_t  *s;

    c = r->connection;
    wev = c->write;
    ctx = ngx_http_frontdesk_get_ctx(r);
    s = ctx->stream;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ctx->close = NGX_HTTP_FRONTDESK_CLOSE_TIMEOUT;
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_SLOW_CLOSED);

        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (wev->delayed) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (!s->blocked) {

        /* HTTP/2 tells so of a lost connection */

        if (c->error) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    rc = ngx_http_frontdesk_sse_drain(s);

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (rc == NGX_OK && ngx_http_frontdesk_reader_behind(s)) {
        ngx_http_frontdesk_reader_pull(s);
    }
}


/* of a request that waits for its answer in one piece */

static void
ngx_http_frontdesk_stream_wait_handler(ngx_http_request_t *r)
{
    ngx_connection_t          *c;
    ngx_http_frontdesk_ctx_t  *ctx;

    c = r->connection;

    if (c->write->timedout) {
        c->write->timedout = 0;

        ctx = ngx_http_frontdesk_get_ctx(r);
        ngx_http_frontdesk_stream_fail(ctx, FD_PROBLEM_DEADLINE);
        return;
    }

    if (c->error) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_http_frontdesk_stream_cleanup(void *data)
{
    ngx_http_frontdesk_stream_t  *s = data;

    if (s->ctx->openai) {
        ngx_http_frontdesk_chunk_abandon(s);
    }

    ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_READ,
                                  s->ctx->close
                                  ? s->ctx->close
                                  : NGX_HTTP_FRONTDESK_CLOSE_CLIENT);

    ngx_http_frontdesk_stream_unlink(&s->dirty);

    if (s->open) {
        s->open = 0;
        ngx_http_frontdesk_gauge(NGX_HTTP_FRONTDESK_GAUGE_STREAMS,
                                 --ngx_http_frontdesk_streams);
    }
}
