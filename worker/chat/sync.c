#include "chat/sync.h"

#include "chat/meters.h"
#include "chat/seat.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "db/partition.h"
#include "protocol/keys.h"
#include "tenant/publish.h"
#include "tenant/sightings.h"

#include <sodium.h>
#include <stdlib.h>

#define RETRY_MS 1000

struct sync {
    struct engine *engine;
    struct timer *timer;
    void (*on_shards)(void *arg);
    void *arg;
    bool running;
    bool again; /* asked for while it ran */
    bool asking;
    enum publish_status published;
    enum db_status partitioned;
    char error[256];
};

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct sync *sync = arg;
    sync->published = publish_all(seat->db, sync->engine->config, sync->error);
    sync->partitioned = partition_ensure(seat->db);
    sightings_collect(seat->db, sync->engine->config);
}

static void take_session_key(struct engine *engine, const redisReply *hex)
{
    size_t len = 0;
    engine->has_session_key = hex->type == REDIS_REPLY_STRING &&
                              sodium_hex2bin(engine->session_key, sizeof(engine->session_key),
                                             hex->str, hex->len, NULL, &len, NULL) == 0 &&
                              len == sizeof(engine->session_key);
}

static void on_shards(void *arg, const redisReply *reply)
{
    struct sync *sync = arg;
    struct engine *engine = sync->engine;
    sync->asking = false;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING || engine->shards > 0)
        return;
    take_session_key(engine, reply->element[1]);
    long shards = strtol(reply->element[0]->str, NULL, 10);
    if (shards != PUBLISH_SHARDS) {
        log_error(
            NULL, "sync.bad_shards", LOG_INT("shards", shards),
            LOG_STR("error", "fd:meta was made for another number of shards; no job is taken"));
        return;
    }
    engine->shards = (unsigned)shards;
    sync->on_shards(sync->arg);
}

/* Known from an earlier start, it does not wait for PostgreSQL. */
static void ask_shards(struct sync *sync)
{
    if (sync->engine->shards == 0 && !sync->asking)
        sync->asking = redis_call(sync->engine->jobs, on_shards, sync,
                                  "HMGET %s shards session_key", FD_KEY_META);
}

static void done(void *arg, bool ran)
{
    struct sync *sync = arg;
    sync->running = false;
    bool failed = !ran || sync->published != PUBLISH_OK || sync->partitioned != DB_OK;
    if (failed) {
        metric_add(meters.sync_failures, NULL, 1);
        log_warn(NULL, "sync.failed", LOG_STR("error", ran ? sync->error : "stopped"));
    }
    ask_shards(sync);
    timer_set(sync->timer, failed || sync->again ? RETRY_MS : sync->engine->config->sync_ms);
    sync->again = false;
}

static void on_timer(void *arg)
{
    struct sync *sync = arg;
    ask_shards(sync);
    if (sync->running)
        return;
    sync->error[0] = '\0';
    sync->running = pool_submit(sync->engine->pool, run, done, sync);
    if (!sync->running)
        timer_set(sync->timer, RETRY_MS);
}

struct sync *sync_new(struct engine *engine, void (*fn)(void *arg), void *arg)
{
    struct sync *sync = calloc(1, sizeof(*sync));
    if (sync == NULL)
        abort();
    sync->engine = engine;
    sync->on_shards = fn;
    sync->arg = arg;
    sync->timer = timer_new(engine->loop, on_timer, sync);
    timer_set(sync->timer, 0);
    return sync;
}

void sync_free(struct sync *sync)
{
    if (sync == NULL)
        return;
    timer_free(sync->timer);
    free(sync);
}

void sync_soon(struct sync *sync)
{
    ask_shards(sync);
    if (sync->running)
        sync->again = true;
    else
        timer_set(sync->timer, 0);
}
