
/*
 * The access phase: preflight, the route, the key that a header or the query
 * holds.  A request is judged here before its body is read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sodium.h>

#include "protocol/problem.h"

#include "ngx_http_frontdesk_admin.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_limit.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_service.h"
#include "ngx_http_frontdesk_sign_in.h"


#define NGX_HTTP_FRONTDESK_ADMIN_METHODS                                     \
    (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH    \
     |NGX_HTTP_DELETE|NGX_HTTP_OPTIONS)


static ngx_int_t ngx_http_frontdesk_access(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_access_open(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_access_other(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static void ngx_http_frontdesk_access_done(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_frontdesk_access_route(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_int_t ngx_http_frontdesk_token(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token);
static void ngx_http_frontdesk_bearer(ngx_http_request_t *r, ngx_str_t *token);


ngx_int_t
ngx_http_frontdesk_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_frontdesk_ctx_t       *ctx;
    ngx_http_frontdesk_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_frontdesk_module);

    if (lcf->service != NGX_HTTP_FRONTDESK_API && !lcf->admin) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_http_frontdesk_create_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_REQUESTS);

    } else if (ctx->lookup) {
        return NGX_AGAIN;

    } else if (ctx->judged == r->uri.data) {
        return NGX_OK;

    } else {

        /* an internal redirect: another route, judged anew */

        ngx_http_set_ctx(r, ctx, ngx_http_frontdesk_module);

        if (!ctx->admin) {
            ctx->key = NULL;
            ctx->user = NULL;
        }
    }

    rc = lcf->admin ? ngx_http_frontdesk_admin_begin(r, ctx) : NGX_OK;

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_access(r, ctx);
    }

    if (rc == NGX_DECLINED) {
        ngx_http_finalize_request(r, ctx->refused);
        return NGX_DONE;
    }

    if (rc == NGX_OK) {
        ctx->judged = r->uri.data;
    }

    return rc;
}


