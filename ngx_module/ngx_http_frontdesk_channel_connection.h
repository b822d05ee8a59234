
/*
 * Between the files of the subscribed connection: what is said on it
 * (..._channel.c) and how it is kept (..._channel_connection.c).
 */


#ifndef _NGX_HTTP_FRONTDESK_CHANNEL_CONNECTION_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_CHANNEL_CONNECTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_conf.h"


typedef struct {
    ngx_connection_t                 *connection;
    ngx_http_frontdesk_redis_conf_t  *conf;
    redisReader                      *reader;

    u_char                           *out;
    size_t                            out_pos;
    size_t                            out_len;
    size_t                            out_size;

    ngx_event_t                       retry;
    ngx_event_t                       ping;
    ngx_msec_t                        backoff;
    ngx_msec_t                        pinged;     /* the last PING was sent */
    ngx_msec_t                        proven;     /* the last one answered */

    ngx_str_t                         reply;      /* channel of answers */

    unsigned                          connected:1;
    unsigned                          ready:1;    /* control is subscribed */
    unsigned                          pinging:1;
    unsigned                          failed:1;
    unsigned                          down:1;     /* and logged */
    unsigned                          closing:1;
} ngx_http_frontdesk_channel_t;


extern ngx_http_frontdesk_channel_t  ngx_http_frontdesk_channel;


/* ngx_http_frontdesk_channel.c */

void ngx_http_frontdesk_channel_greet(void);
/* a reply or a message; NULL, or what is wrong with the connection */
const char *ngx_http_frontdesk_channel_hear(redisReply *reply);


/* ngx_http_frontdesk_channel_connection.c */

void ngx_http_frontdesk_channel_connect(void);
void ngx_http_frontdesk_channel_drop(const char *reason);
void ngx_http_frontdesk_channel_retry_handler(ngx_event_t *ev);
void ngx_http_frontdesk_channel_ping_handler(ngx_event_t *ev);
void ngx_http_frontdesk_channel_send(ngx_uint_t argc, ngx_str_t *argv);


#endif /* _NGX_HTTP_FRONTDESK_CHANNEL_CONNECTION_H_INCLUDED_ */
