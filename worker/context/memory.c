#include "context/memory.h"

#include "core/buf.h"
#include "core/utf8.h"
#include "llm/tokens.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE 128
#define TEXT_MAX FD_MESSAGE_MAX /* of one message: more is no use to the next answer */
#define LIST_MAX (MEMORY_MESSAGES * (6 * TEXT_MAX + 64))

static void key_of(char key[KEY_SIZE], const char *org, const char *session)
{
    snprintf(key, KEY_SIZE, FD_KEY_HISTORY, org, session);
}

static void summary_key_of(char key[KEY_SIZE], const char *org, const char *session)
{
    snprintf(key, KEY_SIZE, FD_KEY_SUMMARY, org, session);
}

bool memory_read(struct redis *live, const char *org, const char *session,
                 redis_reply_fn *on_summary, redis_reply_fn *on_list, void *arg)
{
    char list[KEY_SIZE], summary[KEY_SIZE];
    key_of(list, org, session);
    summary_key_of(summary, org, session);
    return redis_call(live, on_summary, arg, "GET %s", summary) &&
           redis_call(live, on_list, arg, "LRANGE %s %d -1", list, -MEMORY_MESSAGES);
}

bool memory_parse_summary(struct arena *a, const redisReply *reply, struct summary *summary)
{
    struct fd_json_fault fault;
    *summary = (struct summary){.text = ""};
    if (reply == NULL || reply->type != REDIS_REPLY_STRING)
        return false;
    const struct fd_json *json = fd_json_parse(reply->str, reply->len, (struct fd_json_limits){0},
                                               arena_allocator(a), &fault);
    const char *text = fd_json_string(json, "text");
    summary->text = text != NULL ? text : "";
    summary->messages = (int)fd_json_int(json, "messages", 0);
    return text != NULL;
}

/* An answer says beside its text how it was routed. */
static void parse_last(const struct fd_json *json, struct route_last *last)
{
    const char *tier = fd_json_string(json, "tier");
    struct route_last found = {.at_ms = fd_json_int(json, "at", 0),
                               .tokens = fd_json_int(json, "tokens", 0)};
    found.known = tier != NULL && route_tier_read(tier, &found.tier);
    if (found.known)
        *last = found;
}

static bool parse_one(struct arena *a, const redisReply *item, struct llm_message *message,
                      struct route_last *last)
{
    struct fd_json_fault fault;
    if (item->type != REDIS_REPLY_STRING)
        return false;
    const struct fd_json *json =
        fd_json_parse(item->str, item->len, (struct fd_json_limits){0}, arena_allocator(a), &fault);
    const char *role = fd_json_string(json, "role");
    message->text = fd_json_string(json, "content");
    if (role == NULL || message->text == NULL)
        return false;
    message->role = strcmp(role, "user") == 0 ? LLM_USER : LLM_ASSISTANT;
    parse_last(json, last);
    return true;
}

bool memory_parse(struct arena *a, const redisReply *reply, struct llm_message **messages,
                  size_t *count, struct route_last *last)
{
    *count = 0;
    *last = (struct route_last){0};
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0)
        return false;
    *messages = arena_zalloc(a, reply->elements * sizeof(**messages));
    for (size_t i = 0; i < reply->elements; i++) {
        if (!parse_one(a, reply->element[i], &(*messages)[i], last))
            return false;
    }
    *count = reply->elements;
    return true;
}

static bool write_message(struct buf *out, enum llm_role role, const char *text,
                          const struct route_last *last)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "role", role == LLM_USER ? "user" : "assistant");
    size_t len = strlen(text);
    fd_jw_key(&w, "content");
    fd_jw_string(&w, text, len <= TEXT_MAX ? len : utf8_floor(text, len, TEXT_MAX));
    if (role != LLM_USER && last != NULL && last->known) {
        fd_jw_member(&w, "tier", route_tier_name(last->tier));
        fd_jw_member_int(&w, "at", last->at_ms);
        fd_jw_member_int(&w, "tokens", last->tokens);
    }
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

