#include "chat/lease.h"

#include "chat/job.h"
#include "chat/meters.h"
#include "core/clock.h"
#include "core/loop.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX  64  /* jobs of one heartbeat script */
#define SWEEP_MAX  100 /* entries that one sweep looks at */
#define PEERS_MAX  256 /* workers that a sweep tells apart */
#define ENTRY_SIZE 44

struct peer {
    char name[128];
    int64_t lease_end; /* the jobs server's clock */
};

struct lease {
    struct engine *engine;
    struct timer *timer;
    int64_t patient_until; /* monotonic ms: other workers may still come back */
    struct peer peers[PEERS_MAX];
    size_t peer_count;
    /* entries that the last sweep found idle, of all shards */
    char (*seen)[ENTRY_SIZE];
    size_t seen_count;
    char (*found)[ENTRY_SIZE]; /* the running sweep's */
    size_t found_count;
    size_t entries_cap;
    void (*on_left)(void *arg);
    void *left_arg;
    size_t leaving; /* scripts without an answer */
};

/* -- heartbeat -------------------------------------------------------------------------------- */

struct beat {
    struct lease *lease;
    bool leaves;
    size_t count;
    handle jobs[BATCH_MAX];
};

static void on_beat(void *arg, const redisReply *reply)
{
    struct beat *beat = arg;
    struct lease *lease = beat->lease;
    bool answered = reply != NULL && reply->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; answered && !beat->leaves && i < reply->elements && i < beat->count; i++) {
        const char *verdict = reply->element[i]->str;
        if (strcmp(verdict, "cancel") == 0)
            job_post(beat->jobs[i], &(struct job_event){.type = JOB_EV_CANCEL});
        else if (strcmp(verdict, "lost") == 0)
            job_post(beat->jobs[i], &(struct job_event){.type = JOB_EV_LOST});
    }
    if (beat->leaves && --lease->leaving == 0)
        lease->on_left(lease->left_arg);
    free(beat);
}

/* Arguments of a script call, written into one place. */
struct args {
    char text[2 * BATCH_MAX * 64 + 1024];
    size_t used;
    const char *argv[3 * BATCH_MAX + 16];
    size_t lens[3 * BATCH_MAX + 16];
    int argc;
};

__attribute__((format(printf, 2, 3))) static void add(struct args *args, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    size_t room = sizeof(args->text) - args->used;
    int len = vsnprintf(args->text + args->used, room, format, list);
    va_end(list);
    if (len < 0 || (size_t)len >= room)
        abort(); /* ids have bounded sizes */
    args->argv[args->argc] = args->text + args->used;
    args->lens[args->argc++] = (size_t)len;
    args->used += (size_t)len + 1;
}

static void send_beat(struct lease *lease, const char *shard, struct job *const *jobs,
                      struct beat *beat)
{
    struct engine *engine = lease->engine;
    struct args args = {.used = 0};
    add(&args, FD_KEY_JOBS, shard);
    add(&args, FD_KEY_ALIVE, shard);
    for (size_t i = 0; i < beat->count; i++)
        add(&args, FD_KEY_JOB, shard, jobs[i]->entry.id);
    int nkeys = args.argc;
    add(&args, "%s", FD_GROUP_WORKERS);
    add(&args, "%s", engine->name);
    add(&args, "%d", beat->leaves ? 0 : 3 * engine->config->heartbeat_ms);
    add(&args, "%d", beat->leaves ? engine->config->takeover_idle_ms + 1000 : 0);
    add(&args, "%d", FD_JOB_LINGER_MS);
    for (size_t i = 0; i < beat->count; i++) {
        add(&args, "%s", jobs[i]->entry.entry);
        add(&args, "%u", jobs[i]->epoch);
    }
    bool sent = script_call(engine->scripts, FD_SCRIPT_HEARTBEAT, on_beat, beat, nkeys, args.argc,
                            args.argv, args.lens);
    if (!sent)
        free(beat);
    else if (beat->leaves)
        lease->leaving++;
}

static struct beat *new_beat(struct lease *lease, bool leaves)
{
    struct beat *beat = calloc(1, sizeof(*beat));
    if (beat == NULL)
        abort();
    beat->lease = lease;
    beat->leaves = leaves;
    return beat;
}

/* At least one script a shard: it renews the worker's own lease as well. */
static void beat_shard(struct lease *lease, const char *shard, bool leaves)
{
    struct job *batch[BATCH_MAX];
    struct job *job, *next;
    struct beat *beat = new_beat(lease, leaves);
    HASH_ITER (hh, lease->engine->running, job, next) {
        if (strcmp(job->entry.shard, shard) != 0)
            continue;
        if (beat->count == BATCH_MAX) {
            send_beat(lease, shard, batch, beat);
            beat = new_beat(lease, leaves);
        }
        batch[beat->count] = job;
        beat->jobs[beat->count++] = job->self;
    }
    send_beat(lease, shard, batch, beat);
}

