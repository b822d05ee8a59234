
/*
 * GET config: what the widget needs to know, as the worker wrote it.  From the
 * zone; with Redis away from there too, for a while.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/keys.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_zone.h"


typedef struct {
    ngx_http_request_t         *request;
    ngx_http_frontdesk_ctx_t   *ctx;
    ngx_http_frontdesk_op_t    *op;
    ngx_atomic_uint_t           version;
} ngx_http_frontdesk_settings_t;


static void ngx_http_frontdesk_settings_reply(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_settings_away(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


ngx_int_t
ngx_http_frontdesk_config_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t                       argv[2], json;
    ngx_http_frontdesk_settings_t  *settings;

    ngx_http_frontdesk_seen(r, ctx, 1);

    if (ngx_http_frontdesk_channel_alive()
        && ngx_http_frontdesk_zone_config_get(&ctx->key->org, r->pool, &json, 0)
           == NGX_OK)
    {
        return ngx_http_frontdesk_respond(r, NGX_HTTP_OK, "application/json",
                                          &json);
    }

    settings = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_settings_t));

    if (settings == NULL
        || ngx_http_frontdesk_redis_guard(r, &settings->op) != NGX_OK
        || ngx_http_frontdesk_redis_key(r->pool, &argv[1], FD_KEY_CONFIG,
                                        ctx->key->org.data)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    settings->request = r;
    settings->ctx = ctx;
    settings->version = ngx_http_frontdesk_zone_version();

    ngx_str_set(&argv[0], "GET");

    settings->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                           ngx_http_frontdesk_settings_reply,
                                           settings, 2, argv);
    if (settings->op == NULL) {
        return ngx_http_frontdesk_settings_away(r, ctx);
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


static void
ngx_http_frontdesk_settings_reply(void *data, redisReply *reply)
{
    ngx_http_frontdesk_settings_t *settings = data;

    ngx_int_t                  rc;
    ngx_str_t                  text, json;
    ngx_http_request_t        *r;
    ngx_http_frontdesk_ctx_t  *ctx;

    r = settings->request;
    ctx = settings->ctx;
    settings->op = NULL;

    ngx_http_set_log_request(r->connection->log, r);

    if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len == 0) {
        ngx_http_frontdesk_resume(r, ngx_http_frontdesk_settings_away(r, ctx));
        return;
    }

    text.data = (u_char *) reply->str;
    text.len = reply->len;

    ngx_http_frontdesk_zone_config_set(&ctx->key->org, &text,
                                       settings->version);

    /* the reply is gone before a slow client has it all */

    json.len = text.len;
    json.data = ngx_pstrdup(r->pool, &text);

    rc = json.data ? ngx_http_frontdesk_respond(r, NGX_HTTP_OK,
                                                "application/json", &json)
                   : NGX_HTTP_INTERNAL_SERVER_ERROR;

    ngx_http_frontdesk_resume(r, rc);
}


static ngx_int_t
ngx_http_frontdesk_settings_away(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_str_t  json;

    if (ngx_http_frontdesk_zone_config_get(&ctx->key->org, r->pool, &json, 1)
        == NGX_OK)
    {
        return ngx_http_frontdesk_respond(r, NGX_HTTP_OK, "application/json",
                                          &json);
    }

    return ngx_http_frontdesk_fail(r, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
}
