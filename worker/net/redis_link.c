#include "net/redis_link.h"
#include "core/log.h"
#include "protocol/ids.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#define CONNECT_TIMEOUT_MS 5000
#define GREETING_MS        5000 /* from connected to settled */
#define BACKOFF_FIRST_MS   50
#define BACKOFF_MAX_MS     2000
#define KEEPALIVE_S        15
#define UNACKED_MS         20000 /* sent data that no host acknowledges */

/* Half of the wait is random, so that a fleet does not come back in one instant. */
static int64_t backoff_ms(const struct redis_link *link)
{
    unsigned doublings = link->failures > 0 ? link->failures - 1 : 0;
    int64_t wait = BACKOFF_MAX_MS;
    uint32_t random;

    if (doublings < 6 && (BACKOFF_FIRST_MS << doublings) < BACKOFF_MAX_MS)
        wait = BACKOFF_FIRST_MS << doublings;
    fd_random(&random, sizeof(random));
    return wait / 2 + random % (uint32_t)(wait / 2 + 1);
}

/* The connection is gone and hiredis has freed its context, or will. */
static void forget(struct redis_link *link, const char *why)
{
    enum log_level level;
    bool was_settled;

    if (link->why != NULL)
        why = link->why;
    link->why = NULL;
    link->ac = NULL;
    link->connected = false;
    link->dirty = false;
    link->failures++;
    if (link->closing)
        return;
    /* the first failure is news, the tries after it are not */
    level = link->failures == 1 ? LOG_WARN : LOG_DEBUG;
    log_write(level, NULL, "redis.down",
              LOG_FIELDS(LOG_STR("redis", link->name), LOG_STR("why", why)));
    timer_set(link->timer, backoff_ms(link));
    was_settled = link->settled;
    link->settled = false;
    link->on_close(link->arg, was_settled);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_link *link = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleRead(link->ac); /* the context may be gone after this */
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_link *link = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleWrite(link->ac);
}

static void arm(struct event *event)
{
    if (!event_pending(event, EV_READ | EV_WRITE, NULL) && event_add(event, NULL) != 0)
        log_error(NULL, "redis.event_failed");
}

static void add_read(void *arg)
{
    struct redis_link *link = arg;

    arm(&link->read_event);
}

static void del_read(void *arg)
{
    struct redis_link *link = arg;

    event_del(&link->read_event);
}

/* What is queued while connected is written at the end of the loop turn; the write
 * event is for connecting and for output that the socket did not take. */
static void add_write(void *arg)
{
    struct redis_link *link = arg;

    if (link->connected && !link->flushing)
        link->dirty = true;
    else
        arm(&link->write_event);
}

static void del_write(void *arg)
{
    struct redis_link *link = arg;

    event_del(&link->write_event);
}

static void clean_up(void *arg)
{
    struct redis_link *link = arg;

    event_del(&link->read_event);
    event_del(&link->write_event);
}

static void flush(void *arg)
{
    struct redis_link *link = arg;

    if (!link->dirty || link->ac == NULL)
        return;
    link->dirty = false;
    link->flushing = true;
    redisAsyncHandleWrite(link->ac);
    link->flushing = false;
}

static void set_tcp_options(int fd)
{
    int on = 1, idle = KEEPALIVE_S, interval = 5, probes = 3;
    unsigned unacked = UNACKED_MS;

    /* each is a help, none a condition */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
}

static void on_connect(const redisAsyncContext *ac, int status)
{
    struct redis_link *link = ac->data;

    if (link == NULL)
        return;
    if (status != REDIS_OK) {
        forget(link, "cannot connect");
        return;
    }
    link->connected = true;
    timer_set(link->timer, GREETING_MS);
    if (!link->address.is_unix)
        set_tcp_options(ac->c.fd);
    link->on_open(link->arg);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    struct redis_link *link = ac->data;

    if (link != NULL)
        forget(link, status == REDIS_OK ? "closed" : ac->errstr);
}

static void attach(struct redis_link *link)
{
    redisAsyncContext *ac = link->ac;
    struct event_base *base = loop_base(link->loop);

    event_assign(&link->read_event, base, ac->c.fd, EV_READ | EV_PERSIST, on_readable, link);
    event_assign(&link->write_event, base, ac->c.fd, EV_WRITE | EV_PERSIST, on_writable, link);
    ac->data = link;
    ac->ev.data = link;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = clean_up;
    /* in this order: setting the connect callback arms the write event */
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    redisAsyncSetConnectCallback(ac, on_connect);
}

static void dial(struct redis_link *link)
{
    redisAsyncContext *ac = link->address.is_unix
                                ? redisAsyncConnectUnix(link->address.host)
                                : redisAsyncConnect(link->address.host, link->address.port);

    if (ac == NULL || ac->err != 0) {
        forget(link, ac == NULL ? "out of memory" : "cannot connect");
        if (ac != NULL)
            redisAsyncFree(ac); /* nobody else does in this case */
        return;
    }
    link->ac = ac;
    timer_set(link->timer, CONNECT_TIMEOUT_MS);
    attach(link);
}

static void on_timer(void *arg)
{
    struct redis_link *link = arg;

    if (link->ac == NULL)
        dial(link);
    else
        redis_link_drop(link, link->connected ? "no greeting in time" : "no connection in time");
}

bool redis_link_init(struct redis_link *link, struct loop *loop, const char *name,
                     const char *address)
{
    *link = (struct redis_link){.loop = loop, .name = name};
    if (!address_parse(address, &link->address)) {
        log_error(NULL, "redis.bad_address", LOG_STR("redis", name), LOG_STR("address", address));
        return false;
    }
    link->timer = timer_new(loop, on_timer, link);
    loop_on_turn_end(loop, flush, link);
    return true;
}

void redis_link_start(struct redis_link *link)
{
    timer_set(link->timer, 0);
}

void redis_link_free(struct redis_link *link)
{
    link->closing = true;
    if (link->ac != NULL)
        redisAsyncFree(link->ac);
    loop_off_turn_end(link->loop, flush, link);
    timer_free(link->timer);
}

void redis_link_settle(struct redis_link *link)
{
    if (!link->settled)
        log_info(NULL, "redis.up", LOG_STR("redis", link->name));
    link->settled = true;
    link->failures = 0;
    timer_stop(link->timer);
}

void redis_link_drop(struct redis_link *link, const char *why)
{
    redisAsyncContext *ac = link->ac;

    if (ac == NULL)
        return;
    link->why = why;
    redisAsyncFree(ac); /* inside a reply callback hiredis waits for its end */
    if (link->ac == ac && !link->connected)
        forget(link, why); /* it was never connected: hiredis tells nobody */
}
