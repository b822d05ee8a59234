/*
 * Redis link: one asynchronous hiredis connection on the loop that comes back by
 * itself. What redis.c and redis_subscriber.c have in common: connecting with a
 * time-out, events, back-off, writing at the end of the loop turn. Private to net.
 *
 * hiredis frees its context itself when a connection fails or breaks; the link only
 * forgets it then. It frees one only from timers and redis_link_free(), never inside
 * a connect callback (a use after free in hiredis 0.14).
 */
#ifndef FD_NET_REDIS_LINK_H
#define FD_NET_REDIS_LINK_H

#include "core/address.h"
#include "core/loop.h"

#include <event2/event_struct.h>
#include <hiredis/async.h>

struct redis_link {
    struct loop *loop;
    const char *name; /* for the log */
    struct address address;
    redisAsyncContext *ac; /* NULL while waiting to connect again */
    bool connected;
    bool settled;
    bool dirty;    /* output waits for the end of the turn */
    bool flushing; /* hiredis may ask for the real write event */
    bool closing;
    const char *why; /* we close it ourselves */
    unsigned failures;
    struct event read_event;
    struct event write_event;
    struct timer *timer; /* of the next try, of connecting, of the greeting */

    void (*on_open)(void *arg); /* connected: send the first command */
    /* gone, after pending replies were answered with NULL; was it ever settled? */
    void (*on_close)(void *arg, bool was_settled);
    void *arg;
};

/* False: the address is not one. */
bool redis_link_init(struct redis_link *link, struct loop *loop, const char *name,
                     const char *address);
void redis_link_start(struct redis_link *link);
/* No on_close any more. Not from inside a reply callback. */
void redis_link_free(struct redis_link *link);
/* The server greeted back as it should, in time: the next failure starts again at the
 * short wait. */
void redis_link_settle(struct redis_link *link);
/* Closes the connection, and connects again after a wait. From a reply callback too. */
void redis_link_drop(struct redis_link *link, const char *why);

#endif
