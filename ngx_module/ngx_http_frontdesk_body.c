
/*
 * A JSON body.  It is read unbuffered and gathered here, so that the bound is
 * kept while it arrives, whatever its framing, and no part of it touches a
 * disk; the size of client_body_buffer_size does not matter.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"
#include "protocol/limits.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_respond.h"


#define NGX_HTTP_FRONTDESK_BODY_FIRST  4096  /* of a body of unknown length */


struct ngx_http_frontdesk_body_s {
    ngx_http_frontdesk_handler_pt  handler;
    size_t                         max;
    size_t                         size;
    ngx_str_t                      text;
};


static ngx_int_t ngx_http_frontdesk_body_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_body_t *body);
static ngx_uint_t ngx_http_frontdesk_body_is_json(ngx_str_t *type);
static u_char *ngx_http_frontdesk_body_space(u_char *p, u_char *last);
static void ngx_http_frontdesk_body_init(ngx_http_request_t *r);
static void ngx_http_frontdesk_body_more(ngx_http_request_t *r);
static ngx_int_t ngx_http_frontdesk_body_take(ngx_http_request_t *r,
    ngx_http_frontdesk_body_t *body);
static ngx_int_t ngx_http_frontdesk_body_append(ngx_http_request_t *r,
    ngx_http_frontdesk_body_t *body, u_char *data, size_t len);
static ngx_int_t ngx_http_frontdesk_body_refuse(ngx_http_request_t *r);
static ngx_int_t ngx_http_frontdesk_body_parse(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_body_t *body);
static ngx_int_t ngx_http_frontdesk_body_error(ngx_http_request_t *r,
    ngx_int_t rc);
static void *ngx_http_frontdesk_alloc(void *ctx, size_t size);


ngx_int_t
ngx_http_frontdesk_body_read(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_handler_pt handler)
{
    ngx_int_t                        rc;
    ngx_http_frontdesk_body_t       *body;
    ngx_http_frontdesk_main_conf_t  *mcf;

    /* none of it is wanted any more when the answer streams */

    if (ngx_http_frontdesk_scratch(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body = ngx_pcalloc(ctx->scratch, sizeof(ngx_http_frontdesk_body_t));
    if (body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_frontdesk_module);

    body->handler = handler;
    body->max = ctx->openai ? FD_COMPLETION_BODY_MAX : mcf->max_body;

    rc = ngx_http_frontdesk_body_headers(r, body);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->body = body;

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_frontdesk_body_init);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return ngx_http_frontdesk_body_error(r, rc);
    }

    return NGX_DONE;
}


/* what can be refused before a byte of it is read */

static ngx_int_t
ngx_http_frontdesk_body_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_body_t *body)
{
    ngx_str_t  *encoding;

    if (r->headers_in.content_type == NULL
        || !ngx_http_frontdesk_body_is_json(
                                         &r->headers_in.content_type->value))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_MEDIA_TYPE, NULL,
                             "send the body as Content-Type: application/json");
    }

    encoding = ngx_http_frontdesk_request_header(r, "Content-Encoding");

    if (encoding
        && (encoding->len != sizeof("identity") - 1
            || ngx_strncasecmp(encoding->data, (u_char *) "identity",
                               encoding->len)
               != 0))
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_MEDIA_TYPE, NULL,
                                       "a compressed body is not taken");
    }

    if (r->headers_in.content_length_n > (off_t) body->max) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_TOO_LARGE, NULL, NULL);
    }

    return NGX_OK;
}


/* "application/json", perhaps with a charset, which can only be UTF-8 */

static ngx_uint_t
ngx_http_frontdesk_body_is_json(ngx_str_t *type)
{
    u_char  *p, *last;
    size_t   len;

    static const ngx_str_t  json = ngx_string("application/json");
    static const ngx_str_t  charset = ngx_string("charset=");

    last = type->data + type->len;

    if (type->len < json.len
        || ngx_strncasecmp(type->data, json.data, json.len) != 0)
    {
        return 0;
    }

    p = ngx_http_frontdesk_body_space(type->data + json.len, last);

    if (p == last) {
        return 1;
    }

    if (*p != ';') {
        return 0;
    }

    p = ngx_http_frontdesk_body_space(p + 1, last);
    len = last - p;

    if (len < charset.len || ngx_strncasecmp(p, charset.data, charset.len) != 0)
    {
        return 1;
    }

    p += charset.len;
    len -= charset.len;

    return (len == 5 && ngx_strncasecmp(p, (u_char *) "utf-8", 5) == 0)
           || (len == 7 && ngx_strncasecmp(p, (u_char *) "\"utf-8\"", 7) == 0);
}


