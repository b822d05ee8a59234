#include "chat/news.h"

#include "core/buf.h"
#include "net/redis_sync.h"
#include "protocol/keys.h"
#include "protocol/limits.h"
#include "protocol/scripts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF_(value) #value
#define TEXT_OF(value)  TEXT_OF_(value)

#define TYPING_MAX     1024
#define SYNC_WAIT_MS   2000
#define PAUSED_LIFE_MS TEXT_OF(7200000) /* longer than the list lives that it guards from */

void news_init(struct news *news, struct arena *arena)
{
    *news = (struct news){.arena = arena};
}

static void add(struct news *news, int argc, const char *const *argv)
{
    if (news->count == NEWS_MAX)
        abort();
    struct news_command *command = &news->commands[news->count++];
    command->argc = argc;
    memcpy(command->argv, argv, (size_t)argc * sizeof(*argv));
}

static void happen(struct news *news, const char *key, enum fd_event_type type, const char *data,
                   const char *life_s, const char *events)
{
    const char *const argv[] = {
        "EVAL",
        fd_script_sources[FD_SCRIPT_HAPPEN].text,
        "1",
        key,
        fd_event_name(type),
        arena_strdup(news->arena, data),
        life_s,
        events,
    };
    add(news, 8, argv);
}

void news_session(struct news *news, const char *session, enum fd_event_type type, const char *data)
{
    happen(news, arena_printf(news->arena, FD_KEY_SESSION_EVENTS, session), type, data,
           TEXT_OF(NEWS_LIFE_S), TEXT_OF(NEWS_EVENTS));
}

void news_org(struct news *news, const char *org, enum fd_event_type type, const char *data)
{
    happen(news, arena_printf(news->arena, FD_KEY_ORG_EVENTS, org), type, data,
           TEXT_OF(NEWS_ORG_LIFE_S), TEXT_OF(NEWS_ORG_EVENTS));
}

void news_conversation(struct news *news, const char *org, const char *facts)
{
    if (facts != NULL)
        news_org(news, org, FD_EVENT_CONVERSATION, facts);
}

static void pass_by(struct news *news, const char *channel, const char *event, const char *data)
{
    const char *const argv[] = {"PUBLISH", channel,
                                arena_printf(news->arena, "event: %s\ndata: %s\n\n", event, data)};
    add(news, 3, argv);
}

static void typing(struct news *news, const char *channel, const char *conversation,
                   const char *name, const char *who)
{
    struct fd_json_writer w;
    struct buf data;
    buf_init(&data, TYPING_MAX);
    buf_json(&data, &w);
    fd_jw_object(&w);
    if (conversation != NULL)
        fd_jw_member(&w, "conversation_id", conversation);
    fd_jw_member(&w, "name", name);
    if (who != NULL)
        fd_jw_member(&w, "who", who);
    fd_jw_end_object(&w);
    if (buf_json_end(&data, &w))
        pass_by(news, channel, FD_EVENT_TYPING, data.data);
    buf_free(&data);
}

void news_typing(struct news *news, const char *session, const char *name)
{
    typing(news, arena_printf(news->arena, FD_KEY_SESSION_EVENTS, session), NULL, name, NULL);
}

void news_org_typing(struct news *news, const char *org, const char *conversation, const char *name,
                     const char *who)
{
    typing(news, arena_printf(news->arena, FD_KEY_ORG_EVENTS, org), conversation, name, who);
}

void news_presence(struct news *news, const char *org, const char *data)
{
    pass_by(news, arena_printf(news->arena, FD_KEY_ORG_EVENTS, org), FD_EVENT_PRESENCE, data);
}

void news_channel(struct news *news, const char *org)
{
    const char *const hint[] = {"PUBLISH", FD_CHANNEL_CONTROL,
                                arena_printf(news->arena, "%s %s", FD_CONTROL_CHANNEL, org)};
    add(news, 3, hint);
}

void news_forget(struct news *news, const char *org, const char *session)
{
    const char *const argv[] = {"DEL", arena_printf(news->arena, FD_KEY_HISTORY, org, session)};
    add(news, 2, argv);
}

/* The mark comes before the list goes: who finds no list finds the mark, or asks PostgreSQL. */
void news_paused(struct news *news, const char *org, const char *session)
{
    const char *const mark[] = {"SET", arena_printf(news->arena, FD_KEY_PAUSED, org, session), "1",
                                "PX", PAUSED_LIFE_MS};
    const char *const hint[] = {"PUBLISH", FD_CHANNEL_CONTROL,
                                arena_printf(news->arena, "%s %s", FD_CONTROL_HUMAN, session)};
    add(news, 5, mark);
    news_forget(news, org, session);
    add(news, 3, hint);
}

void news_resumed(struct news *news, const char *org, const char *session)
{
    const char *const mark[] = {"DEL", arena_printf(news->arena, FD_KEY_PAUSED, org, session)};
    news_forget(news, org, session);
    add(news, 2, mark);
}

static void measure(const struct news_command *command, size_t lens[NEWS_WORDS_MAX])
{
    for (int i = 0; i < command->argc; i++)
        lens[i] = strlen(command->argv[i]);
}

void news_send(const struct news *news, struct redis *live)
{
    for (size_t i = 0; i < news->count; i++) {
        struct news_command command = news->commands[i];
        size_t lens[NEWS_WORDS_MAX];
        measure(&command, lens);
        redis_command(live, NULL, NULL, command.argc, command.argv, lens);
    }
}

bool news_send_sync(const struct news *news, const char *address, char error[256])
{
    if (news->count == 0)
        return true;
    redisContext *redis = redis_sync_connect(address, SYNC_WAIT_MS, error);
    bool ok = redis != NULL;
    for (size_t i = 0; ok && i < news->count; i++) {
        struct news_command command = news->commands[i];
        size_t lens[NEWS_WORDS_MAX];
        measure(&command, lens);
        ok = redisAppendCommandArgv(redis, command.argc, command.argv, lens) == REDIS_OK;
    }
    for (size_t i = 0; ok && i < news->count; i++) {
        redisReply *reply = NULL;
        ok = redisGetReply(redis, (void **)&reply) == REDIS_OK && reply != NULL &&
             reply->type != REDIS_REPLY_ERROR;
        if (!ok)
            snprintf(error, 256, "%.100s: %.120s", address,
                     reply != NULL ? reply->str : redis->errstr);
        freeReplyObject(reply);
    }
    if (redis != NULL)
        redisFree(redis);
    return ok;
}
