
/*
 * Redis: what is said when a connection opens - the password, on the jobs
 * server the scripts, and a question whose answer proves that it serves us.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_sha1.h>

#include "protocol/keys.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_job_ask.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_redis_peer.h"
#include "ngx_http_frontdesk_stream.h"


#define NGX_HTTP_FRONTDESK_REDIS_PROBE  1000


static void ngx_http_frontdesk_redis_greeted(void *data, redisReply *reply);
static void ngx_http_frontdesk_redis_probed(void *data, redisReply *reply);
static void ngx_http_frontdesk_redis_is_up(ngx_http_frontdesk_peer_t *peer);


static u_char  ngx_http_frontdesk_shas[FD_SCRIPTS][40];


void
ngx_http_frontdesk_redis_greeting_init(void)
{
    u_char       digest[20];
    ngx_uint_t   i;
    ngx_sha1_t   sha1;

    for (i = 0; i < FD_SCRIPTS; i++) {
        ngx_sha1_init(&sha1);
        ngx_sha1_update(&sha1, fd_script_sources[i].text,
                        fd_script_sources[i].len);
        ngx_sha1_final(digest, &sha1);

        ngx_hex_dump(ngx_http_frontdesk_shas[i], digest, sizeof(digest));
    }
}


void
ngx_http_frontdesk_redis_sha(enum fd_script script, ngx_str_t *sha)
{
    sha->data = ngx_http_frontdesk_shas[script];
    sha->len = sizeof(ngx_http_frontdesk_shas[script]);
}


void
ngx_http_frontdesk_redis_greet(ngx_http_frontdesk_peer_t *peer)
{
    ngx_str_t   args[3];
    ngx_uint_t  i;

    if (peer->conf->password.len) {
        ngx_str_set(&args[0], "AUTH");
        args[1] = peer->conf->password;

        (void) ngx_http_frontdesk_redis_send(peer,
                                             ngx_http_frontdesk_redis_greeted,
                                             peer, 2, args);
    }

    if (peer->role == NGX_HTTP_FRONTDESK_JOBS) {
        ngx_str_set(&args[0], "SCRIPT");
        ngx_str_set(&args[1], "LOAD");

        for (i = 0; i < FD_SCRIPTS; i++) {
            args[2].data = (u_char *) fd_script_sources[i].text;
            args[2].len = fd_script_sources[i].len;

            (void) ngx_http_frontdesk_redis_send(peer,
                                             ngx_http_frontdesk_redis_greeted,
                                             peer, 3, args);
        }
    }

    ngx_http_frontdesk_redis_probe(peer);
}


/* the last question, whose answer makes the connection count as up */

void
ngx_http_frontdesk_redis_probe(ngx_http_frontdesk_peer_t *peer)
{
    ngx_str_t                 args[4];
    ngx_uint_t                n;
    ngx_http_frontdesk_op_t  *op;

    if (peer->role == NGX_HTTP_FRONTDESK_LIVE) {
        ngx_str_set(&args[0], "PING");
        n = 1;

    } else {
        ngx_str_set(&args[0], "HMGET");
        ngx_str_set(&args[1], FD_KEY_META);
        ngx_str_set(&args[2], "shards");
        ngx_str_set(&args[3], "session_key");
        n = 4;
    }

    op = ngx_http_frontdesk_redis_send(peer, ngx_http_frontdesk_redis_probed,
                                       peer, n, args);

    if (op == NULL) {

        /* no memory: without an answer it would never be up */

        ngx_add_timer(&peer->retry, NGX_HTTP_FRONTDESK_REDIS_PROBE);
    }
}


static void
ngx_http_frontdesk_redis_greeted(void *data, redisReply *reply)
{
    ngx_http_frontdesk_peer_t  *peer = data;

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        ngx_http_frontdesk_redis_drop(peer, reply->str);
    }
}


static void
ngx_http_frontdesk_redis_probed(void *data, redisReply *reply)
{
    ngx_http_frontdesk_peer_t  *peer = data;

    if (reply == NULL) {

        /* late, or the connection is going and its cleanup ends this timer */

        ngx_add_timer(&peer->retry, NGX_HTTP_FRONTDESK_REDIS_PROBE);
        return;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_http_frontdesk_redis_drop(peer, reply->str);
        return;
    }

    /* a worker writes fd:meta: without one there is nothing to admit to */

    if (peer->role == NGX_HTTP_FRONTDESK_JOBS
        && ngx_http_frontdesk_meta_set(reply) != NGX_OK)
    {
        ngx_http_frontdesk_redis_log_down(peer, "it has no " FD_KEY_META);
        ngx_add_timer(&peer->retry, NGX_HTTP_FRONTDESK_REDIS_PROBE);
        return;
    }

    ngx_http_frontdesk_redis_is_up(peer);
}


static void
ngx_http_frontdesk_redis_is_up(ngx_http_frontdesk_peer_t *peer)
{
    ngx_uint_t  level;

    level = peer->down ? NGX_LOG_NOTICE : NGX_LOG_INFO;
    ngx_log_error(level, ngx_cycle->log, 0,
                  "frontdesk: redis \"%s\" at \"%V\" is up",
                  peer->name, &peer->conf->url);

    if (peer->was_up) {
        ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_REDIS_RECONNECTS);
    }

    peer->up = 1;
    peer->was_up = 1;
    peer->down = 0;
    peer->backoff = NGX_HTTP_FRONTDESK_BACKOFF_MIN;

    ngx_http_frontdesk_gauge(NGX_HTTP_FRONTDESK_GAUGE_REDIS_JOBS_UP
                             + peer->role, 1);

    if (peer->role == NGX_HTTP_FRONTDESK_JOBS) {
        ngx_http_frontdesk_admission_resync();
        ngx_http_frontdesk_orphan_resync();

    } else {
        ngx_http_frontdesk_stream_resync();
    }
}
