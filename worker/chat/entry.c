#include "chat/entry.h"

#include "protocol/ids.h"
#include "tenant/channels.h"
#include "protocol/job.h"
#include "protocol/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The canonical form may be longer than what came: a control character is six bytes. */
#define BODY_MAX ((size_t)6 * FD_COMPLETION_BODY_MAX)

const char *entry_stream_id(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 ||
        reply->element[0]->type != REDIS_REPLY_STRING)
        return NULL;
    return reply->element[0]->str;
}

bool entry_gone(const redisReply *reply)
{
    return reply->elements < 2 || reply->element[1]->type != REDIS_REPLY_ARRAY;
}

const redisReply *entry_field(const redisReply *fields, const char *name)
{
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *key = fields->element[i];
        const redisReply *value = fields->element[i + 1];
        if (key->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING &&
            strcmp(key->str, name) == 0)
            return value;
    }
    return NULL;
}

static const char *copy(struct arena *a, const redisReply *fields, const char *name, size_t most)
{
    const redisReply *value = entry_field(fields, name);
    if (value == NULL || value->len > most || strlen(value->str) != value->len)
        return NULL;
    return arena_strndup(a, value->str, value->len);
}

static bool number(const redisReply *fields, const char *name, int64_t *out)
{
    const redisReply *value = entry_field(fields, name);
    if (value == NULL || value->len == 0 || value->len > 18)
        return false;
    char *end;
    errno = 0;
    *out = strtoll(value->str, &end, 10);
    return errno == 0 && *end == '\0' && *out >= 0;
}

/* Not to be mistaken for a visitor's: what it may not do would be done. */
static bool read_test(struct arena *a, const redisReply *fields, struct job_entry *entry)
{
    const redisReply *value = entry_field(fields, FD_JOB_TEST);
    if (value == NULL)
        return true;
    entry->test = test_chat_read(a, value->str, value->len);
    return entry->test != NULL;
}

bool entry_read(struct arena *a, const redisReply *reply, struct job_entry *entry,
                const char **error)
{
    memset(entry, 0, sizeof(*entry));
    const char *stream_id = entry_stream_id(reply);
    if (stream_id == NULL || entry_gone(reply)) {
        *error = "no fields";
        return false;
    }
    const redisReply *fields = reply->element[1];
    entry->entry = arena_strdup(a, stream_id);
    entry->id = copy(a, fields, FD_JOB_ID, FD_JOB_ID_SIZE);
    entry->org = copy(a, fields, FD_JOB_ORG, 36);
    entry->session = copy(a, fields, FD_JOB_SESSION, FD_SESSION_ID_LEN);
    entry->request_id = copy(a, fields, FD_JOB_REQUEST, 128);
    entry->key_id = copy(a, fields, FD_JOB_KEY, 36);
    entry->body = copy(a, fields, FD_JOB_BODY, BODY_MAX);

    if (entry->id == NULL || !fd_job_id_valid(entry->id, strlen(entry->id)))
        *error = "job";
    else if (entry->org == NULL || !fd_uuid_valid(entry->org, strlen(entry->org)))
        *error = "org";
    else if (entry->session == NULL ||
             !fd_session_id_shaped(entry->session, strlen(entry->session)))
        *error = "session";
    else if (!number(fields, FD_JOB_DEADLINE, &entry->deadline_ms))
        *error = "deadline";
    else if (!number(fields, FD_JOB_ACCEPTED, &entry->accepted_ms))
        *error = "accepted";
    else if (entry->body == NULL)
        *error = "body";
    else if (!read_test(a, fields, entry))
        *error = "test";
    else
        *error = NULL;
    if (*error != NULL)
        return false;

    fd_job_id_shard(entry->id, strlen(entry->id), entry->shard);
    entry->body_len = strlen(entry->body);
    if (entry->key_id != NULL && !fd_uuid_valid(entry->key_id, strlen(entry->key_id)))
        entry->key_id = NULL;
    const redisReply *started = entry_field(fields, FD_JOB_STARTED);
    entry->started = started != NULL && strcmp(started->str, "1") == 0;
    const redisReply *kind = entry_field(fields, FD_JOB_KIND);
    entry->secret_key = kind != NULL && strcmp(kind->str, "sk") == 0;
    entry->over_quota = entry_field(fields, FD_JOB_OVER_QUOTA) != NULL;
    entry->door = entry_field(fields, FD_JOB_DOOR) != NULL;
    entry->channel = copy(a, fields, FD_JOB_CHANNEL, CHANNEL_NAME_MAX);
    return true;
}
