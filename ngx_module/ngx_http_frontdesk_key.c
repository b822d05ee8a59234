
/*
 * Whose is a key: looked up in the zone and, where the zone cannot be trusted,
 * in the live Redis; and may it be used, here and for this.
 *
 * A key nobody has is told from a key that is not there yet by fd:keys:synced:
 * only where the marker is present does a miss mean 401.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>
#include <sodium.h>

#include "protocol/ids.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_events.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_limit.h"
#include "ngx_http_frontdesk_lookup.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_zone.h"


typedef struct {
    ngx_http_frontdesk_lookup_t   lookup;    /* first: it comes back as this */
    ngx_http_frontdesk_key_t     *key;
    ngx_atomic_uint_t             version;
} ngx_http_frontdesk_key_ask_t;


static ngx_int_t ngx_http_frontdesk_key_cached(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key);
static ngx_int_t ngx_http_frontdesk_key_ask(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key,
    ngx_http_frontdesk_done_pt done);
static ngx_int_t ngx_http_frontdesk_key_answer(
    ngx_http_frontdesk_lookup_t *lookup, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_key_verdict(
    ngx_http_frontdesk_lookup_t *lookup, ngx_int_t found);
static ngx_int_t ngx_http_frontdesk_key_judge(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key);
static ngx_int_t ngx_http_frontdesk_key_away(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key);


static const char  ngx_http_frontdesk_no_key[] =
    "this is not the text of a key";


ngx_int_t
ngx_http_frontdesk_key_resolve(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token, ngx_uint_t fresh,
    ngx_http_frontdesk_done_pt done)
{
    ngx_int_t                  rc;
    enum fd_key_kind           kind;
    ngx_http_frontdesk_key_t  *key;

    ctx->key = NULL;
    ctx->token = *token;

    if (token->len != FD_API_KEY_LEN) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID,
                                       ngx_http_frontdesk_no_key);
    }

    kind = (ngx_strncmp(token->data, "fd_sk_", sizeof("fd_sk_") - 1) == 0)
           ? FD_KEY_SECRET : FD_KEY_PUBLISHABLE;

    if (kind == FD_KEY_SECRET
        && ngx_http_frontdesk_request_header(r, "Origin"))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "a secret key was sent by a browser");

        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID,
                             "a secret key must not be used in a browser, "
                             "where everyone can read it: revoke this one");
    }

    key = ngx_palloc(r->pool, sizeof(ngx_http_frontdesk_key_t));
    if (key == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    key->kind = kind;
    (void) crypto_hash_sha256(key->sha256, token->data, token->len);

    if (!fresh && ngx_http_frontdesk_channel_alive()) {

        rc = ngx_http_frontdesk_key_cached(r, ctx, key);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    /* what the zone knows has passed this when it came, the rest pays for it */

    if (!fd_api_key_valid((char *) token->data, token->len, &kind)) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID,
                                       ngx_http_frontdesk_no_key);
    }

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_KEY_MISSES);

    /* a guess costs a read, light routes have paid it */

    if (!fresh && !(ctx->route->flags & NGX_HTTP_FRONTDESK_LIGHT)) {

        rc = ngx_http_frontdesk_read_limit(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_frontdesk_key_ask(r, ctx, key, done);
}


ngx_int_t
ngx_http_frontdesk_key_recall(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, u_char sha256[32], enum fd_key_kind kind,
    ngx_http_frontdesk_done_pt done)
{
    ngx_int_t                  rc;
    ngx_http_frontdesk_key_t  *key;

    key = ngx_palloc(r->pool, sizeof(ngx_http_frontdesk_key_t));
    if (key == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    key->kind = kind;
    ngx_memcpy(key->sha256, sha256, 32);

    if (ngx_http_frontdesk_channel_alive()) {

        rc = ngx_http_frontdesk_key_cached(r, ctx, key);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    return ngx_http_frontdesk_key_ask(r, ctx, key, done);
}


static ngx_int_t
ngx_http_frontdesk_key_cached(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key)
{
    ngx_int_t  rc;

    rc = ngx_http_frontdesk_zone_key_get(key->sha256, r->pool, key, 0);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_KEY_HITS);

    if (rc == NGX_DECLINED) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID, NULL);
    }

    ctx->auth = NGX_HTTP_FRONTDESK_AUTH_CACHED;

    return ngx_http_frontdesk_key_judge(r, ctx, key);
}