static void shard_name(char out[5], unsigned shard)
{
    snprintf(out, 5, "%u", shard % 10000);
}

static void beat_all(struct lease *lease, bool leaves)
{
    char shard[5];
    for (unsigned i = 0; i < lease->engine->shards; i++) {
        shard_name(shard, i);
        beat_shard(lease, shard, leaves);
    }
}

void lease_leave(struct lease *lease, void (*fn)(void *arg), void *arg)
{
    lease->on_left = fn;
    lease->left_arg = arg;
    timer_stop(lease->timer);
    beat_all(lease, true);
    if (lease->leaving == 0)
        fn(arg);
}

/* -- taking over --------------------------------------------------------------------------------
 */

struct take {
    struct engine *engine;
    char shard[5];
    char id[ENTRY_SIZE];
    int64_t min_idle_ms;
    struct arena arena; /* becomes the job's */
    struct job_entry entry;
};

void lease_discard(struct engine *engine, const char *shard, const char *entry, const char *why)
{
    char jobs[32], dead[32];
    snprintf(jobs, sizeof(jobs), FD_KEY_JOBS, shard);
    snprintf(dead, sizeof(dead), FD_KEY_DEAD, shard);
    log_error(NULL, "entry.discarded", LOG_STR("entry", entry), LOG_STR("why", why));
    redis_call(engine->jobs, NULL, NULL, "XADD %s MAXLEN ~ 10000 * job %s org - reason %s", dead,
               entry, why);
    redis_call(engine->jobs, NULL, NULL, "XACK %s %s %s", jobs, FD_GROUP_WORKERS, entry);
    redis_call(engine->jobs, NULL, NULL, "XDEL %s %s", jobs, entry);
}

static void take_free(struct take *take)
{
    take->engine->taking--;
    arena_free(&take->arena);
    free(take);
}

static void on_claimed(void *arg, const redisReply *reply)
{
    struct take *take = arg;
    bool claimed = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
    if (claimed && job_find(take->engine, take->entry.id) == NULL) {
        uint32_t epoch = (uint32_t)reply->element[0]->integer;
        if (epoch == 0)
            epoch = JOB_EPOCH_EXPIRED + (uint32_t)(engine_now(take->engine) / 1000 % 1000000000);
        metric_add(meters.taken_over, NULL, 1);
        job_start(take->engine, &take->arena, &take->entry, epoch, (int)reply->element[1]->integer,
                  reply->element[2]->integer == 1);
        arena_init(&take->arena);
    }
    take_free(take); /* else somebody was faster, or a later sweep finds it again */
}

static bool send_claim(struct take *take)
{
    struct args args = {.used = 0};
    add(&args, FD_KEY_JOBS, take->shard);
    add(&args, FD_KEY_JOB, take->shard, take->entry.id);
    add(&args, "%s", FD_GROUP_WORKERS);
    add(&args, "%s", take->engine->name);
    add(&args, "%s", take->id);
    add(&args, "%lld", (long long)take->min_idle_ms);
    return script_call(take->engine->scripts, FD_SCRIPT_CLAIM, on_claimed, take, 2, args.argc,
                       args.argv, args.lens);
}

static void on_body(void *arg, const redisReply *reply)
{
    struct take *take = arg;
    const char *error = "gone";
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        take_free(take);
        return;
    }
    bool read =
        reply->elements > 0 && entry_read(&take->arena, reply->element[0], &take->entry, &error);
    if (!read)
        lease_discard(take->engine, take->shard, take->id, error);
    if (!read || !send_claim(take))
        take_free(take);
}

void lease_take(struct engine *engine, const char *shard, const char *entry, int64_t min_idle_ms)
{
    struct take *take = calloc(1, sizeof(*take));
    if (take == NULL)
        abort();
    take->engine = engine;
    take->min_idle_ms = min_idle_ms;
    snprintf(take->shard, sizeof(take->shard), "%s", shard);
    snprintf(take->id, sizeof(take->id), "%s", entry);
    arena_init(&take->arena);
    char stream[32];
    snprintf(stream, sizeof(stream), FD_KEY_JOBS, shard);
    engine->taking++;
    if (!redis_call(engine->jobs, on_body, take, "XRANGE %s %s %s", stream, entry, entry))
        take_free(take);
}

/* -- the sweep ------------------------------------------------------------------------------------
 */

struct sweep {
    struct lease *lease;
    char shard[5];
};

static void on_peers(void *arg, const redisReply *reply)
{
    struct lease *lease = arg;
    lease->peer_count = 0;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
        return;
    for (size_t i = 0; i + 1 < reply->elements && lease->peer_count < PEERS_MAX; i += 2) {
        struct peer *peer = &lease->peers[lease->peer_count++];
        snprintf(peer->name, sizeof(peer->name), "%s", reply->element[i]->str);
        peer->lease_end = strtoll(reply->element[i + 1]->str, NULL, 10);
    }
}

static const struct peer *find_peer(const struct lease *lease, const char *name)
{
    for (size_t i = 0; i < lease->peer_count; i++) {
        if (strcmp(lease->peers[i].name, name) == 0)
            return &lease->peers[i];
    }
    return NULL;
}

