
/*
 * A question to the live Redis, and behind it, in the same pipeline, whether
 * the server has everything.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/keys.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_lookup.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"


static ngx_int_t ngx_http_frontdesk_lookup_send(
    ngx_http_frontdesk_lookup_t *lookup, ngx_uint_t argc, ngx_str_t *argv);
static void ngx_http_frontdesk_lookup_answered(void *data, redisReply *reply);
static void ngx_http_frontdesk_lookup_marked(void *data, redisReply *reply);
static void ngx_http_frontdesk_lookup_cleanup(void *data);


ngx_int_t
ngx_http_frontdesk_lookup(ngx_http_frontdesk_lookup_t *lookup,
    ngx_uint_t argc, ngx_str_t *argv)
{
    ngx_http_request_t        *r;
    ngx_http_cleanup_t        *cln;
    ngx_http_frontdesk_ctx_t  *ctx;

    r = lookup->request;
    ctx = lookup->ctx;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    cln->handler = ngx_http_frontdesk_lookup_cleanup;
    cln->data = lookup;

    lookup->found = NGX_ERROR;

    if (ngx_http_frontdesk_lookup_send(lookup, argc, argv) != NGX_OK) {
        return lookup->verdict(lookup, NGX_ERROR);
    }

    if (ngx_http_frontdesk_park_phase(r) != NGX_OK) {
        ngx_http_frontdesk_lookup_cleanup(lookup);
        ctx->refused = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DECLINED;
    }

    ctx->lookup = 1;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_frontdesk_lookup_send(ngx_http_frontdesk_lookup_t *lookup,
    ngx_uint_t argc, ngx_str_t *argv)
{
    ngx_str_t  exists[2];

    lookup->question = ngx_http_frontdesk_redis_command(
                           NGX_HTTP_FRONTDESK_LIVE,
                           ngx_http_frontdesk_lookup_answered, lookup,
                           argc, argv);
    if (lookup->question == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&exists[0], "EXISTS");
    ngx_str_set(&exists[1], FD_KEY_SYNCED);

    lookup->marker = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                         ngx_http_frontdesk_lookup_marked, lookup, 2, exists);
    if (lookup->marker == NULL) {
        ngx_http_frontdesk_lookup_cleanup(lookup);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_frontdesk_lookup_answered(void *data, redisReply *reply)
{
    ngx_http_frontdesk_lookup_t *lookup = data;

    lookup->question = NULL;

    if (reply) {
        lookup->found = lookup->read(lookup, reply);
    }
}


static void
ngx_http_frontdesk_lookup_marked(void *data, redisReply *reply)
{
    ngx_http_frontdesk_lookup_t *lookup = data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    lookup->marker = NULL;

    /* pipelined behind the question, whose reply is here or will not come */

    if (lookup->question
        || reply == NULL || reply->type != REDIS_REPLY_INTEGER
        || (lookup->found == NGX_DECLINED && reply->integer != 1))
    {
        ngx_http_frontdesk_lookup_cleanup(lookup);
        lookup->found = NGX_ERROR;
    }

    r = lookup->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    lookup->ctx->lookup = 0;

    rc = lookup->verdict(lookup, lookup->found);

    lookup->done(r, lookup->ctx, rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_frontdesk_lookup_cleanup(void *data)
{
    ngx_http_frontdesk_lookup_t *lookup = data;

    if (lookup->question) {
        ngx_http_frontdesk_redis_cancel(lookup->question);
        lookup->question = NULL;
    }

    if (lookup->marker) {
        ngx_http_frontdesk_redis_cancel(lookup->marker);
        lookup->marker = NULL;
    }
}
