
/*
 * Origins (RFC 6454) and patterns of them: ngx_http_frontdesk_origin.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ORIGIN_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_str_t                  scheme;
    ngx_str_t                  host;
    ngx_int_t                  port;
} ngx_http_frontdesk_origin_t;


/* the origin points into text; NGX_DECLINED: it is none */
ngx_int_t ngx_http_frontdesk_origin_parse(ngx_str_t *text,
    ngx_http_frontdesk_origin_t *origin);
/* list: "https://shop.example *.example.org", space separated */
ngx_uint_t ngx_http_frontdesk_origin_listed(
    ngx_http_frontdesk_origin_t *origin, ngx_str_t *list);


#endif /* _NGX_HTTP_FRONTDESK_ORIGIN_H_INCLUDED_ */
