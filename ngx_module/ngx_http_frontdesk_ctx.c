
/*
 * The context of a request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"


static void ngx_http_frontdesk_ctx_cleanup(void *data);


/*
 * An internal redirect (error_page, X-Accel-Redirect) clears the contexts of
 * modules.  The pool's cleanup record survives it, as in the realip module.
 */

ngx_http_frontdesk_ctx_t *
ngx_http_frontdesk_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_frontdesk_module);

    if (ctx != NULL || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_frontdesk_ctx_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_http_frontdesk_ctx_t *
ngx_http_frontdesk_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_frontdesk_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_frontdesk_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_frontdesk_ctx_t));

    ctx->started = ngx_current_msec;

    cln->handler = ngx_http_frontdesk_ctx_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_frontdesk_module);

    return ctx;
}


/* the address of this function marks the record, there is nothing to free */

static void
ngx_http_frontdesk_ctx_cleanup(void *data)
{
}
