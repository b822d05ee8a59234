
/*
 * Whole answers: JSON and problem documents, with the headers that every
 * answer of the API carries.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"
#include "protocol/openai_error.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_openai.h"
#include "ngx_http_frontdesk_respond.h"


#define NGX_HTTP_FRONTDESK_AWAY  2  /* s, Retry-After while Redis is away */


static ngx_int_t ngx_http_frontdesk_problem_headers(ngx_http_request_t *r,
    struct fd_problem *problem, ngx_uint_t openai);
static bool ngx_http_frontdesk_json_grow(struct fd_json_writer *w,
    size_t more);


static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_respond_fields[] = {
    { "Cache-Control", ngx_string("no-store") },
    { "X-Content-Type-Options", ngx_string("nosniff") },
    { NULL, ngx_null_string }
};


ngx_int_t
ngx_http_frontdesk_respond(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, ngx_str_t *body)
{
    ngx_int_t                  rc;
    ngx_http_frontdesk_ctx_t  *ctx;

    /* an unread body is not invited any more */

    r->expect_tested = 1;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx
        && (ngx_http_frontdesk_cors_headers(r, ctx) != NGX_OK
            || (ctx->openai && ngx_http_frontdesk_openai_headers(r) != NGX_OK)))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_frontdesk_headers(r, ngx_http_frontdesk_respond_fields)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type.data = (u_char *) content_type;
    r->headers_out.content_type.len = ngx_strlen(content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (body->len == 0) {
        r->header_only = 1;
    }

    return ngx_http_frontdesk_send(r, body);
}


ngx_int_t
ngx_http_frontdesk_send(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_frontdesk_problem(ngx_http_request_t *r, struct fd_problem *problem)
{
    char                      *request_id;
    ngx_str_t                  id, body;
    ngx_uint_t                 openai;
    struct fd_json_writer      w;
    ngx_http_frontdesk_ctx_t  *ctx;

    if (problem->request_id == NULL) {
        id = ngx_http_frontdesk_request_id(r);

        request_id = ngx_pnalloc(r->pool, id.len + 1);
        if (request_id == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        (void) ngx_cpystrn((u_char *) request_id, id.data, id.len + 1);
        problem->request_id = request_id;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "frontdesk problem: %s, %s", fd_problem_slug(problem->type),
                   problem->detail ? problem->detail : "");

    ngx_http_frontdesk_json_writer(&w, r->pool);

    ctx = ngx_http_frontdesk_get_ctx(r);
    openai = ctx && ctx->openai;

    if (openai) {
        fd_openai_error_write(&w, problem);

    } else {
        fd_problem_write(&w, problem);
    }

    if (w.failed
        || ngx_http_frontdesk_problem_headers(r, problem, openai) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    if (openai) {
        return ngx_http_frontdesk_respond(r, fd_openai_status(problem->type),
                                          "application/json", &body);
    }

    return ngx_http_frontdesk_respond(r, fd_problem_status(problem->type),
                                      "application/problem+json", &body);
}


ngx_int_t
ngx_http_frontdesk_refuse(ngx_http_request_t *r, struct fd_problem *problem)
{
    ngx_int_t  rc;

    rc = ngx_http_frontdesk_problem(r, problem);

    return (rc == NGX_OK) ? NGX_HTTP_OK : rc;
}


ngx_int_t
ngx_http_frontdesk_fail(ngx_http_request_t *r, enum fd_problem_type type,
    const char *field, const char *detail)
{
    struct fd_problem  problem;

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = type;
    problem.field = (field && *field) ? field : NULL;
    problem.detail = detail;

    if (type == FD_PROBLEM_UNAVAILABLE) {
        problem.retry_after = NGX_HTTP_FRONTDESK_AWAY;
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE);
    }

    return ngx_http_frontdesk_refuse(r, &problem);
}


static ngx_int_t
ngx_http_frontdesk_problem_headers(ngx_http_request_t *r,
    struct fd_problem *problem, ngx_uint_t openai)
{
    ngx_table_elt_t  *h;

    static ngx_str_t  no = ngx_string("false");
    static ngx_str_t  realm = ngx_string("Bearer realm=\"frontdesk\"");

    if (openai && fd_openai_never_retry(problem->type)
        && ngx_http_frontdesk_header(r, "X-Should-Retry", &no) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (problem->retry_after > 0
        && ngx_http_frontdesk_number_header(r, "Retry-After", "%i",
                                            problem->retry_after, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (fd_problem_status(problem->type) != NGX_HTTP_UNAUTHORIZED) {
        return NGX_OK;
    }

    h = ngx_http_frontdesk_header_push(r, "WWW-Authenticate", &realm);
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* where other modules look for it */

    r->headers_out.www_authenticate = h;

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    return ngx_http_frontdesk_header_push(r, name, value) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_frontdesk_headers(ngx_http_request_t *r,
    const ngx_http_frontdesk_field_t *fields)
{
    ngx_str_t  value;

    for ( /* void */ ; fields->name; fields++) {
        value = fields->value;

        if (ngx_http_frontdesk_header(r, fields->name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_frontdesk_header_push(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return h;
}


ngx_str_t *
ngx_http_frontdesk_request_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


ngx_str_t
ngx_http_frontdesk_request_id(ngx_http_request_t *r)
{
    ngx_str_t                        id;
    ngx_http_variable_value_t       *vv;
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_frontdesk_module);

    vv = ngx_http_get_indexed_variable(r, mcf->request_id);

    if (vv == NULL || vv->not_found) {
        ngx_str_set(&id, "");
        return id;
    }

    id.data = vv->data;
    id.len = vv->len;

    return id;
}


ngx_int_t
ngx_http_frontdesk_number_header(ngx_http_request_t *r, const char *name,
    const char *format, ngx_int_t a, ngx_int_t b)
{
    size_t     size;
    ngx_str_t  value;

    size = ngx_strlen(format) + 2 * NGX_INT_T_LEN;

    value.data = ngx_pnalloc(r->pool, size);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_snprintf(value.data, size, format, a, b) - value.data;

    return ngx_http_frontdesk_header(r, name, &value);
}


void
ngx_http_frontdesk_json_writer(struct fd_json_writer *w, ngx_pool_t *pool)
{
    ngx_memzero(w, sizeof(struct fd_json_writer));

    w->grow = ngx_http_frontdesk_json_grow;
    w->ctx = pool;
}


static bool
ngx_http_frontdesk_json_grow(struct fd_json_writer *w, size_t more)
{
    char    *data;
    size_t   cap;

    cap = ngx_max(2 * w->cap, 512);

    while (cap - w->len < more) {
        cap *= 2;
    }

    data = ngx_pnalloc(w->ctx, cap);
    if (data == NULL) {
        return false;
    }

    if (w->len) {
        ngx_memcpy(data, w->data, w->len);
    }

    if (w->data) {
        (void) ngx_pfree(w->ctx, w->data);
    }

    w->data = data;
    w->cap = cap;

    return true;
}
