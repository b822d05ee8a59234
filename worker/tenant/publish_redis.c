#include "tenant/publish_redis.h"

#include "net/redis_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 2000
#define WINDOW     256 /* commands in flight: bounds what both sides buffer */

static void open_pipe(struct pipe *pipe, const char *address, char *error)
{
    char why[256];
    *pipe = (struct pipe){.error = error};
    pipe->redis = redis_sync_connect(address, TIMEOUT_MS, why);
    if (pipe->redis == NULL && error[0] == '\0') {
        snprintf(error, 256, "%s", why);
    }
}

bool publisher_open(struct publisher *p, const struct config *config, char error[256])
{
    error[0] = '\0';
    open_pipe(&p->jobs, config->jobs_redis, error);
    open_pipe(&p->live, config->live_redis, error);
    return p->jobs.redis != NULL && p->live.redis != NULL;
}

void publisher_close(struct publisher *p)
{
    redisFree(p->jobs.redis);
    redisFree(p->live.redis);
    p->jobs.redis = p->live.redis = NULL;
}

bool publisher_ok(struct publisher *p)
{
    bool jobs = pipe_flush(&p->jobs);
    return pipe_flush(&p->live) && jobs;
}

void pipe_fail(struct pipe *pipe, const char *why)
{
    if (pipe->error[0] == '\0') {
        snprintf(pipe->error, 256, "Redis: %.200s", why);
    }
    redisFree(pipe->redis);
    pipe->redis = NULL;
    pipe->unread = 0;
}

static redisReply *read_reply(struct pipe *pipe)
{
    redisReply *reply = NULL;
    if (redisGetReply(pipe->redis, (void **)&reply) != REDIS_OK) {
        pipe_fail(pipe, pipe->redis->errstr);
        return NULL;
    }
    pipe->unread--;
    if (reply->type == REDIS_REPLY_ERROR) {
        pipe_fail(pipe, reply->str);
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

bool pipe_flush(struct pipe *pipe)
{
    while (pipe->redis != NULL && pipe->unread > 0) {
        redisReply *reply = read_reply(pipe);
        if (reply != NULL) {
            if (pipe->on_reply != NULL) {
                pipe->on_reply(pipe->arg, reply);
            }
            freeReplyObject(reply);
        }
    }
    return pipe->redis != NULL;
}

static bool append(struct pipe *pipe, int argc, const char *const *argv)
{
    size_t lengths[32];

    if (pipe->redis == NULL) {
        return false;
    }
    for (int i = 0; i < argc; i++) {
        lengths[i] = strlen(argv[i]);
    }
    /* hiredis takes them without const and does not write to them. */
    union {
        const char *const *in;
        const char **out;
    } arguments = {.in = argv};
    if (redisAppendCommandArgv(pipe->redis, argc, arguments.out, lengths) != REDIS_OK) {
        pipe_fail(pipe, pipe->redis->errstr);
        return false;
    }
    pipe->unread++;
    return true;
}

void pipe_send(struct pipe *pipe, int argc, const char *const *argv)
{
    if (append(pipe, argc, argv) && pipe->unread >= WINDOW) {
        pipe_flush(pipe);
    }
}

redisReply *pipe_ask(struct pipe *pipe, int argc, const char *const *argv)
{
    if (!pipe_flush(pipe) || !append(pipe, argc, argv)) {
        return NULL;
    }
    return read_reply(pipe);
}

/* -- scan ------------------------------------------------------------------------ */

struct names {
    struct arena *a;
    const char **list;
    size_t count;
    size_t cap;
};

static void add_name(struct names *names, const char *name, size_t len)
{
    if (names->count == names->cap) {
        size_t cap = names->cap > 0 ? 2 * names->cap : 256;
        const char **list = arena_alloc(names->a, cap * sizeof(*list));
        if (names->count > 0) {
            memcpy(list, names->list, names->count * sizeof(*list));
        }
        names->list = list;
        names->cap = cap;
    }
    names->list[names->count++] = arena_strndup(names->a, name, len);
}

bool pipe_scan(struct pipe *pipe, const char *pattern, size_t prefix, struct arena *a,
               const char ***names, size_t *count)
{
    struct names found = {.a = a};
    char cursor[32] = "0";

    do {
        redisReply *reply = pipe_ask(
            pipe, 6, (const char *const[]){"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
        if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
            freeReplyObject(reply);
            return false;
        }
        snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
        const redisReply *page = reply->element[1];
        for (size_t i = 0; i < page->elements; i++) {
            if (page->element[i]->len > prefix) {
                add_name(&found, page->element[i]->str + prefix, page->element[i]->len - prefix);
            }
        }
        freeReplyObject(reply);
    } while (strcmp(cursor, "0") != 0);
    *names = found.list;
    *count = found.count;
    return true;
}
