
/*
 * Signed-in users: the claims in a cookie, checked without asking anybody, and
 * whether their session has ended, for which Redis is asked only while the
 * channel is not proven alive.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>
#include <sodium.h>

#include "ngx_http_frontdesk.h"

#include "protocol/keys.h"
#include "protocol/sign_in.h"


typedef struct {
    ngx_http_request_t         *request;
    ngx_http_frontdesk_ctx_t   *ctx;
    void                      (*done)(ngx_http_request_t *r,
                                      ngx_http_frontdesk_ctx_t *ctx,
                                      ngx_int_t rc);
    ngx_http_frontdesk_op_t    *read;      /* ZSCORE fd:ended */
    ngx_http_frontdesk_op_t    *marker;    /* EXISTS fd:keys:synced */
    ngx_int_t                   found;     /* OK: ended, DECLINED: it is not
                                              there, ERROR: unknown */
} ngx_http_frontdesk_session_look_t;


static ngx_int_t ngx_http_frontdesk_claims(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token,
    struct fd_sign_in_keys *keys);
static ngx_int_t ngx_http_frontdesk_cookie(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_cookie_find(ngx_str_t *header,
    const char *name, ngx_str_t *value);
static ngx_uint_t ngx_http_frontdesk_is_loopback(ngx_http_request_t *r);
static ngx_int_t ngx_http_frontdesk_session_look(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc));
static ngx_int_t ngx_http_frontdesk_session_ask(
    ngx_http_frontdesk_session_look_t *look);
static void ngx_http_frontdesk_session_read(void *data, redisReply *reply);
static void ngx_http_frontdesk_session_marker(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_session_verdict(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t ended);
static void ngx_http_frontdesk_session_cleanup(void *data);


ngx_int_t
ngx_http_frontdesk_sign_in(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc))
{
    ngx_int_t                rc;
    ngx_str_t                token;
    const u_char            *secret;
    struct fd_sign_in_keys   keys;

    rc = ngx_http_frontdesk_cookie(r, &token);

    if (rc != NGX_OK) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_SIGN_IN,
                                       "sign in, or send a secret key");
    }

    secret = ngx_http_frontdesk_session_key();

    if (secret == NULL) {
        return ngx_http_frontdesk_session_verdict(r, ctx, NGX_ERROR);
    }

    fd_sign_in_derive(&keys, secret);

    rc = ngx_http_frontdesk_claims(r, ctx, &token, &keys);

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_admin_page(r, ctx, &keys);
    }

    sodium_memzero(&keys, sizeof(struct fd_sign_in_keys));

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_frontdesk_ended_find(&ctx->user->session);

    if (rc != NGX_AGAIN) {
        ctx->auth = NGX_HTTP_FRONTDESK_AUTH_CACHED;
        return ngx_http_frontdesk_session_verdict(r, ctx, rc);
    }

    return ngx_http_frontdesk_session_look(r, ctx, done);
}


/* sets ctx->user, whose strings are in the request's pool */

static ngx_int_t
ngx_http_frontdesk_claims(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_str_t *token, struct fd_sign_in_keys *keys)
{
    enum fd_jwt_fault           fault;
    struct fd_sign_in           claims;
    ngx_http_frontdesk_user_t  *user;

    fault = fd_sign_in_read((char *) token->data, token->len, keys, ngx_time(),
                            ngx_http_frontdesk_allocator(r->pool), &claims);

    if (fault == FD_JWT_EXPIRED
        && !(ctx->route->flags & NGX_HTTP_FRONTDESK_EXPIRED))
    {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_SIGN_IN,
                                       "the claims have expired: renew them");
    }

    if (fault != FD_JWT_OK && fault != FD_JWT_EXPIRED) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_SIGN_IN,
                                       "this is not the cookie of a session");
    }

    user = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_user_t));
    if (user == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    user->id.data = (u_char *) claims.user;
    user->id.len = ngx_strlen(claims.user);
    user->org.data = (u_char *) claims.org;
    user->org.len = ngx_strlen(claims.org);
    user->role.data = (u_char *) claims.role;
    user->role.len = ngx_strlen(claims.role);
    user->session.data = (u_char *) claims.session;
    user->session.len = ngx_strlen(claims.session);
    user->nonce.data = (u_char *) claims.nonce;
    user->nonce.len = ngx_strlen(claims.nonce);

    if (claims.team) {
        user->team.data = (u_char *) claims.team;
        user->team.len = ngx_strlen(claims.team);
    }

    ctx->user = user;

    return NGX_OK;
}


/*
 * Exactly one cookie of the name that this connection has.  Names differ in
 * case only where somebody else than the admin API set one.
 */

static ngx_int_t
ngx_http_frontdesk_cookie(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_int_t         rc;
    ngx_uint_t        i, plain, found;
    ngx_str_t         text;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    plain = ngx_http_frontdesk_is_loopback(r);

    found = 0;
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len != sizeof("Cookie") - 1
            || ngx_strncasecmp(h[i].key.data, (u_char *) "Cookie",
                               sizeof("Cookie") - 1)
               != 0)
        {
            continue;
        }

        rc = ngx_http_frontdesk_cookie_find(&h[i].value,
                                            FD_SIGN_IN_COOKIE_HOST, &text);

        if (rc == NGX_DECLINED && plain) {
            rc = ngx_http_frontdesk_cookie_find(&h[i].value,
                                                FD_SIGN_IN_COOKIE_PLAIN,
                                                &text);
        }

        if (rc == NGX_ERROR) {
            return NGX_DECLINED;
        }

        if (rc == NGX_OK) {
            *value = text;
            found++;
        }
    }

    return (found == 1) ? NGX_OK : NGX_DECLINED;
}


