#include "cmd/doctor.h"

#include "core/clock.h"
#include "db/db.h"
#include "net/redis_sync.h"
#include "protocol/keys.h"
#include "tenant/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS    2000
#define SKEW_MS       5000
#define SHARD_OF_ALL  "0"
#define LEAST_VERSION 7

/* One server, as it says of itself. */
struct server {
    const char *role; /* "redis.jobs" */
    redisContext *redis;
    redisReply *info;
    char appendfsync[16]; /* "" where CONFIG is not allowed */
};

static redisReply *ask(redisContext *redis, int argc, const char *const *argv)
{
    union {
        const char *const *in;
        const char **out;
    } arguments = {.in = argv};
    redisReply *reply = redisCommandArgv(redis, argc, arguments.out, NULL);
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static long long ask_number(redisContext *redis, int argc, const char *const *argv)
{
    redisReply *reply = ask(redis, argc, argv);
    long long number = reply != NULL && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    freeReplyObject(reply);
    return number;
}

/* A line of INFO, "" where there is none. */
static const char *field(const struct server *s, const char *name, char value[64])
{
    char line[64];

    snprintf(line, sizeof(line), "\n%s:", name);
    const char *at = s->info != NULL ? strstr(s->info->str, line) : NULL;
    value[0] = '\0';
    if (at != NULL) {
        at += strlen(line);
        snprintf(value, 64, "%.*s", (int)strcspn(at, "\r\n"), at);
    }
    return value;
}

static bool is(const struct server *s, const char *name, const char *wanted)
{
    char value[64];
    return strcmp(field(s, name, value), wanted) == 0;
}

static void read_appendfsync(struct server *s)
{
    redisReply *reply = ask(s->redis, 3, (const char *const[]){"CONFIG", "GET", "appendfsync"});
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
        snprintf(s->appendfsync, sizeof(s->appendfsync), "%s", reply->element[1]->str);
    }
    freeReplyObject(reply);
}

static bool open_server(struct findings *findings, struct server *s, const char *role,
                        const char *address, const char *variable)
{
    char error[256];

    *s = (struct server){.role = role};
    s->redis = redis_sync_connect(address, TIMEOUT_MS, error);
    if (s->redis != NULL) {
        s->info = ask(s->redis, 1, (const char *const[]){"INFO"});
    }
    if (s->info == NULL || s->info->type != REDIS_REPLY_STRING) {
        findings_add(findings, FINDING_FAIL, role, variable, "%s",
                     s->redis == NULL ? error : "connected, but INFO is not answered");
        return false;
    }
    read_appendfsync(s);
    return true;
}

static void close_server(struct server *s)
{
    freeReplyObject(s->info);
    redisFree(s->redis);
}

static void check_common(struct findings *findings, const struct server *s)
{
    char version[64], mode[64], role[64], policy[64], most[64];

    field(s, "redis_version", version);
    FINDINGS_CHECK(findings, atoi(version) >= LEAST_VERSION, FINDING_FAIL, s->role,
                   "use Redis 7 or later", "Redis %s", version);
    FINDINGS_CHECK(findings, is(s, "redis_mode", "standalone"), FINDING_FAIL, s->role,
                   "Redis Cluster is not supported: use one server for each role", "mode %s",
                   field(s, "redis_mode", mode));
    FINDINGS_CHECK(findings, is(s, "role", "master"), FINDING_FAIL, s->role,
                   "connect to the primary: a replica takes no writes", "role %s",
                   field(s, "role", role));
    FINDINGS_CHECK(findings, is(s, "maxmemory_policy", "noeviction"), FINDING_FAIL, s->role,
                   "set maxmemory-policy noeviction: an evicted key is lost work",
                   "maxmemory-policy %s", field(s, "maxmemory_policy", policy));
    FINDINGS_CHECK(findings, !is(s, "maxmemory", "0"), FINDING_WARN, s->role,
                   "set maxmemory, so that a full server refuses instead of being killed",
                   "maxmemory %s", field(s, "maxmemory_human", most));
}

