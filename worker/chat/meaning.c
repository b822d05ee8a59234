#include "chat/meaning.h"

#include "chat/charge.h"
#include "chat/embed_call.h"
#include "chat/meters.h"
#include "chat/seat.h"
#include "context/embedding_search.h"
#include "context/embedding_store.h"
#include "core/breaker.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "llm/tokens.h"
#include "protocol/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION(key, len, hash) HASH_FNV(key, len, hash)
#include <uthash.h>
#include <utlist.h>

#define KEPT_MAX   4096   /* organisations, with vectors or without */
#define READ_PAUSE 10000  /* at least between two readings of an organisation */
#define FULL_PAUSE 600000 /* the same, where there was no room */
#define MODEL_SIZE 144

struct meaning_index {
    struct vectors *vectors;
    unsigned holders;
};

struct meaning_vector {
    struct meaning_index *index; /* held; NULL: PostgreSQL searches */
    char model[MODEL_SIZE];
    int dimensions;
    float values[];
};

/* What is known of an organisation. */
struct kept {
    char org[37];
    char model[MODEL_SIZE];      /* that the index is of */
    int64_t version;             /* of the vectors, as far as they were read */
    struct meaning_index *index; /* NULL: not read, or nothing is there */
    bool reading;
    int64_t not_before; /* monotonic; of the next reading */
    int64_t used_ms;
    struct breaker breaker;
    UT_hash_handle hh;
};

struct meaning {
    struct engine *engine;
    struct kept *by_org;
    size_t bytes;
    bool reading; /* one organisation's at a time: what they take meanwhile is bounded, too */
    struct meaning_ask *asks;
};

struct meaning_ask {
    struct meaning *meaning;
    struct meaning_ask *prev, *next;
    struct arena arena;
    char org[37];
    struct meaning_index *index; /* held; NULL: PostgreSQL searches */
    struct embed_call *call;
    struct embed_target target;
    int64_t tokens;
    int64_t began_ms;
    void (*on_end)(void *arg, struct meaning_vector *vector);
    void *arg;
};

/* -- indexes ---------------------------------------------------------------------------------- */

static void release(struct meaning_index *index)
{
    if (index == NULL || --index->holders > 0)
        return;
    vectors_free(index->vectors);
    free(index);
}

static size_t bound(const struct meaning *meaning)
{
    return (size_t)meaning->engine->config->embedding_cache_mb << 20;
}

static void drop_index(struct meaning *meaning, struct kept *kept)
{
    kept->version = -1;
    if (kept->index == NULL)
        return;
    meaning->bytes -= vectors_bytes(kept->index->vectors);
    metric_set(meters.vectors_bytes, NULL, (double)meaning->bytes);
    release(kept->index);
    kept->index = NULL;
}

/* Those that were not asked for longest go, but not `but`, of which `more` is being read. */
static void make_room(struct meaning *meaning, const struct kept *but, size_t more)
{
    while (meaning->bytes + more > bound(meaning)) {
        struct kept *oldest = NULL, *kept, *next;
        HASH_ITER (hh, meaning->by_org, kept, next) {
            if (kept != but && kept->index != NULL &&
                (oldest == NULL || kept->used_ms < oldest->used_ms))
                oldest = kept;
        }
        if (oldest == NULL)
            return;
        drop_index(meaning, oldest);
    }
}

static struct kept *keep(struct meaning *meaning, const char *org)
{
    struct kept *kept, *next;
    HASH_FIND_STR(meaning->by_org, org, kept);
    if (kept != NULL)
        return kept;
    HASH_ITER (hh, meaning->by_org, kept, next) {
        if (HASH_COUNT(meaning->by_org) < KEPT_MAX)
            break;
        if (kept->reading)
            continue;
        drop_index(meaning, kept);
        HASH_DEL(meaning->by_org, kept);
        free(kept);
    }
    kept = calloc(1, sizeof(*kept));
    if (kept == NULL)
        abort();
    memcpy(kept->org, org, sizeof(kept->org));
    kept->version = -1;
    HASH_ADD_STR(meaning->by_org, org, kept);
    return kept;
}

