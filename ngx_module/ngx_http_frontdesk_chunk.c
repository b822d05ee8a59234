
/*
 * A stream as OpenAI's clients read it: each delta's data in a frame without
 * id and name, "[DONE]" behind the last.  Nothing of it can be resumed: a job
 * that begins anew after the first delta, or fails, ends with an error.
 *
 * The status is sent with the first delta, so that a job that fails before it
 * has one of its own; but with the first heartbeat at the latest, as proxies
 * do not wait for ever.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/event.h"
#include "protocol/json.h"
#include "protocol/openai_error.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_job_ask.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_stream_state.h"


static ngx_int_t ngx_http_frontdesk_chunk_write(ngx_http_frontdesk_stream_t *s,
    const char *data, size_t len);
static ngx_int_t ngx_http_frontdesk_chunk_failed(
    ngx_http_frontdesk_stream_t *s, struct fd_event *event);
static ngx_int_t ngx_http_frontdesk_chunk_problem(
    ngx_http_frontdesk_stream_t *s, struct fd_problem *problem);


ngx_int_t
ngx_http_frontdesk_chunk_store(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event)
{
    switch (event->type) {

    case FD_EVENT_DELTA:
        s->begun = 1;
        return ngx_http_frontdesk_chunk_write(s, event->data, event->data_len);

    case FD_EVENT_DONE:
        return ngx_http_frontdesk_chunk_write(s, "[DONE]",
                                              sizeof("[DONE]") - 1);

    case FD_EVENT_ERROR:
    case FD_EVENT_CANCELLED:
        return ngx_http_frontdesk_chunk_failed(s, event);

    case FD_EVENT_RESET:

        if (s->begun) {
            ngx_http_frontdesk_stream_problem(s, FD_PROBLEM_INTERRUPTED);
        }

        return NGX_OK;

    default:
        return NGX_OK;
    }
}


ngx_uint_t
ngx_http_frontdesk_chunk_unbegun(ngx_http_frontdesk_stream_t *s)
{
    return !s->headers && s->out == NULL;
}


ngx_int_t
ngx_http_frontdesk_chunk_farewell(ngx_http_frontdesk_stream_t *s)
{
    struct fd_problem  problem;

    if (s->end != NGX_HTTP_FRONTDESK_END_PROBLEM
        && s->end != NGX_HTTP_FRONTDESK_END_LATER)
    {
        return NGX_OK;
    }

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = (s->end == NGX_HTTP_FRONTDESK_END_PROBLEM)
                   ? s->problem : FD_PROBLEM_UNAVAILABLE;

    return ngx_http_frontdesk_chunk_problem(s, &problem);
}


/*
 * Whoever sends an idempotency key may come for the same answer once more; it
 * is stopped later, when nobody has come.
 */

void
ngx_http_frontdesk_chunk_abandon(ngx_http_frontdesk_stream_t *s)
{
    if (s->end == NGX_HTTP_FRONTDESK_END_EVENT || s->ctx->repeatable) {
        return;
    }

    /* neither: it was not admitted */

    if (s->open || s->job) {
        ngx_http_frontdesk_cancel_job(s->ctx);
    }
}


static ngx_int_t
ngx_http_frontdesk_chunk_write(ngx_http_frontdesk_stream_t *s,
    const char *data, size_t len)
{
    if (ngx_http_frontdesk_output_append(s, (u_char *) "data: ",
                                         sizeof("data: ") - 1)
        != NGX_OK
        || ngx_http_frontdesk_output_append(s, (u_char *) data, len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_output_append(s, (u_char *) "\n\n", 2);
}


/* before the header it is kept, to become the response's status */

static ngx_int_t
ngx_http_frontdesk_chunk_failed(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event)
{
    ngx_str_t               data;
    struct fd_json         *json;
    struct fd_problem       problem;
    struct fd_json_fault    fault;
    struct fd_json_limits   limits;

    data.data = (u_char *) event->data;
    data.len = event->data_len;

    if (ngx_http_frontdesk_chunk_unbegun(s)) {
        s->type = event->type;
        s->answer.len = data.len;
        s->answer.data = ngx_pstrdup(s->request->pool, &data);

        return s->answer.data ? NGX_OK : NGX_ERROR;
    }

    ngx_memzero(&problem, sizeof(struct fd_problem));
    ngx_memzero(&limits, sizeof(struct fd_json_limits));

    problem.type = FD_PROBLEM_CANCELLED;

    if (event->type == FD_EVENT_ERROR) {
        json = fd_json_parse(event->data, event->data_len, limits,
                             ngx_http_frontdesk_allocator(s->request->pool),
                             &fault);

        if (!fd_problem_read(json, &problem)) {
            problem.type = FD_PROBLEM_INTERNAL;
        }
    }

    return ngx_http_frontdesk_chunk_problem(s, &problem);
}


static ngx_int_t
ngx_http_frontdesk_chunk_problem(ngx_http_frontdesk_stream_t *s,
    struct fd_problem *problem)
{
    struct fd_json_writer  w;

    ngx_http_frontdesk_json_writer(&w, s->request->pool);
    fd_openai_error_write(&w, problem);

    if (w.failed) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_chunk_write(s, w.data, w.len);
}