static bool was_seen(const struct lease *lease, const char *entry)
{
    for (size_t i = 0; i < lease->seen_count; i++) {
        if (strcmp(lease->seen[i], entry) == 0)
            return true;
    }
    return false;
}

static void note(struct lease *lease, const char *entry)
{
    if (lease->found_count < lease->entries_cap)
        snprintf(lease->found[lease->found_count++], ENTRY_SIZE, "%s", entry);
}

/*
 * An idle entry is taken at once where its worker said good-bye. Where the worker
 * only fell silent, in the second sweep, and not right after an outage of Redis:
 * every job looks idle then, and whose worker lives must have the time to say so.
 */
static void consider(struct lease *lease, const char *shard, const char *entry,
                     const char *consumer)
{
    struct engine *engine = lease->engine;
    bool own = strcmp(consumer, engine->name) == 0;
    const struct peer *peer = find_peer(lease, consumer);
    bool alive = peer != NULL && peer->lease_end > engine_now(engine);
    if (own ? job_runs_entry(engine, entry) : alive)
        return;
    bool early =
        peer != NULL && (!was_seen(lease, entry) || clock_mono_ms() < lease->patient_until);
    if (early || engine->job_count + engine->taking >= (size_t)engine->config->job_slots) {
        note(lease, entry);
        return;
    }
    log_info(NULL, "job.take_over", LOG_STR("entry", entry), LOG_STR("from", consumer));
    lease_take(engine, shard, entry, engine->config->takeover_idle_ms);
}

static void on_pending(void *arg, const redisReply *reply)
{
    struct sweep *sweep = arg;
    struct lease *lease = sweep->lease;
    bool listed = reply != NULL && reply->type == REDIS_REPLY_ARRAY && !lease->engine->draining;
    for (size_t i = 0; listed && i < reply->elements; i++) {
        const redisReply *row = reply->element[i];
        if (row->type == REDIS_REPLY_ARRAY && row->elements >= 2)
            consider(lease, sweep->shard, row->element[0]->str, row->element[1]->str);
    }
    free(sweep);
}

static void sweep_shard(struct lease *lease, const char *shard)
{
    struct engine *engine = lease->engine;
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    char jobs[32], alive[32];
    if (sweep == NULL)
        abort();
    sweep->lease = lease;
    snprintf(sweep->shard, sizeof(sweep->shard), "%s", shard);
    snprintf(jobs, sizeof(jobs), FD_KEY_JOBS, shard);
    snprintf(alive, sizeof(alive), FD_KEY_ALIVE, shard);
    if (!redis_call(engine->jobs, on_peers, lease, "ZRANGE %s 0 -1 WITHSCORES", alive) ||
        !redis_call(engine->jobs, on_pending, sweep, "XPENDING %s %s IDLE %d - + %d", jobs,
                    FD_GROUP_WORKERS, engine->config->takeover_idle_ms, SWEEP_MAX))
        free(sweep);
}

static void sweep_all(struct lease *lease)
{
    char(*seen)[ENTRY_SIZE] = lease->seen;
    lease->seen = lease->found;
    lease->seen_count = lease->found_count;
    lease->found = seen;
    lease->found_count = 0;
    char shard[5];
    for (unsigned i = 0; i < lease->engine->shards; i++) {
        shard_name(shard, i);
        sweep_shard(lease, shard);
    }
}

/* -- life
 * ------------------------------------------------------------------------------------------ */

static void on_timer(void *arg)
{
    struct lease *lease = arg;
    timer_set(lease->timer, lease->engine->config->heartbeat_ms);
    if (!redis_up(lease->engine->jobs))
        return;
    beat_all(lease, false);
    sweep_all(lease);
}

struct lease *lease_new(struct engine *engine)
{
    struct lease *lease = calloc(1, sizeof(*lease));
    if (lease == NULL)
        abort();
    lease->engine = engine;
    lease->timer = timer_new(engine->loop, on_timer, lease);
    return lease;
}

void lease_free(struct lease *lease)
{
    if (lease == NULL)
        return;
    timer_free(lease->timer);
    free(lease->seen);
    free(lease->found);
    free(lease);
}

void lease_start(struct lease *lease)
{
    if (lease->entries_cap == 0) {
        lease->entries_cap = (size_t)SWEEP_MAX * lease->engine->shards;
        lease->seen = calloc(lease->entries_cap, ENTRY_SIZE);
        lease->found = calloc(lease->entries_cap, ENTRY_SIZE);
        if (lease->seen == NULL || lease->found == NULL)
            abort();
    }
    on_timer(lease);
}

void lease_jobs_up(struct lease *lease)
{
    lease->seen_count = lease->found_count = 0;
    if (lease->entries_cap == 0)
        return; /* the first time */
    lease->patient_until = clock_mono_ms() + lease->engine->config->takeover_idle_ms;
    on_timer(lease);
}