/* -- reading them ----------------------------------------------------------------------------- */

struct reading {
    struct meaning *meaning;
    struct kept *kept;
    char model[MODEL_SIZE];
    int64_t version;
    char after[37];
    struct vectors *vectors;
    bool more, full;
    enum db_status status;
};

static void run_page(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct reading *r = arg;
    r->status = embedding_page(seat->db, r->kept->org, r->model, r->after, &r->vectors,
                               bound(r->meaning), &r->more, &r->full);
}

static void take_index(struct reading *r)
{
    struct meaning *meaning = r->meaning;
    struct kept *kept = r->kept;
    drop_index(meaning, kept);
    kept->version = r->version;
    snprintf(kept->model, sizeof(kept->model), "%s", r->model);
    if (r->vectors == NULL)
        return;
    kept->index = calloc(1, sizeof(*kept->index));
    if (kept->index == NULL)
        abort();
    *kept->index = (struct meaning_index){.vectors = r->vectors, .holders = 1};
    meaning->bytes += vectors_bytes(r->vectors);
    r->vectors = NULL;
    make_room(meaning, kept, 0);
    metric_set(meters.vectors_bytes, NULL, (double)meaning->bytes);
}

static void read_over(struct reading *r, bool whole)
{
    const struct log_context ctx = {.org_id = r->kept->org};
    int64_t pause = r->full ? FULL_PAUSE : READ_PAUSE;
    if (whole)
        take_index(r);
    else if (r->full)
        log_warn(&ctx, "vectors.no_room", LOG_INT("vectors", vectors_count(r->vectors)),
                 LOG_INT("bound_mb", r->meaning->engine->config->embedding_cache_mb));
    if (r->full)
        drop_index(r->meaning, r->kept);
    r->kept->reading = r->meaning->reading = false;
    r->kept->not_before = clock_mono_ms() + pause;
    vectors_free(r->vectors);
    free(r);
}

static void page_done(void *arg, bool ran)
{
    struct reading *r = arg;
    bool good = ran && r->status == DB_OK && !r->full;
    if (r->vectors != NULL)
        make_room(r->meaning, r->kept, vectors_bytes(r->vectors));
    if (good && r->more && pool_submit(r->meaning->engine->pool, run_page, page_done, r))
        return;
    read_over(r, good && !r->more);
}

static void read_index(struct meaning *meaning, struct kept *kept, const char *model,
                       int64_t version)
{
    struct reading *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    *r = (struct reading){.meaning = meaning, .kept = kept, .version = version};
    snprintf(r->model, sizeof(r->model), "%s", model);
    kept->reading = meaning->reading = pool_submit(meaning->engine->pool, run_page, page_done, r);
    if (!kept->reading)
        free(r);
}

/* The index as it is, held; a newer one is read meanwhile, or from a later question on where
 * another's is being read. NULL: there is none yet. */
static struct meaning_index *hold_index(struct meaning *meaning, struct kept *kept,
                                        const char *model, int64_t version)
{
    bool same = strcmp(kept->model, model) == 0;
    bool stale = !same || kept->version != version;
    if (stale && !meaning->reading && clock_mono_ms() >= kept->not_before)
        read_index(meaning, kept, model, version);
    if (!same || kept->index == NULL)
        return NULL;
    kept->index->holders++;
    return kept->index;
}

/* -- what a question costs ----------------------------------------------------------------------
 */

struct payment {
    char org[37];
    char id[40];
    char provider[16], model[MODEL_SIZE];
    struct answer_attempt attempt;
};

static void run_pay(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct payment *p = arg;
    const struct charge charge = {.org = p->org, .id = p->id, .epoch = 1, .kind = "embedding"};
    const struct log_context ctx = {.org_id = p->org};
    if (charge_settle(seat->db, &charge, &p->attempt) != DB_OK)
        log_error(&ctx, "embedding.not_settled", LOG_STR("error", db_error(seat->db)));
}

