
/*
 * The call of admit.lua: its keys and arguments, in the request's scratch
 * pool, so that the same can be sent again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/chat_request.h"
#include "protocol/completion_request.h"
#include "protocol/ids.h"
#include "protocol/job.h"
#include "protocol/json.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include "ngx_http_frontdesk_admission_state.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_limit.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"


static ngx_int_t ngx_http_frontdesk_admission_keys(
    ngx_http_frontdesk_admission_t *ad, ngx_str_t *idempotency_key,
    ngx_uint_t starts);
static ngx_int_t ngx_http_frontdesk_admission_idempotency(
    ngx_http_frontdesk_admission_t *ad, u_char *shard, ngx_str_t *key,
    ngx_uint_t starts);
static ngx_int_t ngx_http_frontdesk_admission_args(
    ngx_http_frontdesk_admission_t *ad, ngx_uint_t starts);
static ngx_int_t ngx_http_frontdesk_admission_body(
    ngx_http_frontdesk_admission_t *ad, ngx_str_t *body, ngx_str_t *hash);
static void ngx_http_frontdesk_admission_push(
    ngx_http_frontdesk_admission_t *ad, ngx_str_t *value);
static void ngx_http_frontdesk_admission_text(
    ngx_http_frontdesk_admission_t *ad, const char *text);
static ngx_int_t ngx_http_frontdesk_admission_number(
    ngx_http_frontdesk_admission_t *ad, int64_t value);


ngx_int_t
ngx_http_frontdesk_admission_call(ngx_http_frontdesk_admission_t *ad,
    ngx_str_t *idempotency_key, ngx_uint_t starts)
{
    if (ngx_http_frontdesk_admission_keys(ad, idempotency_key, starts)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_admission_args(ad, starts);
}


ngx_int_t
ngx_http_frontdesk_admission_generation(ngx_http_frontdesk_admission_t *ad)
{
    ngx_int_t   rc;
    ngx_uint_t  argc;

    argc = ad->argc;
    ad->argc = ad->generation - ad->argv;

    rc = ngx_http_frontdesk_admission_number(ad, ad->ctx->key->generation);

    ad->argc = argc;

    return rc;
}


static ngx_int_t
ngx_http_frontdesk_admission_keys(ngx_http_frontdesk_admission_t *ad,
    ngx_str_t *idempotency_key, ngx_uint_t starts)
{
    u_char      *org, *session;
    ngx_int_t    rc;
    ngx_str_t   *key, address;
    ngx_pool_t  *pool;
    char         shard[5];

    pool = ad->pool;
    key = ad->argv;
    org = ad->ctx->key->org.data;
    session = ad->ctx->session.data;
    address = ngx_http_frontdesk_address(ad->request);

    fd_job_id_shard((char *) ad->ctx->job.data, ad->ctx->job.len, shard);

    rc = ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_JOBS, shard);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_JOB, shard,
                                       ad->ctx->job.data);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_SESSION, shard,
                                       org, session);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_ORG, shard, org);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_LEASE, shard, org);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_LOAD, shard);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_SESSION_RATE, shard,
                                       org, session);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_ADDRESS_RATE, shard,
                                       address.data);
    rc |= ngx_http_frontdesk_redis_key(pool, key++, FD_KEY_ALIVE, shard);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ad->argc = key - ad->argv;

    if (idempotency_key->len
        && ngx_http_frontdesk_admission_idempotency(ad, (u_char *) shard,
                                                    idempotency_key, starts)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ad->nkeys = ad->argc;

    return NGX_OK;
}


/*
 * A request that starts a session has none to be in the scope.  All visitors
 * of a site share its key, and one that names its messages 1, 2, 3 must not be
 * given the session of another: their address is part of it.
 */

