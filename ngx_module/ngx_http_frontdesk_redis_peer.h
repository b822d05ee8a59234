
/*
 * Between the files of the Redis client: commands (..._redis.c), the connection
 * (..._redis_connection.c), and what is said when one opens
 * (..._redis_greeting.c).
 */


#ifndef _NGX_HTTP_FRONTDESK_REDIS_PEER_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_REDIS_PEER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "protocol/scripts.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_redis.h"


typedef struct {
    ngx_http_frontdesk_role_e         role;
    const char                       *name;
    ngx_http_frontdesk_redis_conf_t  *conf;

    redisAsyncContext                *ac;
    ngx_connection_t                 *connection;

    ngx_queue_t                       ops;        /* in the order sent */
    ngx_uint_t                        pending;
    ngx_event_t                       timeout;    /* of the ops */
    ngx_event_t                       retry;      /* connect or probe */
    ngx_msec_t                        backoff;

    unsigned                          up:1;
    unsigned                          was_up:1;
    unsigned                          down:1;     /* and logged */
    unsigned                          writing:1;
    unsigned                          closing:1;
} ngx_http_frontdesk_peer_t;


/* ngx_http_frontdesk_redis.c */

/* whether the connection is up or still being greeted */
ngx_http_frontdesk_op_t *ngx_http_frontdesk_redis_send(
    ngx_http_frontdesk_peer_t *peer, ngx_http_frontdesk_reply_pt handler,
    void *data, ngx_uint_t argc, ngx_str_t *argv);


/* ngx_http_frontdesk_redis_connection.c */

void ngx_http_frontdesk_redis_connect(ngx_http_frontdesk_peer_t *peer);
/* safe in a reply's handler: hiredis defers it until after that */
void ngx_http_frontdesk_redis_drop(ngx_http_frontdesk_peer_t *peer,
    const char *reason);
void ngx_http_frontdesk_redis_log_down(ngx_http_frontdesk_peer_t *peer,
    const char *reason);
void ngx_http_frontdesk_redis_retry(ngx_event_t *ev);
/* sends without waiting for the end of the loop's turn */
void ngx_http_frontdesk_redis_write_now(ngx_http_frontdesk_peer_t *peer);


/* ngx_http_frontdesk_redis_greeting.c */

void ngx_http_frontdesk_redis_greeting_init(void);
void ngx_http_frontdesk_redis_greet(ngx_http_frontdesk_peer_t *peer);
void ngx_http_frontdesk_redis_probe(ngx_http_frontdesk_peer_t *peer);
void ngx_http_frontdesk_redis_sha(enum fd_script script, ngx_str_t *sha);


#endif /* _NGX_HTTP_FRONTDESK_REDIS_PEER_H_INCLUDED_ */
