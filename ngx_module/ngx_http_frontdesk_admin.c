
/*
 * What every request to the admin API goes through, whoever asks: headers that
 * only nginx may set are made unrecognizable, the answer gets the headers that
 * browsers want, and a browser has to show that a page of ours asks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/problem.h"
#include "protocol/sign_in.h"

#include "ngx_http_frontdesk_admin.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_sign_in.h"


#define NGX_HTTP_FRONTDESK_SAFE                                               \
    (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS)

#define NGX_HTTP_FRONTDESK_ADMIN_PREFIX  "/api/admin/"


static ngx_uint_t ngx_http_frontdesk_admin_plain(ngx_http_request_t *r);
static void ngx_http_frontdesk_admin_strip(ngx_http_request_t *r);
static ngx_uint_t ngx_http_frontdesk_admin_own(ngx_http_request_t *r);
static ngx_uint_t ngx_http_frontdesk_admin_site(ngx_http_request_t *r,
    ngx_str_t *site);


static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_admin_fields[] = {
    { "Content-Security-Policy",
      ngx_string("default-src 'none'; frame-ancestors 'none'") },
    { "X-Frame-Options", ngx_string("DENY") },
    { "Referrer-Policy", ngx_string("no-referrer") },
    { "Cross-Origin-Resource-Policy", ngx_string("same-origin") },
    { "Cross-Origin-Opener-Policy", ngx_string("same-origin") },
    { NULL, ngx_null_string }
};


ngx_int_t
ngx_http_frontdesk_admin_begin(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    if (ctx->admin) {
        return NGX_OK;
    }

    ctx->admin = 1;

    ngx_http_frontdesk_admin_strip(r);

    if (ngx_http_frontdesk_admin_headers(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_frontdesk_admin_plain(r)) {
        return NGX_OK;
    }

    ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL,
                                           NULL);

    return NGX_DECLINED;
}


/*
 * The path is passed on as the client wrote it, which the admin API reads by
 * its own rules: "//api%2Fadmin/metrics" is a host and "/metrics" to it.
 */

static ngx_uint_t
ngx_http_frontdesk_admin_plain(ngx_http_request_t *r)
{
    size_t  len;

    len = sizeof(NGX_HTTP_FRONTDESK_ADMIN_PREFIX) - 1;

    return !r->valid_unparsed_uri
           || (r->unparsed_uri.len >= len
               && ngx_strncmp(r->unparsed_uri.data,
                              NGX_HTTP_FRONTDESK_ADMIN_PREFIX, len)
                  == 0);
}


ngx_int_t
ngx_http_frontdesk_admin_headers(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)

    static ngx_str_t  transport = ngx_string("max-age=31536000");

    if (r->connection->ssl
        && ngx_http_frontdesk_header(r, "Strict-Transport-Security",
                                     &transport)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

#endif

    return ngx_http_frontdesk_headers(r, ngx_http_frontdesk_admin_fields);
}


/*
 * A configuration may pass the client's headers on; those that the admin API
 * believes must not be among them.  An element cannot be taken out of the list,
 * as nginx points at others in it, so it loses its name.
 */

static void
ngx_http_frontdesk_admin_strip(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const char  prefix[] = "x-frontdesk-";
    static u_char      name[] = "X-Ignored";
    static u_char      lowcase[] = "x-ignored";

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len < sizeof(prefix) - 1
            || ngx_strncasecmp(h[i].key.data, (u_char *) prefix,
                               sizeof(prefix) - 1)
               != 0
            || (h[i].key.len == sizeof(FD_SIGN_IN_CSRF_HEADER) - 1
                && ngx_strncasecmp(h[i].key.data,
                                   (u_char *) FD_SIGN_IN_CSRF_HEADER,
                                   sizeof(FD_SIGN_IN_CSRF_HEADER) - 1)
                   == 0))
        {
            continue;
        }

        h[i].key.data = name;
        h[i].key.len = sizeof(name) - 1;
        h[i].lowcase_key = lowcase;
        h[i].hash = ngx_hash_key(lowcase, sizeof(lowcase) - 1);
        ngx_str_null(&h[i].value);
    }
}