static ngx_int_t
ngx_http_frontdesk_key_ask(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key,
    ngx_http_frontdesk_done_pt done)
{
    ngx_str_t                      argv[NGX_HTTP_FRONTDESK_KEY_ARGS];
    ngx_http_frontdesk_key_ask_t  *ask;

    u_char  name[NGX_HTTP_FRONTDESK_KEY_NAME];

    ask = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_key_ask_t));
    if (ask == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    ask->lookup.request = r;
    ask->lookup.ctx = ctx;
    ask->lookup.read = ngx_http_frontdesk_key_answer;
    ask->lookup.verdict = ngx_http_frontdesk_key_verdict;
    ask->lookup.done = done;

    ask->key = key;
    ask->version = ngx_http_frontdesk_zone_version();

    ngx_http_frontdesk_key_question(key, argv, name);

    return ngx_http_frontdesk_lookup(&ask->lookup, NGX_HTTP_FRONTDESK_KEY_ARGS,
                                     argv);
}


static ngx_int_t
ngx_http_frontdesk_key_answer(ngx_http_frontdesk_lookup_t *lookup,
    redisReply *reply)
{
    ngx_http_frontdesk_key_ask_t  *ask;

    ask = (ngx_http_frontdesk_key_ask_t *) lookup;

    return ngx_http_frontdesk_key_read(lookup->request, ask->key, reply);
}


static ngx_int_t
ngx_http_frontdesk_key_verdict(ngx_http_frontdesk_lookup_t *lookup,
    ngx_int_t found)
{
    ngx_http_request_t            *r;
    ngx_http_frontdesk_ctx_t      *ctx;
    ngx_http_frontdesk_key_ask_t  *ask;

    ask = (ngx_http_frontdesk_key_ask_t *) lookup;

    r = lookup->request;
    ctx = lookup->ctx;

    if (found == NGX_OK) {
        ctx->auth = NGX_HTTP_FRONTDESK_AUTH_PASS;
        ngx_http_frontdesk_zone_key_set(ask->key, ask->version);

        return ngx_http_frontdesk_key_judge(r, ctx, ask->key);
    }

    if (found == NGX_DECLINED) {
        ngx_http_frontdesk_zone_key_set_unknown(ask->key->sha256,
                                                ask->version);

        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID, NULL);
    }

    return ngx_http_frontdesk_key_away(r, ctx, ask->key);
}


static ngx_int_t
ngx_http_frontdesk_key_judge(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key)
{
    ngx_uint_t  allowed;

    if (key->expires && key->expires <= ngx_time()) {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID,
                                       "this key has expired");
    }

    ctx->key = key;

    /* first, so that a page on the key's list can read why it is refused */

    allowed = ngx_http_frontdesk_cors_allowed(r, ctx);

    if (key->kind != FD_KEY_SECRET
        && (ctx->route->flags & NGX_HTTP_FRONTDESK_SECRET))
    {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_KIND,
                                       "a secret key is needed here");
    }

    /* the admin API knows routes that only read, whatever their method */

    if (key->kind == FD_KEY_SECRET
        && key->scope == NGX_HTTP_FRONTDESK_SCOPE_READ
        && !ctx->admin
        && (r->method & (NGX_HTTP_POST|NGX_HTTP_DELETE)))
    {
        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_ROLE,
                                       "a key of scope read only reads");
    }

    if (!allowed) {
        if (ctx->route->flags & NGX_HTTP_FRONTDESK_SITE) {
            ngx_http_frontdesk_seen(r, ctx, 0);
        }

        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_ORIGIN,
                             "a publishable key works on the sites of its "
                             "list only, in a browser");
    }

    return NGX_OK;
}


/* nobody knows: what may be stale is looked for in the zone once more */

static ngx_int_t
ngx_http_frontdesk_key_away(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key)
{
    if ((ctx->route->flags & NGX_HTTP_FRONTDESK_STALE_OK)
        && ngx_http_frontdesk_zone_key_get(key->sha256, r->pool, key, 1)
           == NGX_OK)
    {
        ctx->auth = NGX_HTTP_FRONTDESK_AUTH_CACHED;
        return ngx_http_frontdesk_key_judge(r, ctx, key);
    }

    ctx->auth = NGX_HTTP_FRONTDESK_AUTH_ERROR;

    if (ctx->route->flags & NGX_HTTP_FRONTDESK_EVENTS) {
        ctx->refused = ngx_http_frontdesk_events_later(r, ctx);
        return NGX_DECLINED;
    }

    ctx->refused = ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL,
                                           NULL);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_frontdesk_deny(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    enum fd_problem_type type, const char *detail)
{
    ctx->auth = NGX_HTTP_FRONTDESK_AUTH_DENY;
    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_KEY_DENIED);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "frontdesk refused: %s",
                  fd_problem_slug(type));

    ctx->refused = ngx_http_frontdesk_fail(r, type, NULL, detail);

    return NGX_DECLINED;
}
