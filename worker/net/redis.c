#include "net/redis.h"
#include "net/redis_link.h"
#include "core/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX       65536
#define PENDING_BYTES_MAX (64 << 20)
#define RING_FIRST        64

/* Redis answers in order, so a ring of what was asked is all the bookkeeping. */
struct pending {
    redis_reply_fn *fn;
    void *arg;
    size_t bytes;
    int64_t sent_ms;
};

struct redis {
    struct redis_link link;
    struct redis_options options;
    struct pending *ring;
    size_t ring_cap; /* a power of two */
    size_t ring_head;
    size_t ring_len;
    size_t bytes; /* of all that is pending */
    bool up;
    unsigned calling; /* callbacks of the owner that are running */
    bool freed;       /* in one of them */
    struct timer *watch;
};

static void watch_head(struct redis *redis)
{
    int64_t limit = redis->options.command_timeout_ms;

    if (limit <= 0 || !redis->up || redis->ring_len == 0 || timer_armed(redis->watch))
        return;
    timer_set(redis->watch, redis->ring[redis->ring_head].sent_ms + limit - clock_mono_ms());
}

/* The timer is not moved with every command: it looks when it fires. */
static void on_watch(void *arg)
{
    struct redis *redis = arg;
    int64_t limit = redis->options.command_timeout_ms;

    if (limit <= 0 || !redis->up || redis->ring_len == 0)
        return;
    if (clock_mono_ms() - redis->ring[redis->ring_head].sent_ms >= limit)
        redis_link_drop(&redis->link, "no answer in time");
    else
        watch_head(redis);
}

static bool grow_ring(struct redis *redis)
{
    size_t cap = redis->ring_cap > 0 ? 2 * redis->ring_cap : RING_FIRST;
    struct pending *ring = malloc(cap * sizeof(*ring));

    if (ring == NULL)
        return false;
    for (size_t i = 0; i < redis->ring_len; i++)
        ring[i] = redis->ring[(redis->ring_head + i) & (redis->ring_cap - 1)];
    free(redis->ring);
    redis->ring = ring;
    redis->ring_cap = cap;
    redis->ring_head = 0;
    return true;
}

static bool has_room(struct redis *redis, size_t bytes)
{
    if (redis->ring_len >= PENDING_MAX || bytes > PENDING_BYTES_MAX ||
        redis->bytes > PENDING_BYTES_MAX - bytes)
        return false;
    return redis->ring_len < redis->ring_cap || grow_ring(redis);
}

static void push(struct redis *redis, redis_reply_fn *fn, void *arg, size_t bytes)
{
    redis->ring[(redis->ring_head + redis->ring_len) & (redis->ring_cap - 1)] =
        (struct pending){fn, arg, bytes, clock_mono_ms()};
    redis->ring_len++;
    redis->bytes += bytes;
    watch_head(redis);
}

static struct pending pop(struct redis *redis)
{
    struct pending head = redis->ring[redis->ring_head];

    redis->ring_head = (redis->ring_head + 1) & (redis->ring_cap - 1);
    redis->ring_len--;
    redis->bytes -= head.bytes;
    return head;
}

static void free_now(void *arg)
{
    struct redis *redis = arg;

    redis->up = false;
    redis_link_free(&redis->link); /* answers what is pending with NULL */
    timer_free(redis->watch);
    free(redis->ring);
    free(redis);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *unused)
{
    struct redis *redis = ((struct redis_link *)ac->data)->arg;
    struct pending head;

    (void)unused;
    if (reply == NULL)
        redis->up = false; /* the connection is breaking: nothing may be sent any more */
    if (redis->ring_len == 0)
        return;
    head = pop(redis);
    if (head.fn == NULL)
        return;
    redis->calling++;
    head.fn(head.arg, reply);
    redis->calling--;
}

/* Up is who answers PING: a server that still loads its data does not count. */
static void on_greeting(void *arg, const redisReply *reply)
{
    struct redis *redis = arg;

    if (reply == NULL || redis->freed)
        return;
    if (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "PONG") != 0) {
        redis_link_drop(&redis->link, reply->type == REDIS_REPLY_ERROR
                                          ? "the server refused the greeting"
                                          : "the server did not greet back");
        return;
    }
    redis->up = true;
    redis_link_settle(&redis->link);
    if (redis->options.on_up != NULL)
        redis->options.on_up(redis->options.arg);
}

static void on_open(void *arg)
{
    struct redis *redis = arg;

    /* where it fails, the link will miss its greeting */
    if (has_room(redis, 0) && redisAsyncCommand(redis->link.ac, on_reply, NULL, "PING") == REDIS_OK)
        push(redis, on_greeting, redis, 0);
}

static void on_close(void *arg, bool was_up)
{
    struct redis *redis = arg;

    redis->up = false;
    timer_stop(redis->watch);
    if (!was_up || redis->options.on_down == NULL || redis->freed)
        return;
    redis->calling++;
    redis->options.on_down(redis->options.arg);
    redis->calling--;
}

struct redis *redis_new(struct loop *loop, const struct redis_options *options)
{
    struct redis *redis = calloc(1, sizeof(*redis));

    if (redis == NULL)
        return NULL;
    redis->options = *options;
    if (!redis_link_init(&redis->link, loop, options->name, options->address)) {
        free(redis);
        return NULL;
    }
    redis->link.on_open = on_open;
    redis->link.on_close = on_close;
    redis->link.arg = redis;
    redis->watch = timer_new(loop, on_watch, redis);
    redis_link_start(&redis->link);
    return redis;
}

void redis_free(struct redis *redis)
{
    if (redis == NULL || redis->freed)
        return;
    redis->freed = true;
    redis->up = false;
    if (redis->calling > 0) /* hiredis is still at work */
        loop_defer(redis->link.loop, free_now, redis);
    else
        free_now(redis);
}

bool redis_up(const struct redis *redis)
{
    return redis->up;
}

size_t redis_pending(const struct redis *redis)
{
    return redis->ring_len;
}

bool redis_command(struct redis *redis, redis_reply_fn *fn, void *arg, int argc, const char **argv,
                   const size_t *argvlen)
{
    size_t bytes = 0;

    for (int i = 0; i < argc; i++)
        bytes += argvlen != NULL ? argvlen[i] : strlen(argv[i]);
    if (!redis->up || !has_room(redis, bytes))
        return false;
    if (redisAsyncCommandArgv(redis->link.ac, on_reply, NULL, argc, argv, argvlen) != REDIS_OK)
        return false;
    push(redis, fn, arg, bytes);
    return true;
}

bool redis_call(struct redis *redis, redis_reply_fn *fn, void *arg, const char *format, ...)
{
    va_list args;
    char *command;
    bool sent;
    int len;

    if (!redis->up)
        return false;
    va_start(args, format);
    len = redisvFormatCommand(&command, format, args);
    va_end(args);
    if (len < 0)
        return false;
    sent = has_room(redis, (size_t)len) &&
           redisAsyncFormattedCommand(redis->link.ac, on_reply, NULL, command, (size_t)len) ==
               REDIS_OK;
    if (sent)
        push(redis, fn, arg, (size_t)len);
    redisFreeCommand(command);
    return sent;
}