/*
 * The admin API has let the request in and answers with a job, by
 * X-Accel-Redirect, whose events are the answer: a user follows one of his
 * organisation as a secret key does.
 */

ngx_int_t
ngx_http_frontdesk_admin_follow(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_http_frontdesk_key_t  *key;

    if (!r->internal || ctx->judged == NULL
        || ctx->route->handler != ngx_http_frontdesk_events_handler
        || (ctx->key == NULL && ctx->user == NULL))
    {
        ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_NOT_FOUND, NULL,
                                               NULL);
        return NGX_DECLINED;
    }

    if (ctx->key) {
        return NGX_OK;
    }

    key = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_key_t));
    if (key == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    key->kind = FD_KEY_SECRET;
    key->org = ctx->user->org;

    ctx->key = key;

    return NGX_OK;
}


/* of a route that nobody needs to have signed in for; programs may ask, too */

ngx_int_t
ngx_http_frontdesk_admin_open(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    if ((r->method & NGX_HTTP_FRONTDESK_SAFE)
        || ngx_http_frontdesk_admin_own(r)
        || (ngx_http_frontdesk_request_header(r, "Origin") == NULL
            && ngx_http_frontdesk_request_header(r, "Sec-Fetch-Site") == NULL))
    {
        return NGX_OK;
    }

    return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_CROSS_SITE, NULL);
}


/*
 * Of a signed-in user.  SameSite keeps the cookie from other sites' requests;
 * this holds where a browser does not know it, or a sub-domain is another's.
 */

ngx_int_t
ngx_http_frontdesk_admin_page(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_sign_in_keys *keys)
{
    ngx_str_t  *token, *site;

    if (r->method & NGX_HTTP_FRONTDESK_SAFE) {
        site = ngx_http_frontdesk_request_header(r, "Sec-Fetch-Site");

        if (site == NULL || ngx_http_frontdesk_admin_site(r, site)
            || (site->len == sizeof("none") - 1
                && ngx_strncmp(site->data, "none", site->len) == 0))
        {
            return NGX_OK;
        }

        ctx->user = NULL;

        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_CROSS_SITE, NULL);
    }

    token = ngx_http_frontdesk_request_header(r, FD_SIGN_IN_CSRF_HEADER);

    if (ngx_http_frontdesk_admin_own(r)
        && token
        && fd_sign_in_csrf_valid((char *) token->data, token->len, keys,
                                 (char *) ctx->user->session.data))
    {
        return NGX_OK;
    }

    ctx->user = NULL;

    return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_CROSS_SITE,
                         "a change needs the Origin of this server and the "
                         "session's " FD_SIGN_IN_CSRF_HEADER);
}


/*
 * Does the browser say that a page of this server asks?  Schemes are not
 * compared: a proxy before us may have ended TLS.
 */

static ngx_uint_t
ngx_http_frontdesk_admin_own(ngx_http_request_t *r)
{
    u_char     *p, *last;
    size_t      len;
    ngx_str_t  *site, *origin, *host;

    site = ngx_http_frontdesk_request_header(r, "Sec-Fetch-Site");
    origin = ngx_http_frontdesk_request_header(r, "Origin");

    if (site && !ngx_http_frontdesk_admin_site(r, site)) {
        return 0;
    }

    if (origin == NULL) {
        return site != NULL;
    }

    if (r->headers_in.host == NULL) {
        return 0;
    }

    host = &r->headers_in.host->value;

    p = origin->data;
    last = origin->data + origin->len;

    if (origin->len > 8 && ngx_strncmp(p, "https://", 8) == 0) {
        p += 8;

    } else if (origin->len > 7 && ngx_strncmp(p, "http://", 7) == 0) {
        p += 7;

    } else {
        return 0;
    }

    len = last - p;

    return len == host->len && ngx_strncasecmp(p, host->data, len) == 0;
}


static ngx_uint_t
ngx_http_frontdesk_admin_site(ngx_http_request_t *r, ngx_str_t *site)
{
    return site->len == sizeof("same-origin") - 1
           && ngx_strncmp(site->data, "same-origin", site->len) == 0;
}
