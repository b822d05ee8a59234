#include "chat/meaning_once.h"

#include "chat/charge.h"
#include "chat/embed_call.h"
#include "context/embedding_search.h"
#include "llm/tokens.h"
#include "protocol/ids.h"

#include <inttypes.h>
#include <string.h>

struct asked {
    struct arena *a;
    const struct embed_target *target;
    int64_t tokens; /* estimated */
    struct embedding_question question;
    bool charged;
    struct answer_attempt attempt;
};

static void on_end(void *arg, const struct embed_result *result)
{
    struct asked *asked = arg;
    const struct embedding_vectors *vectors = result->vectors;
    asked->charged = embed_cost(asked->target, result, asked->tokens, &asked->attempt);
    if (vectors == NULL)
        return;
    size_t size = (size_t)vectors->dimensions * sizeof(float);
    float *values = arena_alloc(asked->a, size);
    memcpy(values, vectors->values, size);
    asked->question = (struct embedding_question){asked->target->name, values, vectors->dimensions};
}

static enum db_status pay(struct db *db, const char *org, struct asked *asked)
{
    uint64_t number;
    fd_random(&number, sizeof(number));
    const struct charge charge = {.org = org,
                                  .id = arena_printf(asked->a, "question:%016" PRIx64, number),
                                  .epoch = 1,
                                  .kind = "embedding"};
    return asked->charged ? charge_settle(db, &charge, &asked->attempt) : DB_OK;
}

/* By whichever of the two searches it for a chat. */
static enum db_status search(struct db *db, const struct config *config,
                             const struct tenant *tenant, const struct asked *asked,
                             struct meaning_once *once)
{
    bool full = false;
    enum db_status status = tenant->vectors.in_database
                                ? embedding_search(db, asked->a, tenant->org, &asked->question,
                                                   &once->found, &once->count)
                                : embedding_scan(db, asked->a, tenant->org, &asked->question,
                                                 (size_t)config->embedding_cache_mb << 20,
                                                 &once->found, &once->count, &full);
    once->outcome = status != DB_OK ? "failed" : full ? "not_ready" : "found";
    return status == DB_LOST ? DB_LOST : DB_OK; /* words find all the same */
}

enum db_status meaning_once(struct db *db, const struct config *config, struct arena *a,
                            const struct tenant *tenant, const char *question,
                            struct meaning_once *once)
{
    struct embed_target target;
    struct asked asked = {
        .a = a, .target = &target, .tokens = tokens_estimate(question, strlen(question))};

    *once = (struct meaning_once){.outcome = "off"};
    if (!embed_target_of(a, config, tenant, &target))
        return DB_OK;
    once->outcome = tenant->vectors.version == 0 ? "not_ready" : "budget";
    if (tenant->vectors.version == 0 || !embed_may_spend(tenant, target.model))
        return DB_OK;
    embed_call_perform(config, &target, &question, 1, config->embedding_ms, on_end, &asked);
    once->outcome = "failed";
    enum db_status status = pay(db, tenant->org, &asked);
    return status == DB_OK && asked.question.values != NULL
               ? search(db, config, tenant, &asked, once)
               : status;
}
