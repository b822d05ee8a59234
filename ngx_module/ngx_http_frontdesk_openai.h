
/*
 * What OpenAI's clients look at beside the body: ngx_http_frontdesk_openai.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_OPENAI_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_OPENAI_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_http_frontdesk_openai_headers(ngx_http_request_t *r);
ngx_int_t ngx_http_frontdesk_openai_rate_headers(ngx_http_request_t *r,
    ngx_int_t limit, ngx_int_t remaining, ngx_int_t reset);
/* answers with a worker's problem document */
ngx_int_t ngx_http_frontdesk_openai_relay(ngx_http_request_t *r,
    ngx_str_t *document);


#endif /* _NGX_HTTP_FRONTDESK_OPENAI_H_INCLUDED_ */
