#include "chat/intake.h"

#include "chat/entry.h"
#include "chat/job.h"
#include "chat/lease.h"
#include "chat/sync.h"
#include "core/loop.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MS     5000
#define SILENT_MS    15000 /* the server owes an answer after BLOCK_MS */
#define RETRY_MS     250
#define STREAMS_MAX  64 /* shards of one read */
#define HISTORY_READ 64

struct intake {
    struct engine *engine;
    struct redis *conn;
    struct timer *timer;
    struct crumb_left left;
    int charges; /* without an answer */
    bool charged;
    bool started;
    bool reading;
    bool stopped;
    unsigned history_shard; /* of the own history; = shards: it is read */
    char history_after[44];
    unsigned first_shard; /* of the next read, so that every shard has its turn */
};

static void next_step(struct intake *intake);

static void stream_of(char out[32], unsigned shard)
{
    char digits[5];
    snprintf(digits, sizeof(digits), "%u", shard % 10000);
    snprintf(out, 32, FD_KEY_JOBS, digits);
}

/* -- what is new -------------------------------------------------------------------------- */

static void start_fresh(struct intake *intake, const redisReply *reply, const char *shard)
{
    struct engine *engine = intake->engine;
    struct arena a;
    struct job_entry entry;
    const char *error;
    arena_init(&a);
    if (entry_gone(reply) || !entry_read(&a, reply, &entry, &error)) {
        if (entry_stream_id(reply) != NULL)
            lease_discard(engine, shard, entry_stream_id(reply),
                          entry_gone(reply) ? "gone" : error);
        arena_free(&a);
    } else if (job_find(engine, entry.id) != NULL) {
        arena_free(&a);
    } else {
        job_start(engine, &a, &entry, 1, 0, false);
    }
}

/* "fd:jobs:{0}" -> "0" */
static void shard_of(char out[5], const char *stream)
{
    const char *open = strchr(stream, '{');
    snprintf(out, 5, "%.*s", open != NULL ? (int)strspn(open + 1, "0123456789") : 0,
             open != NULL ? open + 1 : "");
}

static void again_later(struct intake *intake, const redisReply *reply)
{
    log_warn(NULL, "intake.refused", LOG_STR("error", reply->str));
    if (strncmp(reply->str, "NOGROUP", 7) == 0) {
        intake->started = false;         /* the server lost its data: the groups are made anew, */
        sync_soon(intake->engine->sync); /* and the limits */
    }
    timer_set(intake->timer, RETRY_MS);
}

static void on_read(void *arg, const redisReply *reply)
{
    struct intake *intake = arg;
    char shard[5];
    intake->reading = false;
    if (reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        again_later(intake, reply);
        return;
    }
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *stream = reply->element[i];
        shard_of(shard, stream->element[0]->str);
        for (size_t k = 0; k < stream->element[1]->elements; k++)
            start_fresh(intake, stream->element[1]->element[k], shard);
    }
    next_step(intake);
}

static void read_new(struct intake *intake, size_t slots)
{
    unsigned shards = intake->engine->shards;
    unsigned streams = shards < STREAMS_MAX ? shards : STREAMS_MAX;
    if (streams > slots)
        streams = (unsigned)slots;
    char names[STREAMS_MAX][32], count[24], block[16];
    snprintf(count, sizeof(count), "%zu", slots / streams);
    snprintf(block, sizeof(block), "%d", BLOCK_MS);
    const char *argv[9 + 2 * STREAMS_MAX] = {
        "XREADGROUP", "GROUP", FD_GROUP_WORKERS, intake->engine->name, "COUNT", count,
        "BLOCK",      block,   "STREAMS"};
    for (unsigned i = 0; i < streams; i++) {
        stream_of(names[i], (intake->first_shard + i) % shards);
        argv[9 + i] = names[i];
        argv[9 + streams + i] = ">";
    }
    intake->first_shard = (intake->first_shard + streams) % shards;
    intake->reading =
        redis_command(intake->conn, on_read, intake, (int)(9 + 2 * streams), argv, NULL);
}

/* -- what an earlier life left ---------------------------------------------------------------- */

