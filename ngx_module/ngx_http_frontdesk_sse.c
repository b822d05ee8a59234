
/*
 * Server-sent events: the headers of a stream, and what is said beside its
 * events - when to come back, that it lives, why it ends.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/event.h"
#include "protocol/json.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_openai.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_stream_state.h"


/* room for "retry: ", a number and an empty line */
#define NGX_HTTP_FRONTDESK_SSE_RETRY                                          \
    (sizeof("retry: \n\n") + NGX_INT_T_LEN)


static ngx_int_t ngx_http_frontdesk_sse_header_fields(
    ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_sse_greet(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_sse_later(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_sse_problem(
    ngx_http_frontdesk_stream_t *s);


static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_sse_fields[] = {
    { "Cache-Control", ngx_string("no-cache, no-transform") },
    { "X-Accel-Buffering", ngx_string("no") },
    { "X-Content-Type-Options", ngx_string("nosniff") },
    { NULL, ngx_null_string }
};


ngx_int_t
ngx_http_frontdesk_sse_headers(ngx_http_frontdesk_stream_t *s)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = s->request;
    c = r->connection;

    if (ngx_http_frontdesk_sse_header_fields(s) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    s->headers = 1;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->tcp_nodelay && ngx_tcp_nodelay(c) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_sse_greet(s);
}


static ngx_int_t
ngx_http_frontdesk_sse_header_fields(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_request_t  *r;

    r = s->request;

    r->headers_out.status = NGX_HTTP_OK;
    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);

    r->disable_not_modified = 1;

#if (NGX_HTTP_GZIP)
    /* tested, and not wanted: it would hold tokens back */
    r->gzip_tested = 1;
    r->gzip_ok = 0;
#endif

    if (s->ctx->openai && ngx_http_frontdesk_openai_headers(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_frontdesk_cors_headers(r, s->ctx) != NGX_OK
        || ngx_http_frontdesk_answer_headers(s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_headers(r, ngx_http_frontdesk_sse_fields);
}


/* retry: goes before the events that are there already */

static ngx_int_t
ngx_http_frontdesk_sse_greet(ngx_http_frontdesk_stream_t *s)
{
    u_char                         *p;
    ngx_http_frontdesk_loc_conf_t  *lcf;

    u_char  text[NGX_HTTP_FRONTDESK_SSE_RETRY];

    /* a stream that ends at once has its own to say */

    if (s->end == NGX_HTTP_FRONTDESK_END_LATER || s->ctx->openai) {
        return NGX_OK;
    }

    lcf = ngx_http_get_module_loc_conf(s->request, ngx_http_frontdesk_module);

    p = ngx_sprintf(text, "retry: %M\n\n", lcf->retry);

    return ngx_http_frontdesk_output_prepend(s, text, p - text);
}


ngx_int_t
ngx_http_frontdesk_sse_farewell(ngx_http_frontdesk_stream_t *s)
{
    if (s->ctx->openai) {
        return ngx_http_frontdesk_chunk_farewell(s);
    }

    switch (s->end) {

    case NGX_HTTP_FRONTDESK_END_LATER:
        return ngx_http_frontdesk_sse_later(s);

    case NGX_HTTP_FRONTDESK_END_PROBLEM:
        return ngx_http_frontdesk_sse_problem(s);

    default:
        return NGX_OK;
    }
}


/*
 * After a reload others are there already, after a failure it takes a while; in
 * both cases not everybody should come at once.
 */

static ngx_int_t
ngx_http_frontdesk_sse_later(ngx_http_frontdesk_stream_t *s)
{
    u_char                         *p;
    ngx_msec_t                      retry;
    ngx_http_frontdesk_loc_conf_t  *lcf;

    u_char  text[NGX_HTTP_FRONTDESK_SSE_RETRY];

    lcf = ngx_http_get_module_loc_conf(s->request, ngx_http_frontdesk_module);

    retry = lcf->retry + 1;
    retry = (s->ctx->close == NGX_HTTP_FRONTDESK_CLOSE_RELOAD)
            ? retry / 8 + ngx_random() % retry
            : retry + ngx_random() % (2 * retry);

    p = ngx_sprintf(text, "retry: %M\n\n", retry);

    return ngx_http_frontdesk_output_append(s, text, p - text);
}


static ngx_int_t
ngx_http_frontdesk_sse_problem(ngx_http_frontdesk_stream_t *s)
{
    struct fd_problem      problem;
    struct fd_json_writer  w;

    ngx_memzero(&problem, sizeof(struct fd_problem));
    problem.type = s->problem;

    ngx_http_frontdesk_json_writer(&w, s->request->pool);
    fd_problem_write(&w, &problem);

    if (w.failed
        || ngx_http_frontdesk_output_append(s,
                                         (u_char *) "event: error\ndata: ",
                                         sizeof("event: error\ndata: ") - 1)
           != NGX_OK
        || ngx_http_frontdesk_output_append(s, (u_char *) w.data, w.len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_output_append(s, (u_char *) "\n\n", 2);
}


ngx_int_t
ngx_http_frontdesk_sse_ping(ngx_http_frontdesk_stream_t *s)
{
    static u_char  frame[] = FD_EVENT_PING_FRAME;
    static u_char  comment[] = ": ping\n\n";

    /* OpenAI's parsers know no events by name */

    return s->ctx->openai
           ? ngx_http_frontdesk_output_send_text(s, comment,
                                                 sizeof(comment) - 1)
           : ngx_http_frontdesk_output_send_text(s, frame, sizeof(frame) - 1);
}
