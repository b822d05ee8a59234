
/*
 * An answer in one piece: the event that ends a job, or the problem that ended
 * the wait for it, as the response to a client that asked for JSON.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/event.h"
#include "protocol/json.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_openai.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_stream_state.h"


static ngx_int_t ngx_http_frontdesk_answer_event(
    ngx_http_frontdesk_stream_t *s);
static ngx_uint_t ngx_http_frontdesk_answer_status(
    ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_answer_cancelled(
    ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_answer_problem(
    ngx_http_frontdesk_stream_t *s, enum fd_problem_type type);


static ngx_str_t  ngx_http_frontdesk_answer_empty = ngx_null_string;


ngx_int_t
ngx_http_frontdesk_answer(ngx_http_frontdesk_stream_t *s)
{
    if (ngx_http_frontdesk_answer_headers(s) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    switch (s->end) {

    case NGX_HTTP_FRONTDESK_END_EVENT:
        return ngx_http_frontdesk_answer_event(s);

    case NGX_HTTP_FRONTDESK_END_READ:
        return ngx_http_frontdesk_respond(s->request, NGX_HTTP_NO_CONTENT, "",
                                          &ngx_http_frontdesk_answer_empty);

    case NGX_HTTP_FRONTDESK_END_PROBLEM:
        return ngx_http_frontdesk_answer_problem(s, s->problem);

    default: /* NGX_HTTP_FRONTDESK_END_LATER */
        return ngx_http_frontdesk_answer_problem(s, FD_PROBLEM_UNAVAILABLE);
    }
}


ngx_int_t
ngx_http_frontdesk_answer_headers(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = s->ctx;

    if (ctx->job.len
        && ngx_http_frontdesk_header(s->request, "X-Frontdesk-Job", &ctx->job)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* of a completion it is nobody's to come back to */

    if (ctx->session.len && !ctx->openai
        && ngx_http_frontdesk_header(s->request, "X-Frontdesk-Session",
                                     &ctx->session)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_answer_event(ngx_http_frontdesk_stream_t *s)
{
    switch (s->type) {

    case FD_EVENT_ANSWER:
        return ngx_http_frontdesk_respond(s->request, NGX_HTTP_OK,
                                          "application/json", &s->answer);

    case FD_EVENT_ERROR:

        if (s->ctx->openai) {
            return ngx_http_frontdesk_openai_relay(s->request, &s->answer);
        }

        return ngx_http_frontdesk_respond(s->request,
                                          ngx_http_frontdesk_answer_status(s),
                                          "application/problem+json",
                                          &s->answer);

    case FD_EVENT_CANCELLED:

        if (s->ctx->openai) {
            return ngx_http_frontdesk_answer_problem(s, FD_PROBLEM_CANCELLED);
        }

        return ngx_http_frontdesk_answer_cancelled(s);

    default:
        ngx_log_error(NGX_LOG_ERR, s->request->connection->log, 0,
                      "frontdesk: job \"%V\" ended as a stream, "
                      "but its client asked for JSON", &s->ctx->job);

        return ngx_http_frontdesk_answer_problem(s, FD_PROBLEM_INTERNAL);
    }
}


/* of a worker's problem document: its member `status` */

static ngx_uint_t
ngx_http_frontdesk_answer_status(ngx_http_frontdesk_stream_t *s)
{
    int64_t                 status;
    struct fd_json         *json;
    struct fd_json_fault    fault;
    struct fd_json_limits   limits;

    ngx_memzero(&limits, sizeof(struct fd_json_limits));

    json = fd_json_parse((char *) s->answer.data, s->answer.len, limits,
                         ngx_http_frontdesk_allocator(s->request->pool),
                         &fault);

    status = fd_json_int(json, "status", NGX_HTTP_INTERNAL_SERVER_ERROR);

    return (status >= 400 && status <= 599) ? (ngx_uint_t) status
                                            : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* the visitor's own wish came true: no error, and no answer either */

static ngx_int_t
ngx_http_frontdesk_answer_cancelled(ngx_http_frontdesk_stream_t *s)
{
    ngx_str_t               body;
    struct fd_json_writer   w;

    ngx_http_frontdesk_json_writer(&w, s->request->pool);

    fd_jw_object(&w);
    fd_jw_key(&w, "response");
    fd_jw_null(&w);
    fd_jw_member_bool(&w, "cancelled", true);
    fd_jw_key(&w, "job_id");
    fd_jw_string(&w, (char *) s->ctx->job.data, s->ctx->job.len);
    fd_jw_key(&w, "session_id");
    fd_jw_string(&w, (char *) s->ctx->session.data, s->ctx->session.len);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(s->request, NGX_HTTP_OK,
                                      "application/json", &body);
}


static ngx_int_t
ngx_http_frontdesk_answer_problem(ngx_http_frontdesk_stream_t *s,
    enum fd_problem_type type)
{
    struct fd_problem  problem;

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = type;

    if (type == FD_PROBLEM_UNAVAILABLE || type == FD_PROBLEM_OVERLOADED) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE);
        problem.retry_after = 2;
    }

    return ngx_http_frontdesk_problem(s->request, &problem);
}
