#include "chat/embedder.h"

#include "chat/charge.h"
#include "chat/embed_call.h"
#include "chat/meters.h"
#include "chat/seat.h"
#include "context/embedding_store.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "llm/tokens.h"
#include "protocol/ids.h"
#include "protocol/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS   30000
#define PAUSE_MS  100 /* between two batches: others' requests go there, too */
#define REFUSED_S 900 /* a budget without room: later */
#define ID_SIZE   48

struct embedder {
    struct engine *engine;
    struct timer *timer;
    bool busy; /* a step is out: a thread's or a call */
    bool stopped;

    /* the organisation at work; org NULL: none */
    struct arena org_arena;
    const char *org;
    int64_t knowledge_version;
    struct tenant *tenant;
    struct embed_target target;
    int64_t made;

    /* the batch */
    struct arena arena;
    struct embedding_section list[EMBEDDING_BATCH];
    size_t count;
    const char *after; /* in org_arena */
    int64_t tokens;
    char charge_id[ID_SIZE];
    struct embed_call *call;
    float *values;
    int dimensions;
    struct answer_attempt attempt;

    enum db_status status;
    bool over; /* done with this organisation, or to be left to later: error says why */
    char error[192];
    int64_t wait_s;
};

static void wait_for(struct embedder *e, int64_t ms)
{
    e->busy = false;
    if (!e->stopped)
        timer_set(e->timer, ms);
}

static void forget_org(struct embedder *e)
{
    tenant_unref(e->tenant);
    e->tenant = NULL;
    e->org = NULL;
    e->after = NULL;
    e->made = 0;
    arena_free(&e->org_arena);
    arena_free(&e->arena);
}

static struct charge charge_of(const struct embedder *e)
{
    return (struct charge){.org = e->org, .id = e->charge_id, .epoch = 1, .kind = "embedding"};
}

/* -- on a thread: what is next ----------------------------------------------------------------- */

static void give_up(struct embedder *e, const char *why, int64_t wait_s)
{
    snprintf(e->error, sizeof(e->error), "%s", why);
    e->wait_s = wait_s;
    e->over = true;
}

static enum db_status reserve(struct embedder *e, struct db *db)
{
    unsigned char bytes[8];
    struct budget_word word;
    const struct embed_target *target = &e->target;
    fd_random(bytes, sizeof(bytes));
    uint64_t number;
    memcpy(&number, bytes, sizeof(number));
    snprintf(e->charge_id, sizeof(e->charge_id), "embedding:%016" PRIx64, number);
    if (target->own_key && !e->tenant->capped)
        return DB_OK; /* its own money, and no bound to it */
    struct budget_ask ask = {.org = e->org,
                             .job = e->charge_id,
                             .epoch = 1,
                             .owner = e->engine->owner,
                             .session = "",
                             .life_ms = CALL_MS,
                             .provider = target->provider,
                             .model = target->model,
                             .prompt_tokens = e->tokens};
    enum db_status status = budget_reserve(db, &ask, &word);
    if (status == DB_OK && word.verdict != BUDGET_GRANTED)
        give_up(e, "its budget has no room, or the model no price", REFUSED_S);
    return status;
}

static enum db_status next_batch(struct embedder *e, struct db *db)
{
    bool lost = false;
    arena_free(&e->arena);
    enum db_status status = embedding_next(db, &e->arena, e->org, e->engine->owner, e->target.name,
                                           e->after, e->list, &e->count, &lost);
    if (status != DB_OK)
        return status;
    if (lost) {
        e->over = true;
        return DB_OK;
    }
    if (e->count == 0) {
        e->over = true;
        return embedding_finish(db, e->org, e->engine->owner, e->target.name, e->knowledge_version);
    }
    e->after = arena_strdup(&e->org_arena, e->list[e->count - 1].id);
    e->tokens = 0;
    for (size_t i = 0; i < e->count; i++)
        e->tokens += tokens_estimate(e->list[i].text, strlen(e->list[i].text));
    return reserve(e, db);
}

static enum db_status claim(struct embedder *e, struct db *db)
{
    const struct config *config = e->engine->config;
    enum db_status status =
        embedding_claim(db, &e->org_arena, e->engine->owner, config->embedding_model, &e->org,
                        &e->knowledge_version);
    if (status != DB_OK || e->org == NULL)
        return status;
    status = tenant_load(db, config, e->org, &e->tenant);
    if (status != DB_OK)
        return status;
    if (e->tenant == NULL || !embed_target_of(&e->org_arena, config, e->tenant, &e->target))
        give_up(e, "its server cannot be used: see its key and its regions", 0);
    return DB_OK;
}

static void run_next(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct embedder *e = arg;
    e->over = false;
    e->error[0] = '\0';
    e->count = 0;
    e->status = e->org == NULL ? claim(e, seat->db) : DB_OK;
    if (e->status == DB_OK && e->org != NULL && !e->over)
        e->status = next_batch(e, seat->db);
    if (e->status == DB_OK && e->error[0] != '\0')
        e->status = embedding_fail(seat->db, e->org, e->engine->owner, e->error, e->wait_s);
}

