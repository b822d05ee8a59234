
/*
 * Whose is a key: looked up in the zone and, where the zone cannot be trusted,
 * in the live Redis.
 *
 * A key nobody has is told from a key that is not there yet by fd:keys:synced:
 * only where the marker is present does a miss mean 401.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>
#include <sodium.h>

#include "ngx_http_frontdesk.h"
#include "protocol/keys.h"


#define NGX_HTTP_FRONTDESK_FIELDS  7  /* of fd:key */


typedef void (*ngx_http_frontdesk_key_pt)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);

typedef struct {
    ngx_http_request_t         *request;
    ngx_http_frontdesk_ctx_t   *ctx;
    ngx_http_frontdesk_key_t   *key;
    ngx_http_frontdesk_key_pt   done;

    ngx_http_frontdesk_op_t    *read;      /* HMGET fd:key */
    ngx_http_frontdesk_op_t    *marker;    /* EXISTS fd:keys:synced */
    ngx_int_t                   found;     /* OK, DECLINED, ERROR: unknown */
    ngx_atomic_uint_t           version;
} ngx_http_frontdesk_lookup_t;


static ngx_int_t ngx_http_frontdesk_cached(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key);
static ngx_int_t ngx_http_frontdesk_lookup(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key,
    ngx_http_frontdesk_key_pt done);
static ngx_int_t ngx_http_frontdesk_lookup_send(
    ngx_http_frontdesk_lookup_t *lookup);
static void ngx_http_frontdesk_lookup_cleanup(void *data);
static void ngx_http_frontdesk_lookup_key(void *data,
    struct redisReply *reply);
static ngx_int_t ngx_http_frontdesk_lookup_read(
    ngx_http_frontdesk_lookup_t *lookup, struct redisReply *reply);
static ngx_int_t ngx_http_frontdesk_lookup_field(ngx_pool_t *pool,
    struct redisReply *reply, ngx_str_t *value);
static void ngx_http_frontdesk_lookup_marker(void *data,
    struct redisReply *reply);
static ngx_int_t ngx_http_frontdesk_lookup_verdict(
    ngx_http_frontdesk_lookup_t *lookup, ngx_uint_t synced);

static ngx_int_t ngx_http_frontdesk_judge(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key);
static ngx_int_t ngx_http_frontdesk_away(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_key_t *key);


static const char  ngx_http_frontdesk_no_key[] =
    "this is not the text of a key";


ngx_int_t
ngx_http_frontdesk_key_resolve(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token, ngx_uint_t fresh,
    void (*done)(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_int_t rc))
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

        rc = ngx_http_frontdesk_cached(r, ctx, key);

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

    return ngx_http_frontdesk_lookup(r, ctx, key, done);
}


ngx_int_t
ngx_http_frontdesk_key_recall(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, u_char sha256[32], enum fd_key_kind kind,
    void (*done)(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_int_t rc))
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

        rc = ngx_http_frontdesk_cached(r, ctx, key);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    return ngx_http_frontdesk_lookup(r, ctx, key, done);
}


static ngx_int_t
ngx_http_frontdesk_cached(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_http_frontdesk_key_t *key)
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

    return ngx_http_frontdesk_judge(r, ctx, key);
}


