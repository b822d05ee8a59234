
/*
 * What is on its way to the client of a stream: buffers that are given back as
 * soon as the client has them, so that an idle stream holds none, and whether
 * it takes them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_stream_state.h"


#define NGX_HTTP_FRONTDESK_OUTPUT_BLOCK  4096
/* blocks kept for the next stream instead of given back to malloc() */
#define NGX_HTTP_FRONTDESK_OUTPUT_SPARE  256


typedef struct ngx_http_frontdesk_block_s  ngx_http_frontdesk_block_t;

struct ngx_http_frontdesk_block_s {
    ngx_http_frontdesk_block_t  *next;
};


static ngx_chain_t *ngx_http_frontdesk_output_link(
    ngx_http_frontdesk_stream_t *s);
static void ngx_http_frontdesk_output_recycle(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_output_test(
    ngx_http_frontdesk_stream_t *s);
static ngx_uint_t ngx_http_frontdesk_output_blocked(ngx_http_request_t *r);
static u_char *ngx_http_frontdesk_output_block_alloc(void);
static void ngx_http_frontdesk_output_block_free(u_char *p);
static void ngx_http_frontdesk_output_cleanup(void *data);


static ngx_http_frontdesk_block_t  *ngx_http_frontdesk_output_blocks;
static ngx_uint_t                   ngx_http_frontdesk_output_spare;


ngx_int_t
ngx_http_frontdesk_output_init(ngx_http_frontdesk_stream_t *s)
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

    cln->handler = ngx_http_frontdesk_output_cleanup;
    cln->data = s;

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_output_append(ngx_http_frontdesk_stream_t *s, u_char *data,
    size_t len)
{
    size_t        n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    s->size += len;

    while (len) {

        if (s->tail == NULL || s->tail->buf->last == s->tail->buf->end) {

            cl = ngx_http_frontdesk_output_link(s);
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
ngx_http_frontdesk_output_prepend(ngx_http_frontdesk_stream_t *s, u_char *data,
    size_t len)
{
    ngx_chain_t  *cl;

    cl = ngx_http_frontdesk_output_link(s);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf->last = ngx_cpymem(cl->buf->last, data, len);

    cl->next = s->out;
    s->out = cl;
    s->size += len;

    if (s->tail == NULL) {
        s->tail = cl;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_output_send(ngx_http_frontdesk_stream_t *s, ngx_uint_t last)
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

    ngx_http_frontdesk_output_recycle(s);

    if (rc == NGX_ERROR || last) {
        return rc;
    }

    return ngx_http_frontdesk_output_test(s);
}


/* what streams share is the text; the buffer's positions are their own */

ngx_int_t
ngx_http_frontdesk_output_send_text(ngx_http_frontdesk_stream_t *s,
    u_char *text, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = &s->text;

    b->pos = text;
    b->last = text + len;
    b->start = b->pos;
    b->end = b->last;
    b->memory = 1;
    b->flush = 1;

    out.buf = b;
    out.next = NULL;

    if (ngx_http_output_filter(s->request, &out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_output_test(s);
}


ngx_int_t
ngx_http_frontdesk_output_drain(ngx_http_frontdesk_stream_t *s)
{
    ngx_int_t            rc;
    ngx_event_t         *wev;
    ngx_http_request_t  *r;

    r = s->request;
    wev = r->connection->write;

    rc = ngx_http_output_filter(r, NULL);

    ngx_http_frontdesk_output_recycle(s);

    if (rc == NGX_ERROR
        || ngx_http_frontdesk_output_test(s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (s->blocked) {
        return NGX_AGAIN;
    }

    /* that of limit_rate is the write filter's, which would wait for ever */

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    return NGX_OK;
}


static ngx_chain_t *
ngx_http_frontdesk_output_link(ngx_http_frontdesk_stream_t *s)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    p = ngx_http_frontdesk_output_block_alloc();
    if (p == NULL) {
        return NULL;
    }

    cl = ngx_chain_get_free_buf(s->request->pool, &s->free);
    if (cl == NULL) {
        ngx_http_frontdesk_output_block_free(p);
        return NULL;
    }

    b = cl->buf;
    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = p;
    b->pos = p;
    b->last = p;
    b->end = p + NGX_HTTP_FRONTDESK_OUTPUT_BLOCK;
    b->temporary = 1;
    b->tag = (ngx_buf_tag_t) &ngx_http_frontdesk_module;

    return cl;
}


static void
ngx_http_frontdesk_output_recycle(ngx_http_frontdesk_stream_t *s)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_chain_update_chains(s->request->pool, &s->free, &s->busy, &s->out,
                            (ngx_buf_tag_t) &ngx_http_frontdesk_module);

    /* the ones that came just now are in front */

    for (cl = s->free; cl && cl->buf->start; cl = cl->next) {
        b = cl->buf;

        ngx_http_frontdesk_output_block_free(b->start);

        b->start = NULL;
        b->pos = NULL;
        b->last = NULL;
        b->end = NULL;
    }
}


static ngx_int_t
ngx_http_frontdesk_output_test(ngx_http_frontdesk_stream_t *s)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = s->request;

    if (!ngx_http_frontdesk_output_blocked(r)) {
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
ngx_http_frontdesk_output_blocked(ngx_http_request_t *r)
{
    return r->buffered || r->postponed || r->connection->buffered;
}


static u_char *
ngx_http_frontdesk_output_block_alloc(void)
{
    ngx_http_frontdesk_block_t  *block;

    block = ngx_http_frontdesk_output_blocks;

    if (block == NULL) {
        return ngx_alloc(NGX_HTTP_FRONTDESK_OUTPUT_BLOCK, ngx_cycle->log);
    }

    ngx_http_frontdesk_output_blocks = block->next;
    ngx_http_frontdesk_output_spare--;

    return (u_char *) block;
}


static void
ngx_http_frontdesk_output_block_free(u_char *p)
{
    ngx_http_frontdesk_block_t  *block;

    if (ngx_http_frontdesk_output_spare == NGX_HTTP_FRONTDESK_OUTPUT_SPARE) {
        ngx_free(p);
        return;
    }

    block = (ngx_http_frontdesk_block_t *) p;
    block->next = ngx_http_frontdesk_output_blocks;

    ngx_http_frontdesk_output_blocks = block;
    ngx_http_frontdesk_output_spare++;
}


static void
ngx_http_frontdesk_output_cleanup(void *data)
{
    ngx_chain_t                  *cl;
    ngx_http_frontdesk_stream_t  *s = data;

    for (cl = s->out; cl; cl = cl->next) {
        ngx_http_frontdesk_output_block_free(cl->buf->start);
    }

    for (cl = s->busy; cl; cl = cl->next) {
        ngx_http_frontdesk_output_block_free(cl->buf->start);
    }
}
