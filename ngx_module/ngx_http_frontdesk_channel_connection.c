
/*
 * The subscribed connection to the live Redis.  It is our own, with hiredis's
 * reader only, since the subscribe mode of hiredis 0.14 ends in an assert()
 * when channels come and go.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/limits.h"

#include "ngx_http_frontdesk_channel_connection.h"
#include "ngx_http_frontdesk_redis.h"


#define NGX_HTTP_FRONTDESK_CHANNEL_CONNECT      2000
/* a PING without an answer for so long: the connection is taken for dead */
#define NGX_HTTP_FRONTDESK_CHANNEL_DEAD         3000
#define NGX_HTTP_FRONTDESK_CHANNEL_CHUNK        65536
/* read in one turn of the loop, so that others have theirs */
#define NGX_HTTP_FRONTDESK_CHANNEL_QUANTUM      262144
/* of one message; the longest are pages of history */
#define NGX_HTTP_FRONTDESK_CHANNEL_MESSAGE      16777216
/* of commands that wait to be sent: about 60000 subscriptions */
#define NGX_HTTP_FRONTDESK_CHANNEL_OUTPUT       4194304


static ngx_int_t ngx_http_frontdesk_channel_dial(ngx_connection_t *c);
static void ngx_http_frontdesk_channel_again(const char *reason);
static ngx_int_t ngx_http_frontdesk_channel_reserve(size_t size);
static void ngx_http_frontdesk_channel_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_http_frontdesk_channel_flush(void);
static void ngx_http_frontdesk_channel_read_handler(ngx_event_t *rev);
static const char *ngx_http_frontdesk_channel_parse(u_char *data, size_t len);


static u_char  ngx_http_frontdesk_channel_chunk
                                      [NGX_HTTP_FRONTDESK_CHANNEL_CHUNK];


void
ngx_http_frontdesk_channel_connect(void)
{
    ngx_socket_t                   s;
    ngx_connection_t              *c;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    s = ngx_socket(ch->conf->addr->sockaddr->sa_family, SOCK_STREAM, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_http_frontdesk_channel_again(strerror(ngx_socket_errno));
        return;
    }

    c = ngx_get_connection(s, ngx_cycle->log);

    if (c == NULL) {
        (void) ngx_close_socket(s);
        ngx_http_frontdesk_channel_again("no free connection");
        return;
    }

    c->data = ch;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->log_error = NGX_ERROR_INFO;
    c->read->handler = ngx_http_frontdesk_channel_read_handler;
    c->read->log = c->log;
    c->write->handler = ngx_http_frontdesk_channel_write_handler;
    c->write->log = c->log;

    ch->connection = c;
    ch->reader = redisReaderCreate();

    if (ch->reader == NULL) {
        ngx_http_frontdesk_channel_drop("no memory");
        return;
    }

    ch->reader->maxbuf = NGX_HTTP_FRONTDESK_CHANNEL_CHUNK;

    if (ngx_http_frontdesk_channel_dial(c) != NGX_OK) {
        ngx_http_frontdesk_channel_drop(strerror(ngx_socket_errno));
    }
}


