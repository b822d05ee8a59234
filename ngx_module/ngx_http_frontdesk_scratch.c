
/*
 * The body, its JSON and the call of admission are needed until the first
 * event of the answer, which may last for minutes: they have a pool of their
 * own, so that an open stream is small.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/chat_request.h"

#include "ngx_http_frontdesk_ctx.h"


#define NGX_HTTP_FRONTDESK_SCRATCH  4096


static void ngx_http_frontdesk_scratch_cleanup(void *data);


ngx_int_t
ngx_http_frontdesk_scratch(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_pool_cleanup_t  *cln;

    if (ctx->scratch) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    ctx->scratch = ngx_create_pool(NGX_HTTP_FRONTDESK_SCRATCH,
                                   r->connection->log);
    if (ctx->scratch == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_frontdesk_scratch_cleanup;
    cln->data = ctx;

    return NGX_OK;
}


void
ngx_http_frontdesk_scratch_free(ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_uint_t  stream;

    if (ctx->scratch == NULL) {
        return;
    }

    ngx_destroy_pool(ctx->scratch);
    ctx->scratch = NULL;

    stream = ctx->chat.stream;

    ctx->json = NULL;
    ctx->completion = NULL;
    ngx_str_null(&ctx->token);
    ngx_memzero(&ctx->chat, sizeof(struct fd_chat_request));

    ctx->chat.stream = stream;
}


static void
ngx_http_frontdesk_scratch_cleanup(void *data)
{
    ngx_http_frontdesk_ctx_t *ctx = data;

    if (ctx->scratch) {
        ngx_destroy_pool(ctx->scratch);
        ctx->scratch = NULL;
    }
}