static void on_history(void *arg, const redisReply *reply)
{
    struct intake *intake = arg;
    intake->reading = false;
    if (reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        again_later(intake, reply);
        return;
    }
    const redisReply *entries = NULL;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
        entries = reply->element[0]->element[1];
    if (entries == NULL || entries->elements == 0) {
        intake->history_shard++;
        snprintf(intake->history_after, sizeof(intake->history_after), "0");
        next_step(intake);
        return;
    }
    char shard[5];
    snprintf(shard, sizeof(shard), "%u", intake->history_shard % 10000);
    for (size_t i = 0; i < entries->elements; i++) {
        const char *id = entry_stream_id(entries->element[i]);
        if (id == NULL)
            continue;
        snprintf(intake->history_after, sizeof(intake->history_after), "%s", id);
        if (!job_runs_entry(intake->engine, id))
            lease_take(intake->engine, shard, id, 0);
    }
    next_step(intake);
}

static void read_history(struct intake *intake, size_t slots)
{
    char stream[32];
    stream_of(stream, intake->history_shard);
    intake->reading = redis_call(
        intake->conn, on_history, intake, "XREADGROUP GROUP %s %s COUNT %d STREAMS %s %s",
        FD_GROUP_WORKERS, intake->engine->name, slots < HISTORY_READ ? (int)slots : HISTORY_READ,
        stream, intake->history_after);
}

static void on_charged(void *arg, const redisReply *reply)
{
    struct intake *intake = arg;
    (void)reply; /* a lost one is not charged again: once too few beats once too many */
    if (--intake->charges == 0)
        next_step(intake);
}

/* Before any claim, so that the claim knows. */
static void charge(struct intake *intake)
{
    intake->charged = true;
    for (int i = 0; i < intake->left.count; i++) {
        const char *job = intake->left.jobs[i];
        char shard[5], key[80];
        fd_job_id_shard(job, strlen(job), shard);
        snprintf(key, sizeof(key), FD_KEY_JOB, shard, job);
        const char *argv[] = {key};
        log_warn(NULL, "job.crashed", LOG_STR("job", job));
        if (script_call(intake->engine->scripts, FD_SCRIPT_CHARGE, on_charged, intake, 1, 1, argv,
                        NULL))
            intake->charges++;
    }
}

/* -- life ------------------------------------------------------------------------------------- */

static void begin(struct intake *intake)
{
    char stream[32];
    intake->started = true;
    intake->history_shard = 0;
    snprintf(intake->history_after, sizeof(intake->history_after), "0");
    for (unsigned i = 0; i < intake->engine->shards; i++) {
        stream_of(stream, i);
        redis_call(intake->conn, NULL, NULL, "XGROUP CREATE %s %s 0 MKSTREAM", stream,
                   FD_GROUP_WORKERS);
    }
}

static void next_step(struct intake *intake)
{
    struct engine *engine = intake->engine;
    if (intake->stopped || intake->reading || engine->shards == 0 || intake->charges > 0 ||
        !redis_up(intake->conn) || !redis_up(engine->jobs))
        return;
    if (!intake->charged) {
        charge(intake);
        if (intake->charges > 0)
            return;
    }
    if (!intake->started)
        begin(intake);
    size_t slots = engine_free_slots(engine);
    if (slots == 0)
        return;
    if (intake->history_shard < engine->shards)
        read_history(intake, slots);
    else
        read_new(intake, slots);
}

static void on_timer(void *arg)
{
    next_step(arg);
}

static void on_up(void *arg)
{
    struct intake *intake = arg;
    intake->reading = intake->started = false;
    next_step(intake);
}

struct intake *intake_new(struct engine *engine, const struct crumb_left *left)
{
    struct intake *intake = calloc(1, sizeof(*intake));
    if (intake == NULL)
        abort();
    intake->engine = engine;
    intake->left = *left;
    intake->timer = timer_new(engine->loop, on_timer, intake);
    struct redis_options options = {.name = "intake",
                                    .address = engine->config->jobs_redis,
                                    .on_up = on_up,
                                    .arg = intake,
                                    .command_timeout_ms = SILENT_MS};
    intake->conn = redis_new(engine->loop, &options);
    if (intake->conn == NULL) {
        intake_free(intake);
        return NULL;
    }
    return intake;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    redis_free(intake->conn);
    timer_free(intake->timer);
    free(intake);
}

void intake_start(struct intake *intake)
{
    next_step(intake);
}

void intake_wake(struct intake *intake)
{
    next_step(intake);
}

/* The blocked read ends with its connection: nothing more is delivered. */
void intake_stop(struct intake *intake)
{
    intake->stopped = true;
    timer_stop(intake->timer);
    redis_free(intake->conn);
    intake->conn = NULL;
}
