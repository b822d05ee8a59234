
/*
 * Variables, for the access log and for what a location passes on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sodium.h>

#include "protocol/ids.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_sign_in.h"


typedef struct {
    ngx_str_t    name;

    /* leaves the value empty where it does not apply */
    ngx_int_t  (*handler)(ngx_http_request_t *r,
                          ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
} ngx_http_frontdesk_var_t;


static ngx_int_t ngx_http_frontdesk_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_frontdesk_variable_org(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_key_id(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_role(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_actor(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_user_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_team(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_auth(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_limit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_route(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_job(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_first_byte(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_events(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_close(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_redis(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_number(ngx_http_request_t *r,
    ngx_str_t *value, ngx_uint_t number);


/* in the order of their enumerations */

static const ngx_str_t  ngx_http_frontdesk_auth_names[] = {
    ngx_null_string,
    ngx_string("pass"),
    ngx_string("cached"),
    ngx_string("deny"),
    ngx_string("error")
};

static const ngx_str_t  ngx_http_frontdesk_scope_names[] = {
    ngx_string("admin"),
    ngx_string("writer"),
    ngx_string("reader")
};

static const ngx_str_t  ngx_http_frontdesk_limit_names[] = {
    ngx_null_string,
    ngx_string("pass"),
    ngx_string("reject")
};

static const ngx_str_t  ngx_http_frontdesk_close_names[] = {
    ngx_null_string,
    ngx_string("done"),
    ngx_string("client"),
    ngx_string("timeout"),
    ngx_string("reload"),
    ngx_string("revoked"),
    ngx_string("error")
};


static ngx_http_frontdesk_var_t  ngx_http_frontdesk_vars[] = {
    { ngx_string("frontdesk_org"), ngx_http_frontdesk_variable_org },
    { ngx_string("frontdesk_key_id"), ngx_http_frontdesk_variable_key_id },
    { ngx_string("frontdesk_role"), ngx_http_frontdesk_variable_role },
    { ngx_string("frontdesk_actor"), ngx_http_frontdesk_variable_actor },
    { ngx_string("frontdesk_user_session"),
      ngx_http_frontdesk_variable_user_session },
    { ngx_string("frontdesk_team"), ngx_http_frontdesk_variable_team },
    { ngx_string("frontdesk_auth"), ngx_http_frontdesk_variable_auth },
    { ngx_string("frontdesk_limit"), ngx_http_frontdesk_variable_limit },
    { ngx_string("frontdesk_route"), ngx_http_frontdesk_variable_route },
    { ngx_string("frontdesk_job"), ngx_http_frontdesk_variable_job },
    { ngx_string("frontdesk_session"), ngx_http_frontdesk_variable_session },
    { ngx_string("frontdesk_first_byte_ms"),
      ngx_http_frontdesk_variable_first_byte },
    { ngx_string("frontdesk_events"), ngx_http_frontdesk_variable_events },
    { ngx_string("frontdesk_close"), ngx_http_frontdesk_variable_close },
    { ngx_string("frontdesk_redis_ms"), ngx_http_frontdesk_variable_redis },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_http_frontdesk_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t       *v;
    ngx_http_frontdesk_var_t  *var;

    for (var = ngx_http_frontdesk_vars; var->name.len; var++) {
        v = ngx_http_add_variable(cf, &var->name, NGX_HTTP_VAR_NOCACHEABLE);
        if (v == NULL) {
            return NGX_ERROR;
        }

        v->get_handler = ngx_http_frontdesk_variable;
        v->data = (uintptr_t) var;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_frontdesk_var_t  *var = (ngx_http_frontdesk_var_t *) data;

    ngx_str_t                  value;
    ngx_http_frontdesk_ctx_t  *ctx;

    ngx_str_null(&value);

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx && var->handler(r, ctx, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = value.len;
    v->data = value.data;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_org(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->key) {
        *value = ctx->key->org;

    } else if (ctx->user) {
        *value = ctx->user->org;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_key_id(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->key) {
        *value = ctx->key->id;
    }

    return NGX_OK;
}


/* a program with a secret key does what an admin may, or less */

static ngx_int_t
ngx_http_frontdesk_variable_role(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->key && ctx->key->kind == FD_KEY_SECRET) {
        *value = ngx_http_frontdesk_scope_names[ctx->key->scope];

    } else if (ctx->user) {
        *value = ctx->user->role;
    }

    return NGX_OK;
}


/* who did it, for the admin API's records: "key:" or "user:" and an id */

static ngx_int_t
ngx_http_frontdesk_variable_actor(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    ngx_str_t  kind, id;

    if (ctx->key) {
        ngx_str_set(&kind, "key:");
        id = ctx->key->id;

    } else if (ctx->user) {
        ngx_str_set(&kind, "user:");
        id = ctx->user->id;

    } else {
        return NGX_OK;
    }

    value->len = kind.len + id.len;
    value->data = ngx_pnalloc(r->pool, value->len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_cpymem(value->data, kind.data, kind.len), id.data, id.len);

    return NGX_OK;
}


/* the session and which of its claims: for the admin API, not for logs */

static ngx_int_t
ngx_http_frontdesk_variable_user_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->user == NULL) {
        return NGX_OK;
    }

    value->data = ngx_pnalloc(r->pool, ctx->user->session.len + 1
                                       + ctx->user->nonce.len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%V %V", &ctx->user->session,
                             &ctx->user->nonce)
                 - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_team(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->user) {
        *value = ctx->user->team;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_auth(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    *value = ngx_http_frontdesk_auth_names[ctx->auth];

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_limit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    *value = ngx_http_frontdesk_limit_names[ctx->limit];

    return NGX_OK;
}


/* not the path: it may hold the id of a session, which opens its history */

static ngx_int_t
ngx_http_frontdesk_variable_route(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->route) {
        *value = ctx->route->pattern;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_job(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    *value = ctx->job;

    return NGX_OK;
}


/*
 * A session's id opens its history: the log gets the first bytes of its hash,
 * enough to find the lines of one conversation.
 */

static ngx_int_t
ngx_http_frontdesk_variable_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    u_char  hash[crypto_hash_sha256_BYTES];

    if (ctx->session.len == 0) {
        return NGX_OK;
    }

    value->data = ngx_pnalloc(r->pool, 16);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    (void) crypto_hash_sha256(hash, ctx->session.data, ctx->session.len);

    value->len = ngx_hex_dump(value->data, hash, 8) - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_first_byte(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->events == 0) {
        return NGX_OK;
    }

    return ngx_http_frontdesk_variable_number(r, value, ctx->first_byte_ms);
}


static ngx_int_t
ngx_http_frontdesk_variable_events(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->events == 0) {
        return NGX_OK;
    }

    return ngx_http_frontdesk_variable_number(r, value, ctx->events);
}


static ngx_int_t
ngx_http_frontdesk_variable_close(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    *value = ngx_http_frontdesk_close_names[ctx->close];

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable_redis(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->limit == NGX_HTTP_FRONTDESK_LIMIT_NONE) {
        return NGX_OK;
    }

    return ngx_http_frontdesk_variable_number(r, value, ctx->redis_ms);
}


static ngx_int_t
ngx_http_frontdesk_variable_number(ngx_http_request_t *r, ngx_str_t *value,
    ngx_uint_t number)
{
    value->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%ui", number) - value->data;

    return NGX_OK;
}
