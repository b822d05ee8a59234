
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

#include "protocol/jwt.h"
#include "protocol/keys.h"
#include "protocol/problem.h"
#include "protocol/sign_in.h"

#include "ngx_http_frontdesk_admin.h"
#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_lookup.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_sign_in.h"


static ngx_int_t ngx_http_frontdesk_sign_in_claims(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token,
    struct fd_sign_in_keys *keys);
static ngx_int_t ngx_http_frontdesk_sign_in_ask(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_done_pt done);
static ngx_int_t ngx_http_frontdesk_sign_in_answer(
    ngx_http_frontdesk_lookup_t *lookup, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_sign_in_verdict(
    ngx_http_frontdesk_lookup_t *lookup, ngx_int_t ended);
static ngx_int_t ngx_http_frontdesk_sign_in_judge(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t ended);


ngx_int_t
ngx_http_frontdesk_sign_in(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_done_pt done)
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
        return ngx_http_frontdesk_sign_in_judge(r, ctx, NGX_ERROR);
    }

    fd_sign_in_derive(&keys, secret);

    rc = ngx_http_frontdesk_sign_in_claims(r, ctx, &token, &keys);

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
        return ngx_http_frontdesk_sign_in_judge(r, ctx, rc);
    }

    return ngx_http_frontdesk_sign_in_ask(r, ctx, done);
}


/* sets ctx->user, whose strings are in the request's pool */

static ngx_int_t
ngx_http_frontdesk_sign_in_claims(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token,
    struct fd_sign_in_keys *keys)
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


static ngx_int_t
ngx_http_frontdesk_sign_in_ask(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_done_pt done)
{
    ngx_str_t                     argv[3];
    ngx_http_frontdesk_lookup_t  *lookup;

    lookup = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_lookup_t));
    if (lookup == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    lookup->request = r;
    lookup->ctx = ctx;
    lookup->read = ngx_http_frontdesk_sign_in_answer;
    lookup->verdict = ngx_http_frontdesk_sign_in_verdict;
    lookup->done = done;

    ngx_str_set(&argv[0], "ZSCORE");
    ngx_str_set(&argv[1], FD_KEY_ENDED);
    argv[2] = ctx->user->session;

    return ngx_http_frontdesk_lookup(lookup, 3, argv);
}


static ngx_int_t
ngx_http_frontdesk_sign_in_answer(ngx_http_frontdesk_lookup_t *lookup,
    redisReply *reply)
{
    switch (reply->type) {

    case REDIS_REPLY_STRING:
        return NGX_OK;

    case REDIS_REPLY_NIL:
        return NGX_DECLINED;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_http_frontdesk_sign_in_verdict(ngx_http_frontdesk_lookup_t *lookup,
    ngx_int_t ended)
{
    lookup->ctx->auth = NGX_HTTP_FRONTDESK_AUTH_PASS;

    return ngx_http_frontdesk_sign_in_judge(lookup->request, lookup->ctx,
                                            ended);
}


/* NGX_OK: it has ended, NGX_DECLINED: it has not, NGX_ERROR: nobody knows */

static ngx_int_t
ngx_http_frontdesk_sign_in_judge(ngx_http_request_t *r,
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
