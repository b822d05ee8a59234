/*
 * Redis: one connection to one server on the loop, over hiredis. It reconnects by
 * itself with jittered backoff; what was in flight when it broke is answered
 * with NULL. Works with hiredis 0.14 and 1.x.
 */
#ifndef FD_NET_REDIS_H
#define FD_NET_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

struct loop;
struct redis;

struct redis_options {
    const char *name;           /* for logs and metrics: "jobs", "live" */
    const char *address;        /* unix:/path or IP:port (no names: hiredis would block) */
    void (*on_up)(void *arg);   /* connected and answering; after every reconnect */
    void (*on_down)(void *arg); /* after all pending replies were answered with NULL */
    void *arg;
    int command_timeout_ms; /* 0 = none (blocking reads): the connection is dropped */
};

/* reply is NULL when the connection broke before an answer came; valid during the call. */
typedef void redis_reply_fn(void *arg, const redisReply *reply);

struct redis *redis_new(struct loop *loop, const struct redis_options *options);
void redis_free(struct redis *redis); /* pending replies are answered with NULL first */
bool redis_up(const struct redis *redis);
size_t redis_pending(const struct redis *redis); /* commands without an answer yet */

/* Queues a command; all of a loop turn leave in one write. fn may be NULL. False:
 * not connected, or more than the bound is in flight; fn is not called. */
bool redis_command(struct redis *redis, redis_reply_fn *fn, void *arg, int argc, const char **argv,
                   const size_t *argvlen);
/* The same from a format: %s (NUL terminated), %b (pointer, size_t), %lld. Formats
 * are literals. */
bool redis_call(struct redis *redis, redis_reply_fn *fn, void *arg, const char *format, ...);

/* A subscribed connection: on_message for every message on `channel` and after
 * every (re)connect once with message NULL. */
struct redis_subscriber;
struct redis_subscriber *redis_subscribe(
    struct loop *loop, const char *address, const char *channel,
    void (*on_message)(void *arg, const char *message, size_t len), void *arg);
void redis_subscriber_free(struct redis_subscriber *s);

#endif