static ngx_int_t
ngx_http_frontdesk_channel_dial(ngx_connection_t *c)
{
    ngx_addr_t  *addr;

    addr = ngx_http_frontdesk_channel.conf->addr;

    if (ngx_nonblocking(c->fd) == -1) {
        return NGX_ERROR;
    }

    if (connect(c->fd, addr->sockaddr, addr->socklen) == -1
        && ngx_socket_errno != NGX_EINPROGRESS)
    {
        return NGX_ERROR;
    }

    /* the write event tells of success and of failure */

    if (ngx_handle_read_event(c->read, 0) != NGX_OK
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    c->write->cancelable = 1;
    ngx_add_timer(c->write, NGX_HTTP_FRONTDESK_CHANNEL_CONNECT);

    return NGX_OK;
}


void
ngx_http_frontdesk_channel_drop(const char *reason)
{
    ngx_connection_t              *c;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    c = ch->connection;

    ch->connection = NULL;
    ch->connected = 0;
    ch->ready = 0;
    ch->pinging = 0;
    ch->failed = 0;
    ch->out_pos = 0;
    ch->out_len = 0;

    if (ch->ping.timer_set) {
        ngx_del_timer(&ch->ping);
    }

    if (ch->reader) {
        redisReaderFree(ch->reader);
        ch->reader = NULL;
    }

    /* before the close: `reason` may be the system's text of errno */
    ngx_http_frontdesk_channel_again(reason);

    ngx_close_connection(c);
}


static void
ngx_http_frontdesk_channel_again(const char *reason)
{
    ngx_uint_t                     level;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (ch->closing) {
        return;
    }

    level = ch->down ? NGX_LOG_INFO : NGX_LOG_ERR;
    ngx_log_error(level, ngx_cycle->log, 0,
                  "frontdesk: channel to redis at \"%V\" is down: %s",
                  &ch->conf->url, reason);

    ch->down = 1;

    ngx_add_timer(&ch->retry, ngx_http_frontdesk_redis_backoff(&ch->backoff));
}


void
ngx_http_frontdesk_channel_retry_handler(ngx_event_t *ev)
{
    ngx_http_frontdesk_channel_connect();
}


void
ngx_http_frontdesk_channel_ping_handler(ngx_event_t *ev)
{
    ngx_str_t                      arg;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (!ch->pinging) {
        ngx_str_set(&arg, "PING");
        ngx_http_frontdesk_channel_send(1, &arg);

        ch->pinging = 1;
        ch->pinged = ngx_current_msec;

    } else if (ngx_current_msec - ch->pinged
               >= NGX_HTTP_FRONTDESK_CHANNEL_DEAD)
    {
        ngx_http_frontdesk_channel_drop("no reply");
        return;
    }

    ngx_add_timer(&ch->ping, FD_CONTROL_PING_MS);
}


/*
 * The first command of a turn is sent at once, since a subscription races the
 * admission of its job; the rest of the turn leaves in one write.
 */

void
ngx_http_frontdesk_channel_send(ngx_uint_t argc, ngx_str_t *argv)
{
    u_char                        *last;
    ngx_event_t                   *wev;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    wev = ch->connection->write;

    if (ngx_http_frontdesk_channel_reserve(
                                     ngx_http_frontdesk_resp_size(argc, argv))
        != NGX_OK)
    {
        ch->failed = 1;
        ngx_post_event(wev, &ngx_posted_events);
        return;
    }

    last = ngx_http_frontdesk_resp_write(ch->out + ch->out_len, argc, argv);

    ch->out_len = last - ch->out;

    if (wev->posted) {
        return;
    }

    if (ngx_http_frontdesk_channel_flush() != NGX_OK) {
        ch->failed = 1;
    }

    ngx_post_event(wev, &ngx_posted_events);
}


static ngx_int_t
ngx_http_frontdesk_channel_reserve(size_t size)
{
    u_char                        *out;
    size_t                         rest, grown;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (ch->out_size - ch->out_len >= size) {
        return NGX_OK;
    }

    rest = ch->out_len - ch->out_pos;

    if (rest + size > NGX_HTTP_FRONTDESK_CHANNEL_OUTPUT) {
        return NGX_ERROR;
    }

    grown = ngx_max(2 * (rest + size), ngx_pagesize);

    out = ngx_alloc(grown, ngx_cycle->log);
    if (out == NULL) {
        return NGX_ERROR;
    }

    if (ch->out) {
        ngx_memcpy(out, ch->out + ch->out_pos, rest);
        ngx_free(ch->out);
    }

    ch->out = out;
    ch->out_pos = 0;
    ch->out_len = rest;
    ch->out_size = grown;

    return NGX_OK;
}


static void
ngx_http_frontdesk_channel_write_handler(ngx_event_t *wev)
{
    ngx_connection_t              *c;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    int        err;
    socklen_t  len;

    c = wev->data;

    if (wev->timedout) {
        ngx_http_frontdesk_channel_drop("connect timed out");
        return;
    }

    if (!ch->connected) {
        err = 0;
        len = sizeof(int);

        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
            err = ngx_socket_errno;
        }

        if (err) {
            ngx_http_frontdesk_channel_drop(strerror(err));
            return;
        }

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

        ch->connected = 1;

        if (ch->conf->addr->sockaddr->sa_family != AF_UNIX) {
            (void) ngx_tcp_nodelay(c);
        }

        ngx_http_frontdesk_channel_greet();
        return;
    }

    if (ch->failed || ngx_http_frontdesk_channel_flush() != NGX_OK) {
        ngx_http_frontdesk_channel_drop("cannot send");
    }
}


static ngx_int_t
ngx_http_frontdesk_channel_flush(void)
{
    ssize_t                        n;
    ngx_connection_t              *c;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    c = ch->connection;

    while (ch->out_pos < ch->out_len && c->write->ready) {

        n = c->send(c, ch->out + ch->out_pos, ch->out_len - ch->out_pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        ch->out_pos += n;
    }

    if (ch->out_pos == ch->out_len) {
        ch->out_pos = 0;
        ch->out_len = 0;
    }

    return ngx_handle_write_event(c->write, 0);
}


static void
ngx_http_frontdesk_channel_read_handler(ngx_event_t *rev)
{
    size_t                         total;
    ssize_t                        n;
    const char                    *fault;
    ngx_connection_t              *c;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    c = rev->data;

    if (c->close) {
        ngx_http_frontdesk_channel_drop("shutdown timeout");
        return;
    }

    if (!ch->connected) {
        return;
    }

    for (total = 0; total < NGX_HTTP_FRONTDESK_CHANNEL_QUANTUM; total += n) {

        n = c->recv(c, ngx_http_frontdesk_channel_chunk,
                    NGX_HTTP_FRONTDESK_CHANNEL_CHUNK);

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_frontdesk_channel_drop("event error");
            }

            return;
        }

        if (n <= 0) {
            ngx_http_frontdesk_channel_drop("connection closed");
            return;
        }

        fault = ngx_http_frontdesk_channel_parse(
                                       ngx_http_frontdesk_channel_chunk, n);
        if (fault) {
            ngx_http_frontdesk_channel_drop(fault);
            return;
        }
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}


static const char *
ngx_http_frontdesk_channel_parse(u_char *data, size_t len)
{
    void                          *reply;
    const char                    *fault;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (redisReaderFeed(ch->reader, (char *) data, len) != REDIS_OK) {
        return "no memory";
    }

    for ( ;; ) {
        reply = NULL;

        if (redisReaderGetReply(ch->reader, &reply) != REDIS_OK) {
            return "protocol error";
        }

        if (reply == NULL) {
            break;
        }

        fault = ngx_http_frontdesk_channel_hear(reply);
        freeReplyObject(reply);

        if (fault) {
            return fault;
        }
    }

    if (ch->reader->len - ch->reader->pos > NGX_HTTP_FRONTDESK_CHANNEL_MESSAGE)
    {
        return "message is too long";
    }

    return NULL;
}
