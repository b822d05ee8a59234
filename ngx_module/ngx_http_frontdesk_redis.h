
/*
 * Redis: pipelined commands, one connection a role and process.
 *
 * A reply is NULL when the connection broke or the command was too late; it is
 * hiredis's and gone when its handler returns.  A handler may finalize the
 * request; it is called at most once, and not at all after
 * ngx_http_frontdesk_redis_cancel().
 */


#ifndef _NGX_HTTP_FRONTDESK_REDIS_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/scripts.h"

#include "ngx_http_frontdesk_conf.h"


#define NGX_HTTP_FRONTDESK_BACKOFF_MIN  100


typedef struct ngx_http_frontdesk_op_s  ngx_http_frontdesk_op_t;
struct redisReply;

typedef void (*ngx_http_frontdesk_reply_pt)(void *data,
    struct redisReply *reply);


/* ngx_http_frontdesk_redis.c */

/* NULL: not connected or too much in flight; handler NULL: nobody waits */
ngx_http_frontdesk_op_t *ngx_http_frontdesk_redis_command(
    ngx_http_frontdesk_role_e role, ngx_http_frontdesk_reply_pt handler,
    void *data, ngx_uint_t argc, ngx_str_t *argv);
/* argv without EVALSHA and hash: numkeys is nkeys */
ngx_http_frontdesk_op_t *ngx_http_frontdesk_redis_script(
    enum fd_script script, ngx_http_frontdesk_reply_pt handler, void *data,
    ngx_uint_t nkeys, ngx_uint_t argc, ngx_str_t *argv);
void ngx_http_frontdesk_redis_cancel(ngx_http_frontdesk_op_t *op);
/* cancels *op with the request, unless its handler has set it to NULL */
ngx_int_t ngx_http_frontdesk_redis_guard(ngx_http_request_t *r,
    ngx_http_frontdesk_op_t **op);
ngx_uint_t ngx_http_frontdesk_redis_up(ngx_http_frontdesk_role_e role);
/* a key of keys.h, NUL terminated; %V takes an ngx_str_t pointer */
ngx_int_t ngx_http_frontdesk_redis_key(ngx_pool_t *pool, ngx_str_t *key,
    const char *format, ...);

/*
 * When to connect anew, somewhere in the second half of *backoff, which grows;
 * begin with ..._BACKOFF_MIN
 */
ngx_msec_t ngx_http_frontdesk_redis_backoff(ngx_msec_t *backoff);

ngx_int_t ngx_http_frontdesk_redis_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_redis_exit(ngx_cycle_t *cycle);


/* ngx_http_frontdesk_resp.c: commands as RESP has them */

/* how much room a command wants at most */
size_t ngx_http_frontdesk_resp_size(ngx_uint_t argc, ngx_str_t *argv);
/* the end of what was written at p */
u_char *ngx_http_frontdesk_resp_write(u_char *p, ngx_uint_t argc,
    ngx_str_t *argv);


#endif /* _NGX_HTTP_FRONTDESK_REDIS_H_INCLUDED_ */