static ngx_int_t
ngx_http_frontdesk_admission_idempotency(ngx_http_frontdesk_admission_t *ad,
    u_char *shard, ngx_str_t *key, ngx_uint_t starts)
{
    u_char                    *scope;
    ngx_str_t                  text, address;
    ngx_http_frontdesk_key_t  *api;
    char                       hash[FD_SHA256_HEX_SIZE];

    api = ad->ctx->key;
    scope = starts ? api->id.data : ad->ctx->session.data;
    text = *key;

    if (starts && api->kind == FD_KEY_PUBLISHABLE) {
        address = ngx_http_frontdesk_address(ad->request);

        text.len = key->len + 1 + address.len;
        text.data = ngx_pnalloc(ad->pool, text.len);

        if (text.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(text.data, "%V %V", key, &address);
    }

    fd_sha256_hex(hash, text.data, text.len);

    return ngx_http_frontdesk_redis_key(ad->pool, &ad->argv[ad->argc++],
                                        FD_KEY_IDEMPOTENCY, shard,
                                        api->org.data, scope, hash);
}


static ngx_int_t
ngx_http_frontdesk_admission_args(ngx_http_frontdesk_admission_t *ad,
    ngx_uint_t starts)
{
    ngx_int_t                        rc;
    ngx_str_t                        body, hash, request_id;
    ngx_http_frontdesk_ctx_t        *ctx;
    ngx_http_frontdesk_main_conf_t  *mcf;

    ctx = ad->ctx;
    mcf = ngx_http_get_module_main_conf(ad->request, ngx_http_frontdesk_module);
    request_id = ngx_http_frontdesk_request_id(ad->request);

    if (ngx_http_frontdesk_admission_body(ad, &body, &hash) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_frontdesk_admission_push(ad, &ctx->job);
    ngx_http_frontdesk_admission_push(ad, &ctx->key->org);
    ngx_http_frontdesk_admission_push(ad, &ctx->session);

    ad->generation = &ad->argv[ad->argc];
    rc = ngx_http_frontdesk_admission_number(ad, ctx->key->generation);

    ngx_http_frontdesk_admission_push(ad, &hash);

    rc |= ngx_http_frontdesk_admission_number(ad, FD_JOB_DEADLINE_MS);
    rc |= ngx_http_frontdesk_admission_number(ad, FD_JOB_LINGER_MS);
    rc |= ngx_http_frontdesk_admission_number(ad, mcf->queue_length);
    rc |= ngx_http_frontdesk_admission_number(ad, mcf->queue_bytes);
    rc |= ngx_http_frontdesk_admission_number(ad, mcf->session_rate);

    /* all sessions of a server that has a secret key start from its address */
    rc |= ngx_http_frontdesk_admission_number(ad,
              ctx->key->kind == FD_KEY_SECRET ? 0 : mcf->start_rate);

    rc |= ngx_http_frontdesk_admission_number(ad, FD_IDEMPOTENCY_TTL_MS);

    ngx_http_frontdesk_admission_text(ad, starts ? "1" : "0");

    ngx_http_frontdesk_admission_text(ad, FD_JOB_REQUEST);
    ngx_http_frontdesk_admission_push(ad, &request_id);
    ngx_http_frontdesk_admission_text(ad, FD_JOB_KEY);
    ngx_http_frontdesk_admission_push(ad, &ctx->key->id);
    ngx_http_frontdesk_admission_text(ad, FD_JOB_KIND);
    ngx_http_frontdesk_admission_text(ad, ctx->key->kind == FD_KEY_SECRET
                                          ? "sk" : "pk");
    ngx_http_frontdesk_admission_text(ad, FD_JOB_STARTED);
    ngx_http_frontdesk_admission_text(ad, starts ? "1" : "0");
    ngx_http_frontdesk_admission_text(ad, FD_JOB_ADDRESS);
    ngx_http_frontdesk_admission_push(ad, &ad->request->connection->addr_text);
    ngx_http_frontdesk_admission_text(ad, FD_JOB_ORIGIN);
    ngx_http_frontdesk_admission_push(ad, &ctx->origin);
    ngx_http_frontdesk_admission_text(ad, FD_JOB_BODY);
    ngx_http_frontdesk_admission_push(ad, &body);

    if (ctx->openai) {
        ngx_http_frontdesk_admission_text(ad, FD_JOB_DOOR);
        ngx_http_frontdesk_admission_text(ad, FD_DOOR_OPENAI);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_frontdesk_admission_body(ngx_http_frontdesk_admission_t *ad,
    ngx_str_t *body, ngx_str_t *hash)
{
    struct fd_json_writer  w;

    ngx_http_frontdesk_json_writer(&w, ad->pool);

    if (ad->ctx->completion) {
        fd_completion_request_write(&w, ad->ctx->completion);

    } else {
        fd_chat_request_write(&w, &ad->ctx->chat);
    }

    if (w.failed) {
        return NGX_ERROR;
    }

    body->data = (u_char *) w.data;
    body->len = w.len;

    /* only a repetition is ever compared, and without a key there is none */

    if (ad->nkeys < NGX_HTTP_FRONTDESK_ADMIT_KEYS) {
        ngx_str_set(hash, "-");
        return NGX_OK;
    }

    hash->data = ngx_pnalloc(ad->pool, FD_SHA256_HEX_SIZE);
    if (hash->data == NULL) {
        return NGX_ERROR;
    }

    fd_sha256_hex((char *) hash->data, w.data, w.len);
    hash->len = FD_SHA256_HEX_SIZE - 1;

    return NGX_OK;
}


static void
ngx_http_frontdesk_admission_push(ngx_http_frontdesk_admission_t *ad,
    ngx_str_t *value)
{
    ad->argv[ad->argc++] = *value;
}


static void
ngx_http_frontdesk_admission_text(ngx_http_frontdesk_admission_t *ad,
    const char *text)
{
    ad->argv[ad->argc].data = (u_char *) text;
    ad->argv[ad->argc++].len = ngx_strlen(text);
}


static ngx_int_t
ngx_http_frontdesk_admission_number(ngx_http_frontdesk_admission_t *ad,
    int64_t value)
{
    u_char  *p;

    p = ngx_pnalloc(ad->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ad->argv[ad->argc].data = p;
    ad->argv[ad->argc++].len = ngx_sprintf(p, "%L", value) - p;

    return NGX_OK;
}