static ngx_int_t
ngx_http_frontdesk_lookup(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_http_frontdesk_key_t *key, ngx_http_frontdesk_key_pt done)
{
    ngx_http_cleanup_t           *cln;
    ngx_http_frontdesk_lookup_t  *lookup;

    lookup = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_lookup_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (lookup == NULL || cln == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    lookup->request = r;
    lookup->ctx = ctx;
    lookup->key = key;
    lookup->done = done;
    lookup->found = NGX_ERROR;

    cln->handler = ngx_http_frontdesk_lookup_cleanup;
    cln->data = lookup;

    if (ngx_http_frontdesk_lookup_send(lookup) != NGX_OK) {
        return ngx_http_frontdesk_away(r, ctx, key);
    }

    ctx->lookup = lookup;

    if (ngx_http_frontdesk_park_phase(r) != NGX_OK) {
        ngx_http_frontdesk_lookup_cleanup(lookup);
        ctx->lookup = NULL;
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_frontdesk_lookup_send(ngx_http_frontdesk_lookup_t *lookup)
{
    ngx_str_t  argv[2 + NGX_HTTP_FRONTDESK_FIELDS];

    u_char  name[sizeof("fd:key:") - 1 + 64];

    lookup->version = ngx_http_frontdesk_zone_version();

    (void) ngx_hex_dump(ngx_cpymem(name, "fd:key:", sizeof("fd:key:") - 1),
                        lookup->key->sha256, 32);

    ngx_str_set(&argv[0], "HMGET");
    argv[1].data = name;
    argv[1].len = sizeof(name);
    ngx_str_set(&argv[2], FD_APIKEY_ORG);
    ngx_str_set(&argv[3], FD_APIKEY_ID);
    ngx_str_set(&argv[4], FD_APIKEY_KIND);
    ngx_str_set(&argv[5], FD_APIKEY_GENERATION);
    ngx_str_set(&argv[6], FD_APIKEY_ORIGINS);
    ngx_str_set(&argv[7], FD_APIKEY_EXPIRES);
    ngx_str_set(&argv[8], FD_APIKEY_SCOPE);

    lookup->read = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                       ngx_http_frontdesk_lookup_key, lookup,
                       2 + NGX_HTTP_FRONTDESK_FIELDS, argv);
    if (lookup->read == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&argv[0], "EXISTS");
    ngx_str_set(&argv[1], FD_KEY_SYNCED);

    lookup->marker = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                         ngx_http_frontdesk_lookup_marker, lookup, 2, argv);
    if (lookup->marker == NULL) {
        ngx_http_frontdesk_lookup_cleanup(lookup);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_frontdesk_lookup_cleanup(void *data)
{
    ngx_http_frontdesk_lookup_t *lookup = data;

    if (lookup->read) {
        ngx_http_frontdesk_redis_cancel(lookup->read);
        lookup->read = NULL;
    }

    if (lookup->marker) {
        ngx_http_frontdesk_redis_cancel(lookup->marker);
        lookup->marker = NULL;
    }
}


static void
ngx_http_frontdesk_lookup_key(void *data, struct redisReply *reply)
{
    ngx_http_frontdesk_lookup_t *lookup = data;

    lookup->read = NULL;
    lookup->found = ngx_http_frontdesk_lookup_read(lookup, reply);
}


static ngx_int_t
ngx_http_frontdesk_lookup_read(ngx_http_frontdesk_lookup_t *lookup,
    struct redisReply *reply)
{
    const char                *wanted;
    ngx_str_t                 *values[NGX_HTTP_FRONTDESK_FIELDS];
    ngx_str_t                  kind, generation, expires, scope;
    ngx_uint_t                 i;
    ngx_http_frontdesk_key_t  *key;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements != NGX_HTTP_FRONTDESK_FIELDS)
    {
        return NGX_ERROR;
    }

    if (reply->element[0]->type == REDIS_REPLY_NIL) {
        return NGX_DECLINED;
    }

    key = lookup->key;

    values[0] = &key->org;
    values[1] = &key->id;
    values[2] = &kind;
    values[3] = &generation;
    values[4] = &key->origins;
    values[5] = &expires;
    values[6] = &scope;

    for (i = 0; i < NGX_HTTP_FRONTDESK_FIELDS; i++) {
        if (ngx_http_frontdesk_lookup_field(lookup->request->pool,
                                            reply->element[i], values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    key->generation = ngx_atoi(generation.data, generation.len);
    key->expires = expires.len ? ngx_atotm(expires.data, expires.len) : 0;
    wanted = (key->kind == FD_KEY_SECRET) ? "sk" : "pk";

    /* a worker of the time before scopes wrote none */

    key->scope = (scope.len == 0 || ngx_strcmp(scope.data, "admin") == 0)
                 ? NGX_HTTP_FRONTDESK_SCOPE_ADMIN
               : (ngx_strcmp(scope.data, "write") == 0)
                 ? NGX_HTTP_FRONTDESK_SCOPE_WRITE
                 : NGX_HTTP_FRONTDESK_SCOPE_READ;

    if (!fd_uuid_valid((char *) key->org.data, key->org.len)
        || !fd_uuid_valid((char *) key->id.data, key->id.len)
        || ngx_strcmp(kind.data, wanted) != 0
        || key->generation == NGX_ERROR || key->expires == NGX_ERROR)
    {
        ngx_log_error(NGX_LOG_ERR, lookup->request->connection->log, 0,
                      "the live Redis holds a malformed fd:key:%02xd%02xd%02xd"
                      "%02xd...", key->sha256[0], key->sha256[1],
                      key->sha256[2], key->sha256[3]);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_lookup_field(ngx_pool_t *pool, struct redisReply *reply,
    ngx_str_t *value)
{
    if (reply->type == REDIS_REPLY_NIL) {
        ngx_str_set(value, "");
        return NGX_OK;
    }

    if (reply->type != REDIS_REPLY_STRING) {
        return NGX_ERROR;
    }

    value->len = reply->len;
    value->data = ngx_pnalloc(pool, reply->len + 1);

    if (value->data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(value->data, reply->str, reply->len) = '\0';

    return NGX_OK;
}


static void
ngx_http_frontdesk_lookup_marker(void *data, struct redisReply *reply)
{
    ngx_http_frontdesk_lookup_t *lookup = data;

    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;

    lookup->marker = NULL;

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER) {
        lookup->found = NGX_ERROR;
    }

    /* pipelined behind the first, whose reply is here or will not come */

    if (lookup->read) {
        ngx_http_frontdesk_lookup_cleanup(lookup);
        lookup->found = NGX_ERROR;
    }

    r = lookup->request;
    c = r->connection;
    ctx = lookup->ctx;

    ngx_http_set_log_request(c->log, r);

    ctx->lookup = NULL;

    rc = ngx_http_frontdesk_lookup_verdict(lookup,
                                           reply && reply->integer == 1);

    lookup->done(r, ctx, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_frontdesk_lookup_verdict(ngx_http_frontdesk_lookup_t *lookup,
    ngx_uint_t synced)
{
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;

    r = lookup->request;
    ctx = lookup->ctx;

    if (lookup->found == NGX_OK) {
        ctx->auth = NGX_HTTP_FRONTDESK_AUTH_PASS;
        ngx_http_frontdesk_zone_key_set(lookup->key, lookup->version);

        return ngx_http_frontdesk_judge(r, ctx, lookup->key);
    }

    if (lookup->found == NGX_DECLINED && synced) {
        ngx_http_frontdesk_zone_key_set_unknown(lookup->key->sha256,
                                                lookup->version);

        return ngx_http_frontdesk_deny(r, ctx, FD_PROBLEM_KEY_INVALID, NULL);
    }

    return ngx_http_frontdesk_away(r, ctx, lookup->key);
}


static ngx_int_t
ngx_http_frontdesk_judge(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_http_frontdesk_key_t *key)
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

    if (!allowed) {
        if (ctx->route->handler == ngx_http_frontdesk_config_handler) {
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
ngx_http_frontdesk_away(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_http_frontdesk_key_t *key)
{
    if ((ctx->route->flags & NGX_HTTP_FRONTDESK_STALE_OK)
        && ngx_http_frontdesk_zone_key_get(key->sha256, r->pool, key, 1)
           == NGX_OK)
    {
        ctx->auth = NGX_HTTP_FRONTDESK_AUTH_CACHED;
        return ngx_http_frontdesk_judge(r, ctx, key);
    }

    ctx->auth = NGX_HTTP_FRONTDESK_AUTH_ERROR;

    if (ctx->route->handler == ngx_http_frontdesk_events_handler
        || ctx->route->handler == ngx_http_frontdesk_session_events_handler)
    {

        /* an EventSource that is answered 503 never comes back */

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
