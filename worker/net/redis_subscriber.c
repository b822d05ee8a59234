#include "net/redis.h"
#include "net/redis_link.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>

/* One SUBSCRIBE a connection and never an UNSUBSCRIBE: hiredis 0.14 aborts the
 * process over some mixtures. Nor a PING, whose reply it swallows: TCP's keepalive
 * finds a dead host. */
struct redis_subscriber {
    struct redis_link link;
    char *channel;
    void (*on_message)(void *arg, const char *message, size_t len);
    void *arg;
    bool calling;
    bool freed;
};

static void free_now(void *arg)
{
    struct redis_subscriber *s = arg;

    redis_link_free(&s->link);
    free(s->channel);
    free(s);
}

static void tell(struct redis_subscriber *s, const char *message, size_t len)
{
    if (s->freed)
        return;
    s->calling = true;
    s->on_message(s->arg, message, len);
    s->calling = false;
}

static bool is_kind(const redisReply *reply, const char *kind)
{
    return reply->element[0]->type == REDIS_REPLY_STRING &&
           strcmp(reply->element[0]->str, kind) == 0;
}

static void on_push(redisAsyncContext *ac, void *data, void *unused)
{
    struct redis_subscriber *s = ((struct redis_link *)ac->data)->arg;
    const redisReply *reply = data;

    (void)unused;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        return;
    if (is_kind(reply, "subscribe")) {
        redis_link_settle(&s->link);
        tell(s, NULL, 0);
    } else if (is_kind(reply, "message") && reply->element[2]->type == REDIS_REPLY_STRING) {
        tell(s, reply->element[2]->str, reply->element[2]->len);
    }
}

static void on_open(void *arg)
{
    struct redis_subscriber *s = arg;

    if (redisAsyncCommand(s->link.ac, on_push, NULL, "SUBSCRIBE %s", s->channel) != REDIS_OK)
        log_error(NULL, "redis.subscribe_failed", LOG_STR("channel", s->channel));
}

static void on_close(void *arg, bool was_settled)
{
    (void)arg;
    (void)was_settled; /* the link comes back by itself, and on_message(NULL) says so */
}

struct redis_subscriber *redis_subscribe(
    struct loop *loop, const char *address, const char *channel,
    void (*on_message)(void *arg, const char *message, size_t len), void *arg)
{
    struct redis_subscriber *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->channel = strdup(channel);
    if (s->channel == NULL || !redis_link_init(&s->link, loop, s->channel, address)) {
        free(s->channel);
        free(s);
        return NULL;
    }
    s->on_message = on_message;
    s->arg = arg;
    s->link.on_open = on_open;
    s->link.on_close = on_close;
    s->link.arg = s;
    redis_link_start(&s->link);
    return s;
}

void redis_subscriber_free(struct redis_subscriber *s)
{
    if (s == NULL || s->freed)
        return;
    s->freed = true;
    if (s->calling) /* hiredis is still at work */
        loop_defer(s->link.loop, free_now, s);
    else
        free_now(s);
}
