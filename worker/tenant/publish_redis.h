/*
 * Publish_redis: the Redis half of publish.h - pipelined writes to the two servers. A
 * publisher latches its first failure; what comes after on that server is skipped.
 */
#ifndef FD_TENANT_PUBLISH_REDIS_H
#define FD_TENANT_PUBLISH_REDIS_H

#include "core/arena.h"
#include "core/config.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

/* One server and the commands sent to it whose replies are not read yet. */
struct pipe {
    redisContext *redis; /* NULL: not reachable, or failed */
    size_t unread;
    void (*on_reply)(void *arg, const redisReply *reply);
    void *arg;
    char *error; /* 256; the first failure of either server */
};

struct publisher {
    struct pipe jobs;
    struct pipe live;
};

bool publisher_open(struct publisher *p, const struct config *config, char error[256]);
void publisher_close(struct publisher *p);
bool publisher_ok(struct publisher *p); /* reads what is outstanding on both */

/* Sends one command; replies go to pipe->on_reply (if set) in order, at the latest with
 * pipe_flush(). */
void pipe_send(struct pipe *pipe, int argc, const char *const *argv);
bool pipe_flush(struct pipe *pipe);
/* One command, answered now; NULL: failed. The caller frees it. */
redisReply *pipe_ask(struct pipe *pipe, int argc, const char *const *argv);

/* Gives the server up: what it says is not to be worked with. */
void pipe_fail(struct pipe *pipe, const char *why);

/* The keys of a pattern, without their first `prefix` bytes, in `a`. */
bool pipe_scan(struct pipe *pipe, const char *pattern, size_t prefix, struct arena *a,
               const char ***names, size_t *count);

#endif
