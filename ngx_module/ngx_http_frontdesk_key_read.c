
/*
 * A key in the live Redis: the question for its fields, and what they mean.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"
#include "protocol/keys.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"


static ngx_int_t ngx_http_frontdesk_key_field(ngx_pool_t *pool,
    redisReply *reply, ngx_str_t *value);
static ngx_uint_t ngx_http_frontdesk_key_scope(ngx_str_t *name);


void
ngx_http_frontdesk_key_question(ngx_http_frontdesk_key_t *key,
    ngx_str_t argv[NGX_HTTP_FRONTDESK_KEY_ARGS],
    u_char name[NGX_HTTP_FRONTDESK_KEY_NAME])
{
    (void) ngx_hex_dump(ngx_cpymem(name, "fd:key:", sizeof("fd:key:") - 1),
                        key->sha256, 32);

    ngx_str_set(&argv[0], "HMGET");
    argv[1].data = name;
    argv[1].len = NGX_HTTP_FRONTDESK_KEY_NAME;
    ngx_str_set(&argv[2], FD_APIKEY_ORG);
    ngx_str_set(&argv[3], FD_APIKEY_ID);
    ngx_str_set(&argv[4], FD_APIKEY_KIND);
    ngx_str_set(&argv[5], FD_APIKEY_GENERATION);
    ngx_str_set(&argv[6], FD_APIKEY_ORIGINS);
    ngx_str_set(&argv[7], FD_APIKEY_EXPIRES);
    ngx_str_set(&argv[8], FD_APIKEY_SCOPE);
}


ngx_int_t
ngx_http_frontdesk_key_read(ngx_http_request_t *r,
    ngx_http_frontdesk_key_t *key, redisReply *reply)
{
    const char  *wanted;
    ngx_str_t   *values[NGX_HTTP_FRONTDESK_KEY_FIELDS];
    ngx_str_t    kind, generation, expires, scope;
    ngx_uint_t   i;

    if (reply->type != REDIS_REPLY_ARRAY
        || reply->elements != NGX_HTTP_FRONTDESK_KEY_FIELDS)
    {
        return NGX_ERROR;
    }

    if (reply->element[0]->type == REDIS_REPLY_NIL) {
        return NGX_DECLINED;
    }

    /* in the order of the question */

    values[0] = &key->org;
    values[1] = &key->id;
    values[2] = &kind;
    values[3] = &generation;
    values[4] = &key->origins;
    values[5] = &expires;
    values[6] = &scope;

    for (i = 0; i < NGX_HTTP_FRONTDESK_KEY_FIELDS; i++) {
        if (ngx_http_frontdesk_key_field(r->pool, reply->element[i], values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    key->generation = ngx_atoi(generation.data, generation.len);
    key->expires = expires.len ? ngx_atotm(expires.data, expires.len) : 0;
    key->scope = ngx_http_frontdesk_key_scope(&scope);
    wanted = (key->kind == FD_KEY_SECRET) ? "sk" : "pk";

    if (!fd_uuid_valid((char *) key->org.data, key->org.len)
        || !fd_uuid_valid((char *) key->id.data, key->id.len)
        || ngx_strcmp(kind.data, wanted) != 0
        || key->generation == NGX_ERROR || key->expires == NGX_ERROR)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the live Redis holds a malformed fd:key:%02xd%02xd%02xd"
                      "%02xd...", key->sha256[0], key->sha256[1],
                      key->sha256[2], key->sha256[3]);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_key_field(ngx_pool_t *pool, redisReply *reply,
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


/* a worker of the time before scopes wrote none */

static ngx_uint_t
ngx_http_frontdesk_key_scope(ngx_str_t *name)
{
    if (name->len == 0 || ngx_strcmp(name->data, "admin") == 0) {
        return NGX_HTTP_FRONTDESK_SCOPE_ADMIN;
    }

    if (ngx_strcmp(name->data, "write") == 0) {
        return NGX_HTTP_FRONTDESK_SCOPE_WRITE;
    }

    return NGX_HTTP_FRONTDESK_SCOPE_READ;
}
