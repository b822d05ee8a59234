
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

#include "protocol/ids.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


static void ngx_http_frontdesk_stream_read(ngx_http_frontdesk_stream_t *s,
    ngx_str_t *id, struct fd_event_id last);
static ngx_http_frontdesk_stream_t *ngx_http_frontdesk_stream_create(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_stream_start(ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_stream_cleanup(void *data);


static ngx_int_t  ngx_http_frontdesk_streams;


ngx_int_t
ngx_http_frontdesk_stream_init(ngx_cycle_t *cycle)
{
    ngx_http_frontdesk_flush_init(cycle);
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

    s->finished = finished;
    s->unproven = unproven;

    ngx_http_frontdesk_stream_read(s, &ctx->job, last);
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
    s->late = (last.epoch == 0);

    ngx_http_frontdesk_stream_read(s, &ctx->session, last);
}


/* what is there already comes first, and may be all */

static void
ngx_http_frontdesk_stream_read(ngx_http_frontdesk_stream_t *s, ngx_str_t *id,
    struct fd_event_id last)
{
    s->last = last;
    s->announced = last;
    s->resumed = (last.epoch != 0);
    s->lazy = 1;

    if (ngx_http_frontdesk_job_join(s, id) != NGX_OK) {
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

    /* left unread it would be taken for the connection's next request */

    r->expect_tested = 1;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    s = ctx->stream ? ctx->stream : ngx_http_frontdesk_stream_create(r, ctx);

    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                  NGX_HTTP_FRONTDESK_CLOSE_ERROR);
    ngx_http_frontdesk_stream_unlink(&s->dirty);

    rc = ngx_http_frontdesk_stream_resumes(s)
         ? ngx_http_frontdesk_flush_send(s)
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

    ngx_http_frontdesk_flush_touch(s);
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

    if (ngx_http_frontdesk_output_init(s) != NGX_OK) {
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
    s->open = 1;

    ngx_http_frontdesk_gauge(NGX_HTTP_FRONTDESK_GAUGE_STREAMS,
                             ++ngx_http_frontdesk_streams);

    ngx_http_frontdesk_flush_start(s);

    if (ngx_http_frontdesk_draining()) {

        if (ngx_http_frontdesk_stream_resumes(s)) {
            ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                          NGX_HTTP_FRONTDESK_CLOSE_RELOAD);

        } else {
            ngx_http_frontdesk_drain_wait();
        }
    }

    if (!s->end) {
        ngx_http_frontdesk_pulse_start(s);
    }

    ngx_http_frontdesk_flush_touch(s);
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