static void pay_done(void *arg, bool ran)
{
    (void)ran;
    free(arg);
}

/* result NULL: nobody waits for it any more. */
static void pay(const struct meaning_ask *ask, const struct embed_result *result)
{
    struct answer_attempt attempt;
    uint64_t number;
    if (!embed_cost(&ask->target, result, ask->tokens, &attempt))
        return;
    struct payment *p = calloc(1, sizeof(*p));
    if (p == NULL)
        abort();
    fd_random(&number, sizeof(number));
    memcpy(p->org, ask->org, sizeof(p->org));
    snprintf(p->id, sizeof(p->id), "question:%016" PRIx64, number);
    snprintf(p->provider, sizeof(p->provider), "%s", attempt.provider);
    snprintf(p->model, sizeof(p->model), "%s", attempt.model);
    p->attempt = attempt;
    p->attempt.provider = p->provider;
    p->attempt.model = p->model;
    if (!pool_submit(ask->meaning->engine->pool, run_pay, pay_done, p))
        free(p);
}

/* -- asking -------------------------------------------------------------------------------------
 */

static void ask_free(struct meaning_ask *ask)
{
    DL_DELETE(ask->meaning->asks, ask);
    release(ask->index);
    arena_free(&ask->arena);
    free(ask);
}

static void tell_breaker(struct meaning_ask *ask, const struct embed_result *result)
{
    struct kept *kept;
    HASH_FIND_STR(ask->meaning->by_org, ask->org, kept);
    if (kept == NULL)
        return;
    if (result->vectors != NULL)
        breaker_success(&kept->breaker);
    else if (result->fault)
        breaker_failure(&kept->breaker, clock_mono_ms());
    else
        breaker_abandon(&kept->breaker);
}

static struct meaning_vector *take_vector(struct meaning_ask *ask,
                                          const struct embedding_vectors *vectors)
{
    size_t size = (size_t)vectors->dimensions * sizeof(float);
    struct meaning_vector *vector = malloc(sizeof(*vector) + size);
    if (vector == NULL)
        abort();
    vector->index = ask->index;
    ask->index = NULL;
    vector->dimensions = vectors->dimensions;
    snprintf(vector->model, sizeof(vector->model), "%s", ask->target.name);
    memcpy(vector->values, vectors->values, size);
    return vector;
}

static void on_vector(void *arg, const struct embed_result *result)
{
    struct meaning_ask *ask = arg;
    const struct embedding_vectors *vectors = result->vectors;
    const struct log_context ctx = {.org_id = ask->org};
    struct meaning_vector *vector = NULL;
    ask->call = NULL;
    tell_breaker(ask, result);
    bool fits = vectors != NULL && (ask->index == NULL ||
                                    vectors->dimensions == vectors_dimensions(ask->index->vectors));
    if (fits) {
        vector = take_vector(ask, vectors);
    } else {
        log_warn(&ctx, "embedding.words_alone", LOG_STR("model", ask->target.name),
                 LOG_STR("error",
                         vectors != NULL ? "other dimensions than the sections'" : result->error));
    }
    pay(ask, result);
    metric_add(meters.meaning, fits ? "found" : "failed", 1);
    metric_observe(meters.meaning_time, NULL, (double)(clock_mono_ms() - ask->began_ms) / 1000.0);
    ask->on_end(ask->arg, vector);
    ask_free(ask);
}