static void check_jobs(struct findings *findings, const struct server *s)
{
    bool aof = is(s, "aof_enabled", "1");

    FINDINGS_CHECK(findings, aof, FINDING_FAIL, s->role,
                   "set appendonly yes: accepted work must outlive a crash", "appendonly %s",
                   aof ? "yes" : "no");
    if (aof && s->appendfsync[0] == '\0') {
        findings_add(findings, FINDING_WARN, s->role, "check by hand that appendfsync is always",
                     "CONFIG GET is not allowed");
    } else if (aof) {
        FINDINGS_CHECK(findings, strcmp(s->appendfsync, "always") == 0, FINDING_FAIL, s->role,
                       "set appendfsync always: everysec loses accepted work in a power cut",
                       "appendfsync %s", s->appendfsync);
        FINDINGS_CHECK(findings, is(s, "aof_last_write_status", "ok"), FINDING_FAIL, s->role,
                       "look at the server's disk and log", "last append-only write %s",
                       is(s, "aof_last_write_status", "ok") ? "fine" : "failed");
    }
    redisReply *time = ask(s->redis, 1, (const char *const[]){"TIME"});
    if (time != NULL && time->type == REDIS_REPLY_ARRAY && time->elements == 2) {
        long long skew = llabs(atoll(time->element[0]->str) * 1000 - clock_wall_ms());
        FINDINGS_CHECK(findings, skew < SKEW_MS, FINDING_WARN, "clock",
                       "synchronise the clocks (chrony, systemd-timesyncd)",
                       "about %lld s apart from the jobs server", skew / 1000);
    }
    freeReplyObject(time);
}

static void check_shards(struct findings *findings, const struct server *s)
{
    redisReply *reply = ask(s->redis, 3, (const char *const[]){"HGET", FD_KEY_META, "shards"});
    if (reply != NULL && reply->type == REDIS_REPLY_STRING) {
        FINDINGS_CHECK(findings, atoi(reply->str) == PUBLISH_SHARDS, FINDING_FAIL, "shards",
                       "set `shards` of fd:meta back to 1: more are not supported yet",
                       "fd:meta was made for %d", atoi(reply->str));
    }
    freeReplyObject(reply);
}

static void check_live(struct findings *findings, const struct server *jobs,
                       const struct server *live)
{
    char mine[64], other[64];
    bool waits = is(live, "aof_enabled", "1") && strcmp(live->appendfsync, "always") == 0;

    if (jobs->info != NULL) {
        bool same = strcmp(field(jobs, "run_id", mine), field(live, "run_id", other)) == 0;
        FINDINGS_CHECK(findings, !same, waits ? FINDING_FAIL : FINDING_WARN, "redis.two_servers",
                       "run a second Redis for the live role: tokens would wait for the disk",
                       "jobs and live are %s", same ? "the same server" : "two servers");
    }
    FINDINGS_CHECK(findings, !waits, FINDING_FAIL, live->role,
                   "set appendonly no: everything there can be made again",
                   "appendfsync always is %s", waits ? "on" : "off");
}

static void check_published(struct findings *findings, const struct server *s)
{
    long long left = ask_number(s->redis, 2, (const char *const[]){"PTTL", FD_KEY_SYNCED});
    FINDINGS_CHECK(findings, left > 0, FINDING_WARN, "keys.synced",
                   "start a worker: without this mark nginx answers 503 to keys it does not know",
                   left > 0 ? "keys were written through, valid for %lld s more"
                            : "keys are not written through (%lld)",
                   left > 0 ? left / 1000 : left);
}

static void check_workers(struct findings *findings, const struct server *s)
{
    char alive[64], now[DB_NUMBER_SIZE];

    snprintf(alive, sizeof(alive), FD_KEY_ALIVE, SHARD_OF_ALL);
    long long workers =
        ask_number(s->redis, 4,
                   (const char *const[]){"ZCOUNT", alive, db_number(now, clock_wall_ms()), "+inf"});
    FINDINGS_CHECK(findings, workers > 0, FINDING_WARN, "workers",
                   "start one: systemctl start frontdesk-worker", "%lld alive", workers);
}

void doctor_redis(struct findings *findings, const struct config *config)
{
    struct server jobs, live;

    if (open_server(findings, &jobs, "redis.jobs", config->jobs_redis,
                    "start it, or check FRONTDESK_JOBS_REDIS")) {
        check_common(findings, &jobs);
        check_jobs(findings, &jobs);
        check_shards(findings, &jobs);
        check_workers(findings, &jobs);
    }
    if (open_server(findings, &live, "redis.live", config->live_redis,
                    "start it, or check FRONTDESK_LIVE_REDIS")) {
        check_common(findings, &live);
        check_live(findings, &jobs, &live);
        check_published(findings, &live);
    }
    close_server(&jobs);
    close_server(&live);
}