static ngx_int_t
ngx_http_frontdesk_access(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_str_t                       token;
    ngx_http_frontdesk_loc_conf_t  *lcf;

    rc = ngx_http_frontdesk_access_route(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_frontdesk_module);

    if (ctx->admin && !lcf->admin) {
        return ngx_http_frontdesk_admin_follow(r, ctx);
    }

    if (ctx->route->flags & NGX_HTTP_FRONTDESK_KEYLESS) {
        return ngx_http_frontdesk_access_open(r, ctx);
    }

    rc = ngx_http_frontdesk_token(r, ctx, &token);

    if (rc != NGX_OK) {
        return rc;
    }

    if (token.len == 0) {
        return ngx_http_frontdesk_access_other(r, ctx);
    }

    if (ctx->route->flags & NGX_HTTP_FRONTDESK_LIGHT) {

        rc = ngx_http_frontdesk_read_limit(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_frontdesk_key_resolve(r, ctx, &token, 0,
                                          ngx_http_frontdesk_access_done);
}


/* nobody has to say who he is; the address counts all the more */

static ngx_int_t
ngx_http_frontdesk_access_open(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_frontdesk_read_limit(r, ctx);

    if (rc != NGX_OK || !ctx->admin) {
        return rc;
    }

    return ngx_http_frontdesk_admin_open(r, ctx);
}


/* without a key in a header or the query: what else the route takes */

static ngx_int_t
ngx_http_frontdesk_access_other(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_str_t   ticket;
    ngx_uint_t  flags;

    flags = ctx->route->flags;

    if ((flags & NGX_HTTP_FRONTDESK_TICKET)
        && ngx_http_arg(r, (u_char *) "ticket", sizeof("ticket") - 1, &ticket)
           != NGX_OK)
    {
        flags &= ~NGX_HTTP_FRONTDESK_TICKET;
    }

    if (!(flags & (NGX_HTTP_FRONTDESK_TICKET|NGX_HTTP_FRONTDESK_USER
                   |NGX_HTTP_FRONTDESK_KEY_IN_BODY)))
    {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_MISSING, NULL);
    }

    rc = ngx_http_frontdesk_read_limit(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    if (flags & NGX_HTTP_FRONTDESK_TICKET) {
        return ngx_http_frontdesk_ticket_redeem(r, ctx, &ticket,
                                                ngx_http_frontdesk_access_done);
    }

    if (flags & NGX_HTTP_FRONTDESK_USER) {
        return ngx_http_frontdesk_sign_in(r, ctx,
                                          ngx_http_frontdesk_access_done);
    }

    return NGX_OK;
}


static void
ngx_http_frontdesk_access_done(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc)
{
    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, ctx->refused);
        return;
    }

    ctx->judged = r->uri.data;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


static ngx_int_t
ngx_http_frontdesk_access_route(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t          rc;
    ngx_str_t          allow;
    ngx_uint_t         methods;
    struct fd_problem  problem;

    if (r->method == NGX_HTTP_OPTIONS) {
        ctx->refused = ngx_http_frontdesk_cors_preflight(r);

        if (ctx->refused != NGX_DECLINED) {
            return NGX_DECLINED;
        }
    }

    if (ctx->admin && !(r->method & NGX_HTTP_FRONTDESK_ADMIN_METHODS)) {

        /* libevent would refuse it in HTML */

        ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_METHOD, NULL,
                                               NULL);
        return NGX_DECLINED;
    }

    rc = ngx_http_frontdesk_route_find(r, ctx, &methods);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    ngx_memzero(&problem, sizeof(struct fd_problem));
    problem.type = FD_PROBLEM_NOT_FOUND;

    if (rc == NGX_HTTP_NOT_ALLOWED) {
        problem.type = FD_PROBLEM_METHOD;

        if (ngx_http_frontdesk_route_methods(r->pool, methods, &allow)
            != NGX_OK
            || ngx_http_frontdesk_header(r, "Allow", &allow) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    ctx->refused = ngx_http_frontdesk_problem(r, &problem);

    return NGX_DECLINED;
}


/* token->len is 0 where the request has no key outside of its body */

static ngx_int_t
ngx_http_frontdesk_token(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_str_t *token)
{
    ngx_str_t  *header, query;

    ngx_http_frontdesk_bearer(r, token);

    header = ngx_http_frontdesk_request_header(r, "X-Api-Key");

    if (header && header->len) {

        if (token->len
            && (token->len != header->len
                || sodium_memcmp(token->data, header->data, token->len) != 0))
        {
            return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_BAD_REQUEST,
                                 "Authorization and X-Api-Key name "
                                 "different keys");
        }

        *token = *header;
    }

    if (r->args.len == 0
        || ngx_http_arg(r, (u_char *) "client_key", sizeof("client_key") - 1,
                        &query)
           != NGX_OK)
    {
        return NGX_OK;
    }

    if (query.len >= sizeof("fd_sk_") - 1
        && ngx_strncasecmp(query.data, (u_char *) "fd_sk_",
                           sizeof("fd_sk_") - 1)
           == 0)
    {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_BAD_REQUEST,
                             "a secret key must not stand in a URL, where "
                             "logs and histories keep it: revoke this one");
    }

    if (token->len == 0
        && (ctx->route->flags & NGX_HTTP_FRONTDESK_KEY_IN_QUERY))
    {
        *token = query;
    }

    return NGX_OK;
}


static void
ngx_http_frontdesk_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    u_char     *p, *last;
    ngx_str_t  *value;

    ngx_str_null(token);

    if (r->headers_in.authorization == NULL) {
        return;
    }

    value = &r->headers_in.authorization->value;

    if (value->len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(value->data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return;
    }

    p = value->data + sizeof("Bearer ") - 1;
    last = value->data + value->len;

    while (p < last && *p == ' ') {
        p++;
    }

    token->data = p;
    token->len = last - p;
}