/* -- on a thread: what came ----------------------------------------------------------------------
 */

static void run_store(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct embedder *e = arg;
    const struct charge charge = charge_of(e);
    e->status = DB_OK;
    if (e->values != NULL)
        e->status = embedding_put(seat->db, e->org, e->engine->owner, e->target.name, e->list,
                                  e->count, e->values, e->dimensions);
    enum db_status paid = e->attempt.provider != NULL
                              ? charge_settle(seat->db, &charge, &e->attempt)
                              : charge_drop(seat->db, &charge);
    if (e->status == DB_OK)
        e->status = paid;
    if (e->status == DB_OK && e->error[0] != '\0')
        e->status = embedding_fail(seat->db, e->org, e->engine->owner, e->error, e->wait_s);
}

static void tell_over(struct embedder *e)
{
    const struct log_context ctx = {.org_id = e->org};
    if (e->error[0] != '\0')
        log_warn(&ctx, "embedding.put_off", LOG_STR("model", e->target.name),
                 LOG_STR("error", e->error), LOG_INT("made", e->made));
    else if (e->made > 0)
        log_info(&ctx, "embedding.made", LOG_STR("model", e->target.name),
                 LOG_INT("made", e->made));
    if (e->made == 0)
        return;
    org_cache_forget(e->engine->tenants, e->org);
    redis_call(e->engine->live, NULL, NULL, "PUBLISH %s %s", FD_CHANNEL_CONTROL,
               arena_printf(&e->org_arena, "%s %s", FD_CONTROL_ORG, e->org));
}

static void store_done(void *arg, bool ran)
{
    struct embedder *e = arg;
    bool failed = !ran || e->status != DB_OK;
    free(e->values);
    if (!failed && e->values != NULL)
        e->made += (int64_t)e->count;
    e->values = NULL;
    if (failed || e->error[0] != '\0') {
        if (!failed)
            tell_over(e);
        forget_org(e); /* the claim ends by itself */
        wait_for(e, e->engine->config->sync_ms);
        return;
    }
    wait_for(e, PAUSE_MS);
}

/* -- the call -------------------------------------------------------------------------------- */

static void store(struct embedder *e)
{
    if (pool_submit(e->engine->pool, run_store, store_done, e))
        return;
    free(e->values);
    e->values = NULL;
    forget_org(e);
    wait_for(e, e->engine->config->sync_ms);
}

static void on_end(void *arg, const struct embed_result *result)
{
    struct embedder *e = arg;
    const struct embedding_vectors *vectors = result->vectors;
    e->call = NULL;
    if (!embed_cost(&e->target, result, e->tokens, &e->attempt))
        e->attempt = (struct answer_attempt){0};
    metric_add(meters.embeddings, vectors != NULL ? "made" : "failed", 1);
    if (vectors == NULL) {
        give_up(e, result->error, result->retry_after_s);
        store(e);
        return;
    }
    size_t size = vectors->count * (size_t)vectors->dimensions * sizeof(*e->values);
    e->values = malloc(size);
    if (e->values == NULL)
        abort();
    memcpy(e->values, vectors->values, size);
    e->dimensions = vectors->dimensions;
    store(e);
}

static void next_done(void *arg, bool ran)
{
    struct embedder *e = arg;
    const char *inputs[EMBEDDING_BATCH];
    if (!ran || e->status != DB_OK || e->org == NULL || e->over) {
        bool found = ran && e->status == DB_OK && e->org != NULL;
        if (found)
            tell_over(e);
        forget_org(e);
        wait_for(e, found ? 0 : e->engine->config->sync_ms);
        return;
    }
    for (size_t i = 0; i < e->count; i++)
        inputs[i] = e->list[i].text;
    if (!e->stopped)
        e->call = embed_call_start(e->engine, &e->target, inputs, e->count, CALL_MS, on_end, e);
    if (e->call == NULL) {
        give_up(e, "the request cannot be sent", 0);
        e->attempt = (struct answer_attempt){0};
        store(e);
    }
}

static void on_timer(void *arg)
{
    struct embedder *e = arg;
    if (e->stopped || e->busy)
        return;
    e->busy = true;
    if (!pool_submit(e->engine->pool, run_next, next_done, e))
        wait_for(e, e->engine->config->sync_ms);
}

/* -- life ------------------------------------------------------------------------------------- */

struct embedder *embedder_new(struct engine *engine)
{
    struct embedder *e = calloc(1, sizeof(*e));
    if (e == NULL)
        abort();
    e->engine = engine;
    arena_init(&e->arena);
    arena_init(&e->org_arena);
    e->timer = timer_new(engine->loop, on_timer, e);
    timer_set(e->timer, engine->config->sync_ms);
    return e;
}

void embedder_stop(struct embedder *embedder)
{
    embedder->stopped = true;
    timer_stop(embedder->timer);
    if (embedder->call != NULL)
        embed_call_cancel(embedder->call);
    embedder->call = NULL;
}

void embedder_free(struct embedder *embedder)
{
    if (embedder == NULL)
        return;
    free(embedder->values);
    forget_org(embedder);
    timer_free(embedder->timer);
    free(embedder);
}