static struct meaning_ask *start(struct meaning *meaning, const struct tenant *tenant,
                                 struct meaning_index *index, const char *model,
                                 const char *question)
{
    struct meaning_ask *ask = calloc(1, sizeof(*ask));
    struct engine *engine = meaning->engine;
    if (ask == NULL)
        abort();
    ask->meaning = meaning;
    arena_init(&ask->arena);
    memcpy(ask->org, tenant->org, sizeof(ask->org));
    ask->index = index;
    ask->tokens = tokens_estimate(question, strlen(question));
    ask->began_ms = clock_mono_ms();
    struct embed_target target;
    (void)embed_target_of(&ask->arena, engine->config, tenant, &target);
    ask->target = target;
    ask->target.name = arena_strdup(&ask->arena, model);
    ask->target.model = arena_strdup(&ask->arena, target.model);
    ask->target.provider = arena_strdup(&ask->arena, target.provider);
    ask->target.url = ask->target.api_key = NULL; /* the tenant may go before the answer comes */
    DL_APPEND(meaning->asks, ask);
    ask->call = embed_call_start(engine, &target, &question, 1, engine->config->embedding_ms,
                                 on_vector, ask);
    if (ask->call != NULL)
        return ask;
    ask->index = NULL; /* the caller's still */
    ask_free(ask);
    return NULL;
}

/* Asks, or says why not. */
static const char *ask_about(struct meaning *meaning, const struct tenant *tenant,
                             const struct embed_target *target, const char *question,
                             struct meaning_ask **ask)
{
    struct kept *kept = keep(meaning, tenant->org);
    struct meaning_index *index = NULL;
    kept->used_ms = clock_mono_ms();
    if (tenant->vectors.in_database)
        drop_index(meaning, kept);
    else
        index = hold_index(meaning, kept, target->name, tenant->vectors.version);
    if (index == NULL && !(tenant->vectors.in_database && tenant->vectors.version > 0))
        return "not_ready";
    bool affordable = embed_may_spend(tenant, target->model);
    if (affordable && breaker_allows(&kept->breaker, clock_mono_ms())) {
        *ask = start(meaning, tenant, index, target->name, question);
        if (*ask == NULL)
            breaker_abandon(&kept->breaker);
    }
    if (*ask == NULL)
        release(index);
    return affordable ? "breaker" : "budget";
}

struct meaning_ask *meaning_ask(struct meaning *meaning, const struct tenant *tenant,
                                const char *question,
                                void (*on_end)(void *arg, struct meaning_vector *vector), void *arg)
{
    struct embed_target target;
    struct meaning_ask *ask = NULL;
    const char *why = "off";
    struct arena a;

    arena_init(&a);
    if (embed_target_of(&a, meaning->engine->config, tenant, &target))
        why = ask_about(meaning, tenant, &target, question, &ask);
    arena_free(&a);
    if (ask == NULL) {
        metric_add(meters.meaning, why, 1);
        return NULL;
    }
    ask->on_end = on_end;
    ask->arg = arg;
    return ask;
}

static void abandon(struct meaning_ask *ask)
{
    const struct embed_result cancelled = {0};
    tell_breaker(ask, &cancelled);
    if (ask->call != NULL)
        embed_call_cancel(ask->call);
    ask_free(ask);
}

void meaning_cancel(struct meaning_ask *ask)
{
    pay(ask, NULL);
    abandon(ask);
}

/* -- searching ----------------------------------------------------------------------------------
 */

enum db_status meaning_search(struct db *db, struct arena *a, const char *org,
                              const struct meaning_vector *vector, struct ranked **found,
                              size_t *count)
{
    const struct embedding_question question = {vector->model, vector->values, vector->dimensions};
    if (vector->index == NULL)
        return embedding_search(db, a, org, &question, found, count);
    *count = vectors_search(vector->index->vectors, a, vector->values, found);
    return DB_OK;
}

void meaning_vector_free(struct meaning_vector *vector)
{
    if (vector != NULL)
        release(vector->index);
    free(vector);
}

struct meaning *meaning_new(struct engine *engine)
{
    struct meaning *meaning = calloc(1, sizeof(*meaning));
    if (meaning == NULL)
        abort();
    meaning->engine = engine;
    return meaning;
}

void meaning_free(struct meaning *meaning)
{
    struct kept *kept, *next;
    if (meaning == NULL)
        return;
    while (meaning->asks != NULL)
        abandon(meaning->asks);
    HASH_ITER (hh, meaning->by_org, kept, next) {
        drop_index(meaning, kept);
        HASH_DEL(meaning->by_org, kept);
        free(kept);
    }
    free(meaning);
}
