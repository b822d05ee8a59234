
/*
 * What there is to send, of all streams that something has happened to, in one
 * go at the end of the loop's turn; and what a client's socket tells meanwhile.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/problem.h"

#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


static void ngx_http_frontdesk_flush_handler(ngx_event_t *ev);
static void ngx_http_frontdesk_flush(ngx_http_frontdesk_stream_t *s);
static ngx_uint_t ngx_http_frontdesk_flush_whole(
    ngx_http_frontdesk_stream_t *s);
static ngx_uint_t ngx_http_frontdesk_flush_silent(
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_flush_finish(ngx_http_frontdesk_stream_t *s,
    ngx_int_t rc);
static void ngx_http_frontdesk_flush_write_handler(ngx_http_request_t *r);
static void ngx_http_frontdesk_flush_wait_handler(ngx_http_request_t *r);


static ngx_queue_t  ngx_http_frontdesk_dirty;
static ngx_event_t  ngx_http_frontdesk_flush_event;


void
ngx_http_frontdesk_flush_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_http_frontdesk_dirty);

    ngx_http_frontdesk_flush_event.handler = ngx_http_frontdesk_flush_handler;
    ngx_http_frontdesk_flush_event.data = &ngx_http_frontdesk_flush_event;
    ngx_http_frontdesk_flush_event.log = cycle->log;
}


void
ngx_http_frontdesk_flush_start(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_request_t  *r;

    r = s->request;

    if (s->ctx->chat.stream) {
        r->write_event_handler = ngx_http_frontdesk_flush_write_handler;
        return;
    }

    /* nothing is written before the answer: the timer is free */

    r->write_event_handler = ngx_http_frontdesk_flush_wait_handler;
    ngx_add_timer(r->connection->write, NGX_HTTP_FRONTDESK_STREAM_LIFE);
}


void
ngx_http_frontdesk_flush_touch(ngx_http_frontdesk_stream_t *s)
{
    if (!ngx_queue_empty(&s->dirty)) {
        return;
    }

    ngx_queue_insert_tail(&ngx_http_frontdesk_dirty, &s->dirty);
    ngx_post_event(&ngx_http_frontdesk_flush_event, &ngx_posted_events);
}


static void
ngx_http_frontdesk_flush_handler(ngx_event_t *ev)
{
    ngx_queue_t                  *q;
    ngx_http_frontdesk_stream_t  *s;

    while (!ngx_queue_empty(&ngx_http_frontdesk_dirty)) {
        q = ngx_queue_head(&ngx_http_frontdesk_dirty);
        s = ngx_queue_data(q, ngx_http_frontdesk_stream_t, dirty);

        ngx_http_frontdesk_stream_unlink(q);
        ngx_http_frontdesk_flush(s);
    }
}


static void
ngx_http_frontdesk_flush(ngx_http_frontdesk_stream_t *s)
{
    ngx_int_t  rc;

    /* events that overtook the admission's answer wait for it */

    if (!s->open) {
        return;
    }

    if (s->end) {
        rc = ngx_http_frontdesk_flush_whole(s)
             ? ngx_http_frontdesk_answer(s)
             : ngx_http_frontdesk_flush_send(s);

        ngx_http_frontdesk_flush_finish(s, rc);
        return;
    }

    if (s->blocked) {
        return;
    }

    if (!ngx_http_frontdesk_flush_silent(s)
        && ngx_http_frontdesk_flush_send(s) == NGX_ERROR)
    {
        ngx_http_frontdesk_flush_finish(s, NGX_ERROR);
        return;
    }

    if (!s->blocked && ngx_http_frontdesk_reader_behind(s)) {
        ngx_http_frontdesk_reader_pull(s);
    }
}


/* is its end the whole of the answer, with a status of its own? */

static ngx_uint_t
ngx_http_frontdesk_flush_whole(ngx_http_frontdesk_stream_t *s)
{
    if (!s->ctx->chat.stream
        || (s->ctx->openai && ngx_http_frontdesk_chunk_unbegun(s)))
    {
        return 1;
    }

    return !s->headers && (s->end == NGX_HTTP_FRONTDESK_END_PROBLEM
                           || s->end == NGX_HTTP_FRONTDESK_END_READ);
}


/* nothing is said yet, not even that it is a stream */

static ngx_uint_t
ngx_http_frontdesk_flush_silent(ngx_http_frontdesk_stream_t *s)
{
    return !s->ctx->chat.stream
           || (s->lazy && s->out == NULL)
           || (s->ctx->openai && ngx_http_frontdesk_chunk_unbegun(s));
}


ngx_int_t
ngx_http_frontdesk_flush_send(ngx_http_frontdesk_stream_t *s)
{
    /* headers come first: a header's filter may have added to the output */

    if (!s->headers && ngx_http_frontdesk_sse_headers(s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s->end && ngx_http_frontdesk_sse_farewell(s) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_output_send(s, s->end != 0);
}


static void
ngx_http_frontdesk_flush_finish(ngx_http_frontdesk_stream_t *s, ngx_int_t rc)
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
ngx_http_frontdesk_flush_write_handler(ngx_http_request_t *r)
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

    rc = ngx_http_frontdesk_output_drain(s);

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
ngx_http_frontdesk_flush_wait_handler(ngx_http_request_t *r)
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
