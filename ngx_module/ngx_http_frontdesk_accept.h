
/*
 * Lists of preferences in request headers: ngx_http_frontdesk_accept.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ACCEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The weight of an item (RFC 9110, 12.4.2) in thousandths, NGX_DECLINED where
 * it is not there.  What a wildcard stands for is for the caller to know.
 */
ngx_int_t ngx_http_frontdesk_accept_weight(ngx_str_t *list, ngx_str_t *item);


#endif /* _NGX_HTTP_FRONTDESK_ACCEPT_H_INCLUDED_ */
