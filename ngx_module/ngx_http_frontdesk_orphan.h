
/*
 * Jobs whose client has gone for good: ngx_http_frontdesk_orphan.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ORPHAN_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ORPHAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/* cancels ctx->job, now or once its server is back; nobody is told */
void ngx_http_frontdesk_cancel_job(ngx_http_frontdesk_ctx_t *ctx);
void ngx_http_frontdesk_orphan_resync(void);    /* jobs is back */


#endif /* _NGX_HTTP_FRONTDESK_ORPHAN_H_INCLUDED_ */
