
/*
 * Requests that wait for somebody else: ngx_http_frontdesk_park.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_PARK_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_PARK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* holds the request until _resume(), once; a client that leaves ends it */
void ngx_http_frontdesk_park(ngx_http_request_t *r);
/* finalizes it; r may be gone afterwards */
void ngx_http_frontdesk_resume(ngx_http_request_t *r, ngx_int_t rc);
/* the same for a phase handler, which nginx holds itself: return NGX_AGAIN */
ngx_int_t ngx_http_frontdesk_park_phase(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FRONTDESK_PARK_H_INCLUDED_ */
