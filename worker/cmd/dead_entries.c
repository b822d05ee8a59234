#include "cmd/dead_entries.h"

#include "net/redis_sync.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHARD      "0"
#define COMMAND_MS 2000

struct dead_entry {
    const char *dead; /* its id in fd:dead, which begins with the time */
    const char *id;   /* in fd:jobs */
    const char *reason;
};

bool dead_entry_id(const char *id)
{
    size_t ms = strspn(id, "0123456789");
    return ms > 0 && ms < 21 && id[ms] == '-' && id[ms + 1] != '\0' && strlen(id + ms + 1) < 21 &&
           id[ms + 1 + strspn(id + ms + 1, "0123456789")] == '\0';
}

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk jobs: %s\n", text);
    return 1;
}

/* False: a job's dead letter, which has its row. */
static bool read_entry(const redisReply *reply, struct dead_entry *entry)
{
    *entry = (struct dead_entry){.dead = reply->element[0]->str, .id = "", .reason = ""};
    bool unreadable = false;
    const redisReply *fields = reply->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *name = fields->element[i]->str, *value = fields->element[i + 1]->str;
        if (strcmp(name, "job") == 0)
            entry->id = value;
        else if (strcmp(name, "reason") == 0)
            entry->reason = value;
        else if (strcmp(name, "org") == 0)
            unreadable = strcmp(value, "-") == 0;
    }
    return unreadable;
}

static redisReply *read_all(redisContext *redis)
{
    char key[32];
    snprintf(key, sizeof(key), FD_KEY_DEAD, SHARD);
    redisReply *reply = redisCommand(redis, "XREVRANGE %s + -", key);
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY)
        return reply;
    complain(reply != NULL ? "Redis does not list fd:dead" : redis->errstr);
    freeReplyObject(reply);
    return NULL;
}

static void print(const struct dead_entry *entry)
{
    char at[32];
    struct tm tm;
    time_t s = (time_t)(strtoll(entry->dead, NULL, 10) / 1000);
    gmtime_r(&s, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
    printf("%s  %s  org -  unreadable: %s\n", entry->id, at, entry->reason);
}

static int list(redisContext *redis)
{
    redisReply *all = read_all(redis);
    if (all == NULL)
        return 1;
    for (size_t i = 0; i < all->elements; i++) {
        struct dead_entry entry;
        if (read_entry(all->element[i], &entry))
            print(&entry);
    }
    freeReplyObject(all);
    return 0;
}

static int remove_letter(redisContext *redis, const char *dead)
{
    char key[32];
    snprintf(key, sizeof(key), FD_KEY_DEAD, SHARD);
    redisReply *reply = redisCommand(redis, "XDEL %s %s", key, dead);
    bool gone = reply != NULL && reply->type == REDIS_REPLY_INTEGER;
    freeReplyObject(reply);
    return gone ? 0 : complain("Redis did not drop it");
}

static int drop(redisContext *redis, const char *id)
{
    redisReply *all = read_all(redis);
    if (all == NULL)
        return 1;
    int status = 0;
    bool found = false;
    for (size_t i = 0; i < all->elements; i++) {
        struct dead_entry entry;
        if (!read_entry(all->element[i], &entry) || strcmp(entry.id, id) != 0)
            continue;
        found = true;
        status |= remove_letter(redis, entry.dead);
    }
    freeReplyObject(all);
    return found ? status : complain("no such entry; `frontdesk jobs list` shows them");
}

static redisContext *open_jobs(const struct config *config)
{
    char error[256];
    redisContext *redis = redis_sync_connect(config->jobs_redis, COMMAND_MS, error);
    if (redis == NULL)
        complain(error);
    return redis;
}

int dead_entries_list(const struct config *config)
{
    redisContext *redis = open_jobs(config);
    int status = redis != NULL ? list(redis) : 1;
    redisFree(redis);
    return status;
}

int dead_entries_drop(const struct config *config, const char *id)
{
    redisContext *redis = open_jobs(config);
    int status = redis != NULL ? drop(redis, id) : 1;
    redisFree(redis);
    return status;
}
