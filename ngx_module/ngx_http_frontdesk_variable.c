
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


typedef enum {
    NGX_HTTP_FRONTDESK_VAR_ORG = 0,
    NGX_HTTP_FRONTDESK_VAR_KEY_ID,
    NGX_HTTP_FRONTDESK_VAR_ROLE,
    NGX_HTTP_FRONTDESK_VAR_ACTOR,
    NGX_HTTP_FRONTDESK_VAR_USER_SESSION,
    NGX_HTTP_FRONTDESK_VAR_TEAM,
    NGX_HTTP_FRONTDESK_VAR_AUTH,
    NGX_HTTP_FRONTDESK_VAR_LIMIT,
    NGX_HTTP_FRONTDESK_VAR_ROUTE,
    NGX_HTTP_FRONTDESK_VAR_JOB,
    NGX_HTTP_FRONTDESK_VAR_SESSION,
    NGX_HTTP_FRONTDESK_VAR_FIRST_BYTE_MS,
    NGX_HTTP_FRONTDESK_VAR_EVENTS,
    NGX_HTTP_FRONTDESK_VAR_CLOSE,
    NGX_HTTP_FRONTDESK_VAR_REDIS_MS
} ngx_http_frontdesk_var_e;


static ngx_int_t ngx_http_frontdesk_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_frontdesk_variable_value(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, uintptr_t data, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_number(ngx_http_request_t *r,
    ngx_str_t *value, ngx_uint_t number);
static ngx_int_t ngx_http_frontdesk_variable_actor(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_user_session(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_variable_session(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *value);


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


static ngx_http_variable_t  ngx_http_frontdesk_vars[] = {

    { ngx_string("frontdesk_org"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_ORG, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_key_id"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_KEY_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_role"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_ROLE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_actor"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_ACTOR, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_user_session"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_USER_SESSION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_team"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_TEAM, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_auth"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_AUTH, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_limit"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_LIMIT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_route"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_ROUTE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_job"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_JOB, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_session"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_SESSION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_first_byte_ms"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_FIRST_BYTE_MS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_events"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_EVENTS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_close"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_CLOSE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("frontdesk_redis_ms"), NULL, ngx_http_frontdesk_variable,
      NGX_HTTP_FRONTDESK_VAR_REDIS_MS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_frontdesk_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_frontdesk_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  value;
    ngx_http_frontdesk_ctx_t  *ctx;

    ngx_str_null(&value);

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx
        && ngx_http_frontdesk_variable_value(r, ctx, data, &value) != NGX_OK)
    {
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


/* leaves it empty where it does not apply */

static ngx_int_t
ngx_http_frontdesk_variable_value(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, uintptr_t data, ngx_str_t *value)
{
    switch (data) {

    case NGX_HTTP_FRONTDESK_VAR_ORG:
        if (ctx->key) {
            *value = ctx->key->org;

        } else if (ctx->user) {
            *value = ctx->user->org;
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_KEY_ID:
        if (ctx->key) {
            *value = ctx->key->id;
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_ROLE:

        /* a program with a secret key does what an admin may, or less */

        if (ctx->key && ctx->key->kind == FD_KEY_SECRET) {
            *value = ngx_http_frontdesk_scope_names[ctx->key->scope];

        } else if (ctx->user) {
            *value = ctx->user->role;
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_ACTOR:
        return ngx_http_frontdesk_variable_actor(r, ctx, value);

    case NGX_HTTP_FRONTDESK_VAR_USER_SESSION:
        return ngx_http_frontdesk_variable_user_session(r, ctx, value);

    case NGX_HTTP_FRONTDESK_VAR_TEAM:
        if (ctx->user) {
            *value = ctx->user->team;
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_AUTH:
        *value = ngx_http_frontdesk_auth_names[ctx->auth];
        break;

    case NGX_HTTP_FRONTDESK_VAR_LIMIT:
        *value = ngx_http_frontdesk_limit_names[ctx->limit];
        break;

    case NGX_HTTP_FRONTDESK_VAR_ROUTE:

        /* a path may hold the id of a session, which opens its history */

        if (ctx->route) {
            *value = ctx->route->pattern;
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_JOB:
        *value = ctx->job;
        break;

    case NGX_HTTP_FRONTDESK_VAR_SESSION:
        return ngx_http_frontdesk_variable_session(r, ctx, value);

    case NGX_HTTP_FRONTDESK_VAR_FIRST_BYTE_MS:
        if (ctx->events) {
            return ngx_http_frontdesk_variable_number(r, value,
                                                      ctx->first_byte_ms);
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_EVENTS:
        if (ctx->events) {
            return ngx_http_frontdesk_variable_number(r, value, ctx->events);
        }
        break;

    case NGX_HTTP_FRONTDESK_VAR_CLOSE:
        *value = ngx_http_frontdesk_close_names[ctx->close];
        break;

    default: /* NGX_HTTP_FRONTDESK_VAR_REDIS_MS */
        if (ctx->limit != NGX_HTTP_FRONTDESK_LIMIT_NONE) {
            return ngx_http_frontdesk_variable_number(r, value, ctx->redis_ms);
        }
    }

    return NGX_OK;
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
