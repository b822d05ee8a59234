
/*
 * What locations are given, each in the file of its name: the handlers of the
 * access phase and of content.
 */


#ifndef _NGX_HTTP_FRONTDESK_SERVICE_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_SERVICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the access phase, before the body is read */
ngx_int_t ngx_http_frontdesk_access_handler(ngx_http_request_t *r);

/* frontdesk_api, in ngx_http_frontdesk_route.c */
ngx_int_t ngx_http_frontdesk_route_handler(ngx_http_request_t *r);

/* frontdesk_assets: the widget, the dashboard, the demo page */
ngx_int_t ngx_http_frontdesk_asset_handler(ngx_http_request_t *r);

/* frontdesk_healthz, frontdesk_metrics, and the way to the next */
ngx_int_t ngx_http_frontdesk_status_handler(ngx_http_request_t *r);
/* frontdesk_readyz */
ngx_int_t ngx_http_frontdesk_ready(ngx_http_request_t *r);

/* frontdesk_problem, for error_page */
ngx_int_t ngx_http_frontdesk_error_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FRONTDESK_SERVICE_H_INCLUDED_ */
