
/*
 * Users' sessions that ended before their time: ngx_http_frontdesk_ended.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ENDED_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ENDED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


void ngx_http_frontdesk_ended_init(void);
void ngx_http_frontdesk_ended_reload(void);     /* the channel is up again */
void ngx_http_frontdesk_ended_add(u_char *id, size_t len);
/* NGX_OK it has ended, NGX_DECLINED it has not, NGX_AGAIN ask Redis */
ngx_int_t ngx_http_frontdesk_ended_find(ngx_str_t *session);


#endif /* _NGX_HTTP_FRONTDESK_ENDED_H_INCLUDED_ */