/* NGX_ERROR: it is there twice */

static ngx_int_t
ngx_http_frontdesk_cookie_find(ngx_str_t *header, const char *name,
    ngx_str_t *value)
{
    size_t      len;
    u_char     *p, *last, *end;
    ngx_int_t   rc;

    len = ngx_strlen(name);
    rc = NGX_DECLINED;

    p = header->data;
    last = header->data + header->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == ';')) {
            p++;
        }

        end = ngx_strlchr(p, last, ';');
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) > len && p[len] == '='
            && ngx_memcmp(p, name, len) == 0)
        {
            if (rc == NGX_OK) {
                return NGX_ERROR;
            }

            value->data = p + len + 1;
            value->len = end - value->data;
            rc = NGX_OK;
        }

        p = end;
    }

    return rc;
}


/* where a page may be had over plain HTTP, see the cookies of the admin API */

static ngx_uint_t
ngx_http_frontdesk_is_loopback(ngx_http_request_t *r)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (r->connection->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

    default: /* AF_INET */
        sin = (struct sockaddr_in *) r->connection->sockaddr;
        return ntohl(sin->sin_addr.s_addr) >> 24 == 127;
    }
}


static ngx_int_t
ngx_http_frontdesk_session_look(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc))
{
    ngx_http_cleanup_t                 *cln;
    ngx_http_frontdesk_session_look_t  *look;

    look = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_session_look_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (look == NULL || cln == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    look->request = r;
    look->ctx = ctx;
    look->done = done;
    look->found = NGX_ERROR;

    cln->handler = ngx_http_frontdesk_session_cleanup;
    cln->data = look;

    if (ngx_http_frontdesk_session_ask(look) != NGX_OK) {
        return ngx_http_frontdesk_session_verdict(r, ctx, NGX_ERROR);
    }

    ctx->lookup = look;

    if (ngx_http_frontdesk_park_phase(r) != NGX_OK) {
        ngx_http_frontdesk_session_cleanup(look);
        ctx->lookup = NULL;
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_frontdesk_session_ask(ngx_http_frontdesk_session_look_t *look)
{
    ngx_str_t  argv[3];

    ngx_str_set(&argv[0], "ZSCORE");
    ngx_str_set(&argv[1], FD_KEY_ENDED);
    argv[2] = look->ctx->user->session;

    look->read = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                     ngx_http_frontdesk_session_read, look, 3, argv);

    if (look->read == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&argv[0], "EXISTS");
    ngx_str_set(&argv[1], FD_KEY_SYNCED);

    look->marker = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                       ngx_http_frontdesk_session_marker, look, 2, argv);

    if (look->marker == NULL) {
        ngx_http_frontdesk_session_cleanup(look);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_frontdesk_session_read(void *data, redisReply *reply)
{
    ngx_http_frontdesk_session_look_t *look = data;

    look->read = NULL;

    if (reply && reply->type == REDIS_REPLY_STRING) {
        look->found = NGX_OK;

    } else if (reply && reply->type == REDIS_REPLY_NIL) {
        look->found = NGX_DECLINED;
    }
}


static void
ngx_http_frontdesk_session_marker(void *data, redisReply *reply)
{
    ngx_http_frontdesk_session_look_t *look = data;

    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;

    look->marker = NULL;

    /* pipelined behind the first, whose reply is here or will not come */

    if (look->read || reply == NULL || reply->type != REDIS_REPLY_INTEGER
        || (look->found == NGX_DECLINED && reply->integer != 1))
    {
        ngx_http_frontdesk_session_cleanup(look);
        look->found = NGX_ERROR;
    }

    r = look->request;
    c = r->connection;
    ctx = look->ctx;

    ngx_http_set_log_request(c->log, r);

    ctx->lookup = NULL;
    ctx->auth = NGX_HTTP_FRONTDESK_AUTH_PASS;

    rc = ngx_http_frontdesk_session_verdict(r, ctx, look->found);

    look->done(r, ctx, rc);

    ngx_http_run_posted_requests(c);
}


/* NGX_OK: it has ended, NGX_DECLINED: it has not, NGX_ERROR: nobody knows */

static ngx_int_t
ngx_http_frontdesk_session_verdict(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t ended)
{
    if (ended == NGX_DECLINED) {
        return NGX_OK;
    }

    ctx->user = NULL;

    if (ended == NGX_OK) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_SIGN_IN,
                                       "the session is over");
    }

    ctx->auth = NGX_HTTP_FRONTDESK_AUTH_ERROR;
    ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL,
                                           NULL);

    return NGX_DECLINED;
}


static void
ngx_http_frontdesk_session_cleanup(void *data)
{
    ngx_http_frontdesk_session_look_t *look = data;

    if (look->read) {
        ngx_http_frontdesk_redis_cancel(look->read);
        look->read = NULL;
    }

    if (look->marker) {
        ngx_http_frontdesk_redis_cancel(look->marker);
        look->marker = NULL;
    }
}
