
/*
 * Server-sent events: headers, and output buffers that are given back as soon
 * as the client has them, so that an idle stream holds none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk.h"
#include "ngx_http_frontdesk_stream.h"


#define NGX_HTTP_FRONTDESK_SSE_BLOCK  4096
/* blocks kept for the next stream instead of given back to malloc() */
#define NGX_HTTP_FRONTDESK_SSE_SPARE  256


typedef struct ngx_http_frontdesk_block_s  ngx_http_frontdesk_block_t;

struct ngx_http_frontdesk_block_s {
    ngx_http_frontdesk_block_t  *next;
};


static ngx_int_t ngx_http_frontdesk_sse_header_fields(
    ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_sse_greet(ngx_http_frontdesk_stream_t *s);
static ngx_chain_t *ngx_http_frontdesk_sse_link(
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_sse_recycle(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_sse_block_client(
    ngx_http_frontdesk_stream_t *s);
static ngx_uint_t ngx_http_frontdesk_sse_blocked(ngx_http_request_t *r);
static u_char *ngx_http_frontdesk_sse_block_alloc(void);
static void ngx_http_frontdesk_sse_block_free(u_char *p);
static void ngx_http_frontdesk_sse_cleanup(void *data);


static ngx_str_t  ngx_http_frontdesk_sse_cache_control =
    ngx_string("no-cache, no-transform");
static ngx_str_t  ngx_http_frontdesk_sse_no = ngx_string("no");
static ngx_str_t  ngx_http_frontdesk_sse_nosniff = ngx_string("nosniff");

static u_char     ngx_http_frontdesk_sse_ping_frame[] = FD_EVENT_PING_FRAME;
static u_char     ngx_http_frontdesk_sse_ping_comment[] = ": ping\n\n";

static ngx_http_frontdesk_block_t  *ngx_http_frontdesk_sse_blocks;
static ngx_uint_t                   ngx_http_frontdesk_sse_spare;


ngx_int_t
ngx_http_frontdesk_sse_init(ngx_http_frontdesk_stream_t *s)
{
    ngx_pool_cleanup_t  *cln;

    /*
     * Not a cleanup of the request, which runs when it is terminated: frames
     * of HTTP/2 still point into the buffers then.
     */

    cln = ngx_pool_cleanup_add(s->request->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_frontdesk_sse_cleanup;
    cln->data = s;

    return NGX_OK;
}


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


/* retry: goes before the events that are there already */

static ngx_int_t
ngx_http_frontdesk_sse_greet(ngx_http_frontdesk_stream_t *s)
{
    ngx_buf_t                      *b;
    ngx_chain_t                    *cl;
    ngx_http_frontdesk_loc_conf_t  *lcf;

    /* a stream that ends at once has its own to say */

    if (s->end == NGX_HTTP_FRONTDESK_END_LATER || s->ctx->openai) {
        return NGX_OK;
    }

    cl = ngx_http_frontdesk_sse_link(s);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    lcf = ngx_http_get_module_loc_conf(s->request, ngx_http_frontdesk_module);

    b = cl->buf;
    b->last = ngx_sprintf(b->last, "retry: %M\n\n", lcf->retry);

    cl->next = s->out;
    s->out = cl;

    if (s->tail == NULL) {
        s->tail = cl;
    }

    return NGX_OK;
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
        || ngx_http_frontdesk_answer_headers(s) != NGX_OK
        || ngx_http_frontdesk_header(r, "Cache-Control",
                                     &ngx_http_frontdesk_sse_cache_control)
           != NGX_OK
        || ngx_http_frontdesk_header(r, "X-Accel-Buffering",
                                     &ngx_http_frontdesk_sse_no)
           != NGX_OK
        || ngx_http_frontdesk_header(r, "X-Content-Type-Options",
                                     &ngx_http_frontdesk_sse_nosniff)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_sse_append(ngx_http_frontdesk_stream_t *s, u_char *data,
    size_t len)
{
    size_t        n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    s->size += len;

    while (len) {

        if (s->tail == NULL || s->tail->buf->last == s->tail->buf->end) {

            cl = ngx_http_frontdesk_sse_link(s);
            if (cl == NULL) {
                return NGX_ERROR;
            }

            if (s->tail) {
                s->tail->next = cl;

            } else {
                s->out = cl;
            }

            s->tail = cl;
        }

        b = s->tail->buf;
        n = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, data, n);
        data += n;
        len -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_sse_farewell(ngx_http_frontdesk_stream_t *s)
{
    u_char                         *p;
    ngx_msec_t                      retry;
    struct fd_problem               problem;
    struct fd_json_writer           w;
    ngx_http_frontdesk_loc_conf_t  *lcf;
    u_char                          text[sizeof("retry: \n\n")
                                         + NGX_INT_T_LEN];

    if (s->ctx->openai) {
        return ngx_http_frontdesk_chunk_farewell(s);
    }

    if (s->end == NGX_HTTP_FRONTDESK_END_LATER) {

        /*
         * After a reload others are there already, after a failure it takes
         * a while; in both cases not everybody should come at once.
         */

        lcf = ngx_http_get_module_loc_conf(s->request,
                                           ngx_http_frontdesk_module);
        retry = lcf->retry + 1;
        retry = (s->ctx->close == NGX_HTTP_FRONTDESK_CLOSE_RELOAD)
                ? retry / 8 + ngx_random() % retry
                : retry + ngx_random() % (2 * retry);

        p = ngx_sprintf(text, "retry: %M\n\n", retry);

        return ngx_http_frontdesk_sse_append(s, text, p - text);
    }

    if (s->end != NGX_HTTP_FRONTDESK_END_PROBLEM) {
        return NGX_OK;
    }

    ngx_memzero(&problem, sizeof(struct fd_problem));
    problem.type = s->problem;

    ngx_http_frontdesk_json_writer(&w, s->request->pool);
    fd_problem_write(&w, &problem);

    if (w.failed
        || ngx_http_frontdesk_sse_append(s, (u_char *) "event: error\ndata: ",
                                         sizeof("event: error\ndata: ") - 1)
           != NGX_OK
        || ngx_http_frontdesk_sse_append(s, (u_char *) w.data, w.len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_sse_append(s, (u_char *) "\n\n", 2);
}


ngx_int_t
ngx_http_frontdesk_sse_send(ngx_http_frontdesk_stream_t *s, ngx_uint_t last)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = s->request;

    if (s->out == NULL) {
        return last ? ngx_http_send_special(r, NGX_HTTP_LAST) : NGX_OK;
    }

    s->tail->buf->flush = 1;
    s->tail->buf->last_buf = last;

    rc = ngx_http_output_filter(r, s->out);

    s->tail = NULL;
    s->size = 0;

    ngx_http_frontdesk_sse_recycle(s);

    if (rc == NGX_ERROR || last) {
        return rc;
    }

    return ngx_http_frontdesk_sse_block_client(s);
}


/* what all heartbeats share is the text; the buffer's positions are its own */

ngx_int_t
ngx_http_frontdesk_sse_ping(ngx_http_frontdesk_stream_t *s)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = &s->ping;

    if (s->ctx->openai) {

        /* their parsers know no events by name */

        b->pos = ngx_http_frontdesk_sse_ping_comment;
        b->last = b->pos + sizeof(ngx_http_frontdesk_sse_ping_comment) - 1;

    } else {
        b->pos = ngx_http_frontdesk_sse_ping_frame;
        b->last = b->pos + sizeof(ngx_http_frontdesk_sse_ping_frame) - 1;
    }

    b->start = b->pos;
    b->end = b->last;
    b->memory = 1;
    b->flush = 1;

    out.buf = b;
    out.next = NULL;

    if (ngx_http_output_filter(s->request, &out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_sse_block_client(s);
}


ngx_int_t
ngx_http_frontdesk_sse_drain(ngx_http_frontdesk_stream_t *s)
{
    ngx_int_t            rc;
    ngx_event_t         *wev;
    ngx_http_request_t  *r;

    r = s->request;
    wev = r->connection->write;

    rc = ngx_http_output_filter(r, NULL);

    ngx_http_frontdesk_sse_recycle(s);

    if (rc == NGX_ERROR
        || ngx_http_frontdesk_sse_block_client(s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (s->blocked) {
        return NGX_AGAIN;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    return NGX_OK;
}


static ngx_chain_t *
ngx_http_frontdesk_sse_link(ngx_http_frontdesk_stream_t *s)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    p = ngx_http_frontdesk_sse_block_alloc();
    if (p == NULL) {
        return NULL;
    }

    cl = ngx_chain_get_free_buf(s->request->pool, &s->free);
    if (cl == NULL) {
        ngx_http_frontdesk_sse_block_free(p);
        return NULL;
    }

    b = cl->buf;
    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = p;
    b->pos = p;
    b->last = p;
    b->end = p + NGX_HTTP_FRONTDESK_SSE_BLOCK;
    b->temporary = 1;
    b->tag = (ngx_buf_tag_t) &ngx_http_frontdesk_module;

    return cl;
}


static void
ngx_http_frontdesk_sse_recycle(ngx_http_frontdesk_stream_t *s)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_chain_update_chains(s->request->pool, &s->free, &s->busy, &s->out,
                            (ngx_buf_tag_t) &ngx_http_frontdesk_module);

    /* the ones that came just now are in front */

    for (cl = s->free; cl && cl->buf->start; cl = cl->next) {
        b = cl->buf;

        ngx_http_frontdesk_sse_block_free(b->start);

        b->start = NULL;
        b->pos = NULL;
        b->last = NULL;
        b->end = NULL;
    }
}


static ngx_int_t
ngx_http_frontdesk_sse_block_client(ngx_http_frontdesk_stream_t *s)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = s->request;

    if (!ngx_http_frontdesk_sse_blocked(r)) {
        s->blocked = 0;
        return NGX_OK;
    }

    if (!s->blocked) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_BLOCKED);
    }

    s->blocked = 1;

    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static ngx_uint_t
ngx_http_frontdesk_sse_blocked(ngx_http_request_t *r)
{
    return r->buffered || r->postponed || r->connection->buffered;
}


static u_char *
ngx_http_frontdesk_sse_block_alloc(void)
{
    ngx_http_frontdesk_block_t  *block;

    block = ngx_http_frontdesk_sse_blocks;

    if (block == NULL) {
        return ngx_alloc(NGX_HTTP_FRONTDESK_SSE_BLOCK, ngx_cycle->log);
    }

    ngx_http_frontdesk_sse_blocks = block->next;
    ngx_http_frontdesk_sse_spare--;

    return (u_char *) block;
}


static void
ngx_http_frontdesk_sse_block_free(u_char *p)
{
    ngx_http_frontdesk_block_t  *block;

    if (ngx_http_frontdesk_sse_spare == NGX_HTTP_FRONTDESK_SSE_SPARE) {
        ngx_free(p);
        return;
    }

    block = (ngx_http_frontdesk_block_t *) p;
    block->next = ngx_http_frontdesk_sse_blocks;

    ngx_http_frontdesk_sse_blocks = block;
    ngx_http_frontdesk_sse_spare++;
}


static void
ngx_http_frontdesk_sse_cleanup(void *data)
{
    ngx_chain_t                  *cl;
    ngx_http_frontdesk_stream_t  *s = data;

    for (cl = s->out; cl; cl = cl->next) {
        ngx_http_frontdesk_sse_block_free(cl->buf->start);
    }

    for (cl = s->busy; cl; cl = cl->next) {
        ngx_http_frontdesk_sse_block_free(cl->buf->start);
    }
}
