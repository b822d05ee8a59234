
/*
 * Commands as RESP has them: ngx_http_frontdesk_resp.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_RESP_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_RESP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* how much room a command wants at most */
size_t ngx_http_frontdesk_resp_size(ngx_uint_t argc, ngx_str_t *argv);
/* the end of what was written at p */
u_char *ngx_http_frontdesk_resp_write(u_char *p, ngx_uint_t argc,
    ngx_str_t *argv);


#endif /* _NGX_HTTP_FRONTDESK_RESP_H_INCLUDED_ */