static u_char *
ngx_http_frontdesk_body_space(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


static void
ngx_http_frontdesk_body_init(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_frontdesk_body_more;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_frontdesk_body_more(r);
}


static void
ngx_http_frontdesk_body_more(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_frontdesk_ctx_t   *ctx;
    ngx_http_frontdesk_body_t  *body;

    ctx = ngx_http_frontdesk_get_ctx(r);
    body = ctx->body;

    for ( ;; ) {

        rc = ngx_http_frontdesk_body_take(r, body);

        if (rc == NGX_DECLINED) {
            r->read_event_handler = ngx_http_block_reading;
            ngx_http_finalize_request(r, ctx->refused);
            return;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, ngx_http_frontdesk_body_error(r, rc));
            return;
        }

        if (r->reading_body && r->request_body->bufs == NULL) {
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_frontdesk_body_parse(r, ctx, body));
}


/*
 * NGX_DECLINED: the problem is sent, ctx->refused is what to finalize with
 */

static ngx_int_t
ngx_http_frontdesk_body_take(ngx_http_request_t *r,
    ngx_http_frontdesk_body_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    /* discarded before an error_page brought the request here */

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;
    r->request_body->bufs = NULL;

    for ( /* void */ ; cl; cl = cl->next) {

        b = cl->buf;

        if (b->in_file && !ngx_buf_in_memory(b)) {

            /* another module read it before us, and it was large */

            return ngx_http_frontdesk_body_refuse(r);
        }

        if (b->pos == b->last) {
            continue;
        }

        rc = ngx_http_frontdesk_body_append(r, body, b->pos, b->last - b->pos);

        if (rc != NGX_OK) {
            return rc;
        }

        b->pos = b->last;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_body_append(ngx_http_request_t *r,
    ngx_http_frontdesk_body_t *body, u_char *data, size_t len)
{
    size_t                     size;
    u_char                    *p;
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (len > body->max - body->text.len) {
        return ngx_http_frontdesk_body_refuse(r);
    }

    if (len > body->size - body->text.len) {

        size = ngx_max(body->text.len + len, 2 * body->size);

        if (r->headers_in.content_length_n > 0) {
            size = ngx_max(size, (size_t) r->headers_in.content_length_n);
        }

        size = ngx_min(ngx_max(size, NGX_HTTP_FRONTDESK_BODY_FIRST), body->max);

        p = ngx_pnalloc(ctx->scratch, size);
        if (p == NULL) {
            ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
            return NGX_DECLINED;
        }

        if (body->text.len) {
            ngx_memcpy(p, body->text.data, body->text.len);
            (void) ngx_pfree(ctx->scratch, body->text.data);
        }

        body->text.data = p;
        body->size = size;
    }

    ngx_memcpy(body->text.data + body->text.len, data, len);
    body->text.len += len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_body_refuse(ngx_http_request_t *r)
{
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ngx_http_frontdesk_get_ctx(r);

    ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_TOO_LARGE, NULL,
                                           NULL);
    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_frontdesk_body_parse(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_body_t *body)
{
    u_char                *p;
    struct fd_problem      problem;
    struct fd_json_fault   fault;
    struct fd_json_limits  limits;

    u_char  detail[256];

    ctx->body = NULL;

    if (body->text.len == 0) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_MALFORMED, NULL,
                                       "the body is empty");
    }

    limits.depth = ctx->openai ? FD_COMPLETION_DEPTH_MAX : FD_JSON_DEPTH_MAX;
    limits.nodes = ctx->openai ? FD_COMPLETION_NODES_MAX : FD_JSON_NODES_MAX;

    ctx->json = fd_json_parse((char *) body->text.data, body->text.len, limits,
                              ngx_http_frontdesk_allocator(ctx->scratch),
                              &fault);

    if (ctx->json) {
        return body->handler(r, ctx);
    }

    if (fault.error == FD_JSON_NO_MEMORY) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_snprintf(detail, sizeof(detail) - 1, "%s, at byte %uz",
                     fd_json_error_text(fault.error), fault.offset);
    *p = '\0';

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = FD_PROBLEM_MALFORMED;
    problem.detail = (char *) detail;
    problem.field = fault.where[0] ? fault.where : NULL;

    return ngx_http_frontdesk_problem(r, &problem);
}


/* an error of the core's while it read, as a document of ours */

static ngx_int_t
ngx_http_frontdesk_body_error(ngx_http_request_t *r, ngx_int_t rc)
{
    if (r->connection->error || r->connection->timedout) {
        return rc;
    }

    if (rc == NGX_HTTP_BAD_REQUEST) {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_BAD_REQUEST, NULL,
                                   "the body is not framed as HTTP wants it");
    }

    return rc;
}


struct fd_alloc
ngx_http_frontdesk_allocator(ngx_pool_t *pool)
{
    struct fd_alloc  alloc;

    alloc.alloc = ngx_http_frontdesk_alloc;
    alloc.ctx = pool;

    return alloc;
}


static void *
ngx_http_frontdesk_alloc(void *ctx, size_t size)
{
    return ngx_palloc(ctx, size);
}
