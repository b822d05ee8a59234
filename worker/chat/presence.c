#include "chat/presence.h"

#include "core/buf.h"
#include "core/clock.h"
#include "net/redis_sync.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS  2000
#define DATA_MAX 8192
#define COMMANDS 4

/* {conversation_id, operators: [name]} of members "<actor> <name>". */
static const char *write_down(struct arena *a, const char *conversation, const redisReply *members)
{
    struct fd_json_writer w;
    struct buf data;

    buf_init(&data, DATA_MAX);
    buf_json(&data, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "conversation_id", conversation);
    fd_jw_key(&w, "operators");
    fd_jw_array(&w);
    for (size_t i = 0; i < members->elements; i++) {
        const char *name = strchr(members->element[i]->str, ' ');
        if (name != NULL)
            fd_jw_cstring(&w, name + 1);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&data, &w) ? arena_strdup(a, data.data) : NULL;
    buf_free(&data);
    return text;
}

static void ask(redisContext *redis, const char *key, const char *member, bool leaves)
{
    long long now = clock_wall_ms();

    if (leaves)
        redisAppendCommand(redis, "ZREM %s %s", key, member);
    else
        redisAppendCommand(redis, "ZADD %s %lld %s", key, now + PRESENCE_LIFE_MS, member);
    redisAppendCommand(redis, "ZREMRANGEBYSCORE %s -inf (%lld", key, now);
    redisAppendCommand(redis, "PEXPIRE %s %d", key, PRESENCE_LIFE_MS);
    redisAppendCommand(redis, "ZRANGE %s 0 %d", key, PRESENCE_MAX - 1);
}

const char *presence_look(const char *live_redis, struct arena *a, const char *org,
                          const char *conversation, const char *actor, const char *name,
                          bool leaves, char error[256])
{
    const char *key = arena_printf(a, FD_KEY_LOOK, org, conversation), *text = NULL;
    redisContext *redis = redis_sync_connect(live_redis, WAIT_MS, error);

    if (redis == NULL)
        return NULL;
    ask(redis, key, arena_printf(a, "%s %s", actor, name), leaves);
    for (int i = 0; i < COMMANDS; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(redis, (void **)&reply) != REDIS_OK || reply == NULL) {
            snprintf(error, 256, "%.100s: %.120s", live_redis, redis->errstr);
            break;
        }
        if (i == COMMANDS - 1 && reply->type == REDIS_REPLY_ARRAY)
            text = write_down(a, conversation, reply);
        freeReplyObject(reply);
    }
    redisFree(redis);
    return text;
}
