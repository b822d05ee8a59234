
/*
 * The subscribed connection to the live Redis - open jobs, answers to calls,
 * control hints: ngx_http_frontdesk_channel.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_CHANNEL_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_CHANNEL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_http_frontdesk_channel_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_channel_exit(ngx_cycle_t *cycle);
/* proven alive within the last second */
ngx_uint_t ngx_http_frontdesk_channel_alive(void);
/* acknowledged by ..._stream_subscribed(); 0: once connected again */
ngx_uint_t ngx_http_frontdesk_channel_subscribe(ngx_str_t *job);
void ngx_http_frontdesk_channel_unsubscribe(ngx_str_t *job);
/* the name of this process's reply channel */
ngx_str_t *ngx_http_frontdesk_channel_reply(void);


#endif /* _NGX_HTTP_FRONTDESK_CHANNEL_H_INCLUDED_ */
