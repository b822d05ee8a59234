
/*
 * Redis: hiredis's async API on nginx's own event loop.
 *
 * Events are level-triggered, because hiredis reads at most 16K a call and
 * does not tell of EAGAIN.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_redis_peer.h"


#define NGX_HTTP_FRONTDESK_BACKOFF_MAX        2000
#define NGX_HTTP_FRONTDESK_REDIS_CONNECT      2000


static redisAsyncContext *ngx_http_frontdesk_redis_dial(
    ngx_http_frontdesk_peer_t *peer);
static void ngx_http_frontdesk_redis_again(ngx_http_frontdesk_peer_t *peer);
static void ngx_http_frontdesk_redis_add_read(void *data);
static void ngx_http_frontdesk_redis_del_read(void *data);
static void ngx_http_frontdesk_redis_add_write(void *data);
static void ngx_http_frontdesk_redis_del_write(void *data);
static void ngx_http_frontdesk_redis_cleanup(void *data);
static void ngx_http_frontdesk_redis_read_handler(ngx_event_t *rev);
static void ngx_http_frontdesk_redis_write_handler(ngx_event_t *wev);
static void ngx_http_frontdesk_redis_connected(const redisAsyncContext *ac,
    int status);


void
ngx_http_frontdesk_redis_connect(ngx_http_frontdesk_peer_t *peer)
{
    ngx_connection_t   *c;
    redisAsyncContext  *ac;

    ac = ngx_http_frontdesk_redis_dial(peer);

    if (ac == NULL) {
        ngx_http_frontdesk_redis_log_down(peer, "no memory");
        ngx_http_frontdesk_redis_again(peer);
        return;
    }

    c = ac->err ? NULL : ngx_get_connection(ac->c.fd, ngx_cycle->log);

    if (c == NULL) {
        ngx_http_frontdesk_redis_log_down(peer, ac->err ? ac->errstr
                                                  : "no free connection");
        redisAsyncFree(ac);
        ngx_http_frontdesk_redis_again(peer);
        return;
    }

    c->data = peer;
    c->log_error = NGX_ERROR_ERR;
    c->read->handler = ngx_http_frontdesk_redis_read_handler;
    c->read->log = c->log;
    c->write->handler = ngx_http_frontdesk_redis_write_handler;
    c->write->log = c->log;

    peer->ac = ac;
    peer->connection = c;

    ac->data = peer;
    ac->ev.data = peer;
    ac->ev.addRead = ngx_http_frontdesk_redis_add_read;
    ac->ev.delRead = ngx_http_frontdesk_redis_del_read;
    ac->ev.addWrite = ngx_http_frontdesk_redis_add_write;
    ac->ev.delWrite = ngx_http_frontdesk_redis_del_write;
    ac->ev.cleanup = ngx_http_frontdesk_redis_cleanup;

    /* this arms the write event */
    redisAsyncSetConnectCallback(ac, ngx_http_frontdesk_redis_connected);

    c->write->cancelable = 1;
    ngx_add_timer(c->write, NGX_HTTP_FRONTDESK_REDIS_CONNECT);
}


/* hiredis resolves names with getaddrinfo(): it is given numbers only */

static redisAsyncContext *
ngx_http_frontdesk_redis_dial(ngx_http_frontdesk_peer_t *peer)
{
    size_t            len;
    ngx_addr_t       *addr;
    u_char            text[NGX_SOCKADDR_STRLEN + 1];

    addr = peer->conf->addr;

    if (addr->sockaddr->sa_family == AF_UNIX) {
        return redisAsyncConnectUnix(
                         ((struct sockaddr_un *) addr->sockaddr)->sun_path);
    }

    len = ngx_sock_ntop(addr->sockaddr, addr->socklen, text,
                        NGX_SOCKADDR_STRLEN, 0);
    text[len] = '\0';

    return redisAsyncConnect((char *) text,
                             ngx_inet_get_port(addr->sockaddr));
}


static void
ngx_http_frontdesk_redis_again(ngx_http_frontdesk_peer_t *peer)
{
    if (!peer->closing) {
        ngx_add_timer(&peer->retry,
                      ngx_http_frontdesk_redis_backoff(&peer->backoff));
    }
}


ngx_msec_t
ngx_http_frontdesk_redis_backoff(ngx_msec_t *backoff)
{
    ngx_msec_t  half;

    half = *backoff / 2;

    *backoff = ngx_min(*backoff * 2, NGX_HTTP_FRONTDESK_BACKOFF_MAX);

    return half + ngx_random() % half;
}


void
ngx_http_frontdesk_redis_retry(ngx_event_t *ev)
{
    ngx_http_frontdesk_peer_t  *peer;

    peer = ev->data;

    if (peer->ac) {
        ngx_http_frontdesk_redis_probe(peer);
        return;
    }

    ngx_http_frontdesk_redis_connect(peer);
}


void
ngx_http_frontdesk_redis_drop(ngx_http_frontdesk_peer_t *peer,
    const char *reason)
{
    peer->up = 0;
    ngx_http_frontdesk_redis_log_down(peer, reason);

    /* from a reply's callback it is deferred until after it */
    redisAsyncFree(peer->ac);
}


