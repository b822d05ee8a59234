
/*
 * What an EventSource, which has no headers to send, reads a job's events with,
 * once: ngx_http_frontdesk_ticket.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_TICKET_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_TICKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/*
 * In the access phase: as ..._key_resolve(), which it ends with; ctx->job's
 * session is set.  Whatever is wrong with the ticket, it is a job that is not
 * there.
 */
ngx_int_t ngx_http_frontdesk_ticket_redeem(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *ticket,
    ngx_http_frontdesk_done_pt done);


#endif /* _NGX_HTTP_FRONTDESK_TICKET_H_INCLUDED_ */
