
/*
 * Cross-origin answers (Fetch standard): preflight, whether a key may be used
 * on the site that asks, and the headers of every answer.
 *
 * An Origin stops browsers, not programs: limits and budgets do that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"

#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"


static ngx_uint_t ngx_http_frontdesk_same_site(ngx_http_request_t *r,
    ngx_str_t *list);
static ngx_int_t ngx_http_frontdesk_referer(ngx_http_request_t *r,
    ngx_str_t *referer);
static ngx_str_t *ngx_http_frontdesk_cors_origin(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


static ngx_str_t  ngx_http_frontdesk_vary = ngx_string("Origin");

static ngx_str_t  ngx_http_frontdesk_expose_headers =
    ngx_string("Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, "
               "X-RateLimit-Remaining, X-RateLimit-Reset, X-Frontdesk-Job, "
               "X-Frontdesk-Session");

/* browsers cap the age: Chromium at two hours */
static const ngx_http_frontdesk_field_t
    ngx_http_frontdesk_preflight_fields[] = {
    { "Access-Control-Allow-Headers",
      ngx_string("Authorization, X-Api-Key, Content-Type, Accept, "
                 "Idempotency-Key, Last-Event-ID, X-Frontdesk-Session") },
    { "Access-Control-Max-Age", ngx_string("7200") },
    { NULL, ngx_null_string }
};


/*
 * A preflight carries no key, so nobody knows yet whose origins count: any
 * origin may learn which methods and headers this API takes, which is public.
 * The request itself is judged by its key.
 */

ngx_int_t
ngx_http_frontdesk_cors_preflight(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_str_t                  methods;
    ngx_uint_t                 mask;
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ngx_http_frontdesk_get_ctx(r);

    rc = ngx_http_frontdesk_route_find(r, ctx, &mask);

    if (rc != NGX_HTTP_NOT_ALLOWED) {
        return NGX_DECLINED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_frontdesk_route_methods(r->pool, mask, &methods) != NGX_OK
        || ngx_http_frontdesk_cors_headers(r, ctx) != NGX_OK
        || ngx_http_frontdesk_header(r, "Allow", &methods) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_frontdesk_request_header(r, "Access-Control-Request-Method")
        && (ngx_http_frontdesk_header(r, "Access-Control-Allow-Methods",
                                      &methods)
            != NGX_OK
            || ngx_http_frontdesk_headers(r,
                                          ngx_http_frontdesk_preflight_fields)
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    rc = ngx_http_send_header(r);

    return (rc == NGX_DECLINED) ? NGX_ERROR : rc;
}


/*
 * A page's own fetch() and every cross-origin request carry Origin, but for
 * GET within one origin.  Those count when the browser itself says that they
 * stay at home, or when the page they come from is on the list.  Without
 * either, a publishable key is used outside a browser: refused.  A ticket was
 * asked for from a page of the list.
 */

ngx_uint_t
ngx_http_frontdesk_cors_allowed(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t                    *text;
    ngx_http_frontdesk_origin_t   origin;

    ngx_str_null(&ctx->origin);

    if (ctx->key->kind == FD_KEY_SECRET) {
        return 1;
    }

    text = ngx_http_frontdesk_request_header(r, "Origin");

    if (text == NULL) {
        return ctx->ticket
               || ((r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
                   && ngx_http_frontdesk_same_site(r, &ctx->key->origins));
    }

    if (ngx_http_frontdesk_origin_parse(text, &origin) != NGX_OK
        || !ngx_http_frontdesk_origin_listed(&origin, &ctx->key->origins))
    {
        return 0;
    }

    ctx->origin = *text;

    return 1;
}


static ngx_uint_t
ngx_http_frontdesk_same_site(ngx_http_request_t *r, ngx_str_t *list)
{
    ngx_str_t                    *site, referer;
    ngx_http_frontdesk_origin_t   origin;

    site = ngx_http_frontdesk_request_header(r, "Sec-Fetch-Site");

    if (site) {
        return site->len == sizeof("same-origin") - 1
               && ngx_strncmp(site->data, "same-origin", site->len) == 0;
    }

    return ngx_http_frontdesk_referer(r, &referer) == NGX_OK
           && ngx_http_frontdesk_origin_parse(&referer, &origin) == NGX_OK
           && ngx_http_frontdesk_origin_listed(&origin, list);
}


/* the origin of the referring page: all before the path */

static ngx_int_t
ngx_http_frontdesk_referer(ngx_http_request_t *r, ngx_str_t *referer)
{
    u_char  *p, *last;

    if (r->headers_in.referer == NULL) {
        return NGX_DECLINED;
    }

    *referer = r->headers_in.referer->value;
    last = referer->data + referer->len;

    p = ngx_strlchr(referer->data, last, '/');

    if (p == NULL || last - p < 2 || p[1] != '/') {
        return NGX_DECLINED;
    }

    for (p += 2; p < last && *p != '/' && *p != '?' && *p != '#'; p++) {
        /* void */
    }

    referer->len = p - referer->data;

    return NGX_OK;
}


/* a page of this very host sends no Origin with a GET, but where it is */

ngx_int_t
ngx_http_frontdesk_cors_site(ngx_http_request_t *r, ngx_str_t *site)
{
    ngx_str_t                    *text;
    ngx_http_frontdesk_origin_t   origin;

    text = ngx_http_frontdesk_request_header(r, "Origin");

    if (text == NULL) {
        if (ngx_http_frontdesk_referer(r, site) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else {
        *site = *text;

        if (site->len == 4 && ngx_strncmp(site->data, "null", 4) == 0) {
            return NGX_OK;
        }
    }

    return ngx_http_frontdesk_origin_parse(site, &origin);
}


ngx_int_t
ngx_http_frontdesk_cors_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t  *origin;

    if (ctx->cors) {
        return NGX_OK;
    }

    ctx->cors = 1;

    if (ngx_http_frontdesk_header(r, "Vary", &ngx_http_frontdesk_vary)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    origin = ngx_http_frontdesk_cors_origin(r, ctx);

    if (origin == NULL) {
        return NGX_OK;
    }

    if (ngx_http_frontdesk_header(r, "Access-Control-Allow-Origin", origin)
        != NGX_OK
        || ngx_http_frontdesk_header(r, "Access-Control-Expose-Headers",
                                     &ngx_http_frontdesk_expose_headers)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A known key: only an origin on its list.  Without a key there is nothing yet
 * but preflights and problems about the request itself, which say no more than
 * the sender knows; the page needs to read them, or a mistyped key looks like
 * a network failure.  Never with credentials.
 */

static ngx_str_t *
ngx_http_frontdesk_cors_origin(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t                    *text;
    ngx_http_frontdesk_origin_t   origin;

    if (ctx->key) {
        return ctx->origin.len ? &ctx->origin : NULL;
    }

    /* no other site's page has any business with the admin API */

    if (ctx->admin) {
        return NULL;
    }

    text = ngx_http_frontdesk_request_header(r, "Origin");

    if (text == NULL
        || ngx_http_frontdesk_origin_parse(text, &origin) != NGX_OK)
    {
        return NULL;
    }

    return text;
}
