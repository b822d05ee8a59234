#include "chat/watch.h"

#include "chat/job.h"
#include "chat/meters.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/pool.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS     1000
#define ASK_MS      10000 /* for listeners, while a job is silent */
#define PROBE_EVERY 5     /* ticks */

struct watch {
    struct engine *engine;
    struct timer *timer;
    unsigned ticks;
    int64_t asked_us; /* of the running probe */
    int64_t live_asked_us;
    unsigned queue_shard; /* of the running count */
    double queue_length;
    double queue_age;
};

/* -- jobs --------------------------------------------------------------------------------- */

static void look_at(struct job *job, int64_t now_ms, int64_t ask_every_ms)
{
    struct engine *engine = job->engine;
    outbox_tick(&job->outbox, now_ms, ask_every_ms);
    if (engine_now(engine) >= job->entry.deadline_ms)
        job_advance(job, &(struct job_event){.type = JOB_EV_DEADLINE});
    else if (!job_is_unattended(job) &&
             outbox_silence(&job->outbox, now_ms) >= engine->config->abandoned_ms)
        job_advance(job, &(struct job_event){.type = JOB_EV_ABANDONED});
}

static void look_at_jobs(struct engine *engine)
{
    int64_t now = clock_mono_ms();
    int64_t third = engine->config->abandoned_ms / 3;
    struct job *job = NULL, *next;
    HASH_ITER (hh, engine->running, job, next) {
        look_at(job, now, third < ASK_MS ? third : ASK_MS);
    }
}

/* -- servers -------------------------------------------------------------------------------- */

static void on_time(void *arg, const redisReply *reply)
{
    struct watch *watch = arg;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
        return;
    int64_t now_us = clock_mono_us();
    int64_t unix_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000 +
                      strtoll(reply->element[1]->str, NULL, 10) / 1000;
    watch->engine->clock_offset = unix_ms - (watch->asked_us + now_us) / 2000;
    metric_set(meters.redis_seconds, "jobs", (double)(now_us - watch->asked_us) / 1e6);
}

static void ask_time(struct watch *watch)
{
    watch->asked_us = clock_mono_us();
    redis_call(watch->engine->jobs, on_time, watch, "TIME");
}

static long long info_field(const char *info, const char *name)
{
    const char *at = strstr(info, name);
    return at != NULL ? strtoll(at + strlen(name), NULL, 10) : 0;
}

static void on_memory(void *arg, const redisReply *reply)
{
    struct watch *watch = arg;
    if (reply == NULL || reply->type != REDIS_REPLY_STRING)
        return;
    long long most = info_field(reply->str, "\nmaxmemory:");
    watch->engine->live_pressed = most > 0 && info_field(reply->str, "\nused_memory:") > most / 2;
    metric_set(meters.redis_seconds, "live",
               (double)(clock_mono_us() - watch->live_asked_us) / 1e6);
}

static void on_oldest(void *arg, const redisReply *reply)
{
    struct watch *watch = arg;
    struct engine *engine = watch->engine;
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 1) {
        int64_t born = strtoll(reply->element[0]->element[0]->str, NULL, 10);
        double age = (double)(engine_now(engine) - born) / 1000.0;
        if (age > watch->queue_age)
            watch->queue_age = age;
    }
    if (++watch->queue_shard < engine->shards)
        return;
    metric_set(meters.queue_length, NULL, watch->queue_length);
    metric_set(meters.queue_age, NULL, watch->queue_age);
}

static void on_length(void *arg, const redisReply *reply)
{
    struct watch *watch = arg;
    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
        watch->queue_length += (double)reply->integer;
}

static void measure_queue(struct watch *watch)
{
    struct engine *engine = watch->engine;
    watch->queue_shard = 0;
    watch->queue_length = watch->queue_age = 0;
    for (unsigned i = 0; i < engine->shards; i++) {
        char shard[12], stream[40];
        snprintf(shard, sizeof(shard), "%u", i);
        snprintf(stream, sizeof(stream), FD_KEY_JOBS, shard);
        redis_call(engine->jobs, on_length, watch, "XLEN %s", stream);
        redis_call(engine->jobs, on_oldest, watch, "XRANGE %s - + COUNT 1", stream);
    }
}

static void measure(struct watch *watch)
{
    struct engine *engine = watch->engine;
    metric_set(meters.redis_up, "jobs", redis_up(engine->jobs));
    metric_set(meters.redis_up, "live", redis_up(engine->live));
    metric_set(meters.redis_pending, "jobs", (double)redis_pending(engine->jobs));
    metric_set(meters.redis_pending, "live", (double)redis_pending(engine->live));
    metric_set(meters.pool_queue, NULL, (double)pool_queued(engine->pool));
}

static void on_timer(void *arg)
{
    struct watch *watch = arg;
    timer_set(watch->timer, TICK_MS);
    look_at_jobs(watch->engine);
    measure(watch);
    if (watch->ticks++ % PROBE_EVERY != 0)
        return;
    ask_time(watch);
    watch->live_asked_us = clock_mono_us();
    redis_call(watch->engine->live, on_memory, watch, "INFO memory");
    measure_queue(watch);
}

struct watch *watch_new(struct engine *engine)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        abort();
    watch->engine = engine;
    watch->timer = timer_new(engine->loop, on_timer, watch);
    timer_set(watch->timer, TICK_MS);
    engine->clock_offset = clock_wall_ms() - clock_mono_ms(); /* until the server was asked */
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    timer_free(watch->timer);
    free(watch);
}

void watch_jobs_up(struct watch *watch)
{
    ask_time(watch);
}
