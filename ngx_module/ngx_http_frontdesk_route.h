
/*
 * From a URI to a handler: ngx_http_frontdesk_route.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ROUTE_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ROUTE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


#define NGX_HTTP_FRONTDESK_KEY_IN_BODY   0x01  /* client_api_key counts */
#define NGX_HTTP_FRONTDESK_KEY_IN_QUERY  0x02  /* a publishable key may
                                                  stand in the query */
#define NGX_HTTP_FRONTDESK_LIGHT         0x04  /* read_rate applies, the
                                                  cached key is enough */
#define NGX_HTTP_FRONTDESK_STALE_OK      0x08  /* and may be stale while
                                                  Redis is away */
#define NGX_HTTP_FRONTDESK_SECRET        0x10  /* no publishable key */
#define NGX_HTTP_FRONTDESK_OPENAI        0x20  /* the door: below /v1 */
#define NGX_HTTP_FRONTDESK_KEYLESS       0x40  /* the path is the key */
#define NGX_HTTP_FRONTDESK_TICKET        0x80  /* a ticket in the query stands
                                                  for key and session */
#define NGX_HTTP_FRONTDESK_USER         0x100  /* or a signed-in user's
                                                  cookie */
#define NGX_HTTP_FRONTDESK_EXPIRED      0x200  /* whose claims may have
                                                  expired */
#define NGX_HTTP_FRONTDESK_EVENTS       0x400  /* for an EventSource, which
                                                  never comes back after a
                                                  status but 200: it is told
                                                  to come later */
#define NGX_HTTP_FRONTDESK_SITE         0x800  /* a page asks it first: sites
                                                  are seen by it */


/*
 * Method and path below /api/v1 or, with OPENAI, below /v1, where ":" stands
 * for a segment and a last "*" for all that follows; what it asks of the key;
 * and its handler, which is called once the key is known (ctx->key) unless the
 * route takes its key from the body.
 */

struct ngx_http_frontdesk_route_s {
    ngx_uint_t                     method;     /* NGX_HTTP_POST ... */
    ngx_str_t                      pattern;    /* "chat/:id/events" */
    ngx_uint_t                     flags;
    ngx_http_frontdesk_handler_pt  handler;    /* NULL in the admin API */
};


/*
 * NGX_OK, NGX_DECLINED: no such path, NGX_HTTP_NOT_ALLOWED: the path has
 * other methods (methods is a mask of them in both last cases)
 */
ngx_int_t ngx_http_frontdesk_route_find(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t *methods);
/* "GET, HEAD, OPTIONS" */
ngx_int_t ngx_http_frontdesk_route_methods(ngx_pool_t *pool,
    ngx_uint_t methods, ngx_str_t *list);


#endif /* _NGX_HTTP_FRONTDESK_ROUTE_H_INCLUDED_ */