void
ngx_http_frontdesk_redis_log_down(ngx_http_frontdesk_peer_t *peer,
    const char *reason)
{
    ngx_uint_t  level;

    level = peer->down ? NGX_LOG_INFO : NGX_LOG_ERR;
    ngx_log_error(level, ngx_cycle->log, 0,
                  "frontdesk: redis \"%s\" at \"%V\" is down: %s",
                  peer->name, &peer->conf->url,
                  reason);

    peer->down = 1;
}


static void
ngx_http_frontdesk_redis_add_read(void *data)
{
    ngx_event_t                *rev;
    ngx_http_frontdesk_peer_t  *peer = data;

    rev = peer->connection->read;

    if (!rev->active
        && ngx_add_event(rev, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, rev->log, 0,
                      "frontdesk: redis read event could not be added");
    }
}


static void
ngx_http_frontdesk_redis_del_read(void *data)
{
    ngx_event_t                *rev;
    ngx_http_frontdesk_peer_t  *peer = data;

    rev = peer->connection->read;

    if (rev->active) {
        (void) ngx_del_event(rev, NGX_READ_EVENT, 0);
    }
}


/*
 * What is sent in one turn of the loop leaves in one write, so the write event
 * is posted, not registered, unless the socket is known to be full.
 */

static void
ngx_http_frontdesk_redis_add_write(void *data)
{
    ngx_event_t                *wev;
    ngx_http_frontdesk_peer_t  *peer = data;

    wev = peer->connection->write;

    if (wev->active) {
        return;
    }

    if (peer->writing || !(peer->ac->c.flags & REDIS_CONNECTED)) {

        if (ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, wev->log, 0,
                          "frontdesk: redis write event could not be added");
        }

        return;
    }

    ngx_post_event(wev, &ngx_posted_events);
}


static void
ngx_http_frontdesk_redis_del_write(void *data)
{
    ngx_event_t                *wev;
    ngx_http_frontdesk_peer_t  *peer = data;

    wev = peer->connection->write;

    if (wev->active) {
        (void) ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }
}


/* the one place a connection goes away, however it came to that */

static void
ngx_http_frontdesk_redis_cleanup(void *data)
{
    ngx_connection_t           *c;
    ngx_http_frontdesk_peer_t  *peer = data;

    c = peer->connection;

    if (c == NULL) {
        return;
    }

    if (!peer->down && !peer->closing) {
        ngx_http_frontdesk_redis_log_down(peer, peer->ac->c.errstr);
    }

    /* nginx closes it: hiredis must not close the number once more */
    peer->ac->c.fd = -1;

    peer->ac = NULL;
    peer->connection = NULL;
    peer->up = 0;

    ngx_close_connection(c);

    ngx_http_frontdesk_gauge(NGX_HTTP_FRONTDESK_GAUGE_REDIS_JOBS_UP
                             + peer->role, 0);

    if (peer->retry.timer_set) {
        ngx_del_timer(&peer->retry);
    }

    ngx_http_frontdesk_redis_again(peer);
}


static void
ngx_http_frontdesk_redis_read_handler(ngx_event_t *rev)
{
    ngx_connection_t           *c;
    ngx_http_frontdesk_peer_t  *peer;

    c = rev->data;
    peer = c->data;

    if (c->close) {
        ngx_http_frontdesk_redis_drop(peer, "shutdown timeout");
        return;
    }

    /* c may be gone when this returns */
    redisAsyncHandleRead(peer->ac);
}


static void
ngx_http_frontdesk_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t           *c;
    redisAsyncContext          *ac;
    ngx_http_frontdesk_peer_t  *peer;

    c = wev->data;
    peer = c->data;

    if (wev->timedout) {
        ngx_http_frontdesk_redis_drop(peer, "connect timed out");
        return;
    }

    ac = peer->ac;

    peer->writing = 1;
    redisAsyncHandleWrite(ac);
    peer->writing = 0;
}


/* an error is left to the posted event, where hiredis may free the context */

void
ngx_http_frontdesk_redis_write_now(ngx_http_frontdesk_peer_t *peer)
{
    int           done;
    ngx_event_t  *wev;

    wev = peer->connection->write;
    done = 0;

    if (wev->active
        || redisBufferWrite(&peer->ac->c, &done) != REDIS_OK
        || !done)
    {
        return;
    }

    if (wev->posted) {
        ngx_delete_posted_event(wev);
    }
}


static void
ngx_http_frontdesk_redis_connected(const redisAsyncContext *ac, int status)
{
    ngx_http_frontdesk_peer_t  *peer;

    /* a failure is followed by hiredis's cleanup, which does what is due */

    if (status != REDIS_OK) {
        return;
    }

    peer = ac->data;

    if (peer->connection->write->timer_set) {
        ngx_del_timer(peer->connection->write);
    }

    if (peer->conf->addr->sockaddr->sa_family != AF_UNIX) {
        (void) redisEnableKeepAlive(&peer->ac->c);
    }

    ngx_http_frontdesk_redis_greet(peer);
}