/* `command` key and messages as JSON, in one; `last` is of the last message. */
static bool push(struct redis *live, const char *command, const char *key,
                 const struct llm_message *messages, size_t count, const struct route_last *last)
{
    const char *argv[2 + MEMORY_MESSAGES];
    size_t lens[2 + MEMORY_MESSAGES];
    size_t ends[MEMORY_MESSAGES];
    struct buf out;
    bool ok = true;
    buf_init(&out, LIST_MAX);
    for (size_t i = 0; i < count && ok; i++) {
        ok = write_message(&out, messages[i].role, messages[i].text, i + 1 == count ? last : NULL);
        ends[i] = out.len;
    }
    argv[0] = command;
    argv[1] = key;
    lens[0] = strlen(command);
    lens[1] = strlen(key);
    for (size_t i = 0; i < count && ok; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        argv[2 + i] = out.data + start;
        lens[2 + i] = ends[i] - start;
    }
    ok = ok && redis_command(live, NULL, NULL, (int)(2 + count), argv, lens);
    buf_free(&out);
    return ok;
}

static void keep_short(struct redis *live, const char *key)
{
    redis_call(live, NULL, NULL, "LTRIM %s %d -1", key, -MEMORY_MESSAGES);
    redis_call(live, NULL, NULL, "PEXPIRE %s %d", key, FD_HISTORY_TTL_MS);
}

void memory_summarise(struct redis *live, const char *org, const char *session,
                      const struct summary *summary)
{
    char key[KEY_SIZE];
    struct fd_json_writer w;
    struct buf out;
    summary_key_of(key, org, session);
    buf_init(&out, 6 * SUMMARY_TEXT_MAX + 64);
    buf_json(&out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "text", summary->text);
    fd_jw_member_int(&w, "messages", summary->messages);
    fd_jw_end_object(&w);
    if (buf_json_end(&out, &w))
        redis_call(live, NULL, NULL, "SET %s %b PX %d", key, out.data, out.len, FD_HISTORY_TTL_MS);
    else
        redis_call(live, NULL, NULL, "DEL %s", key);
    buf_free(&out);
}

void memory_seed(struct redis *live, const char *org, const char *session,
                 const struct llm_message *messages, size_t count, const struct route_last *last,
                 const struct summary *summary)
{
    char key[KEY_SIZE];
    key_of(key, org, session);
    if (count == 0 || count > MEMORY_MESSAGES)
        return;
    if (count >= SUMMARY_FROM)
        memory_summarise(live, org, session, summary);
    redis_call(live, NULL, NULL, "DEL %s", key);
    if (push(live, "RPUSH", key, messages, count, last))
        keep_short(live, key);
}

void memory_append(struct redis *live, const char *org, const char *session, const char *question,
                   const char *answer, const struct route_last *last, bool whole)
{
    char key[KEY_SIZE];
    key_of(key, org, session);
    struct llm_message turn[] = {{.role = LLM_USER, .text = question},
                                 {.role = LLM_ASSISTANT, .text = answer}};
    /* A list that is not whole would hide what PostgreSQL has: better none. */
    if (!push(live, whole ? "RPUSH" : "RPUSHX", key, turn, *answer != '\0' ? 2 : 1, last)) {
        redis_call(live, NULL, NULL, "DEL %s", key);
        return;
    }
    keep_short(live, key);
    summary_key_of(key, org, session);
    redis_call(live, NULL, NULL, "PEXPIRE %s %d", key, FD_HISTORY_TTL_MS);
}

void memory_forget(struct redis *live, const char *org, const char *session)
{
    char list[KEY_SIZE], summary[KEY_SIZE];
    key_of(list, org, session);
    summary_key_of(summary, org, session);
    redis_call(live, NULL, NULL, "DEL %s %s", list, summary);
}

int64_t memory_tokens(const struct llm_message *messages, size_t count)
{
    int64_t tokens = 0;
    for (size_t i = 0; i < count; i++)
        tokens += tokens_estimate(messages[i].text, strlen(messages[i].text));
    return tokens;
}
