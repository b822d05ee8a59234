/*
 * Tenant: an organisation's settings as the worker uses them - the org's stored
 * values, else the environment's, else the built-in ones. Immutable once loaded;
 * shared by reference count between running jobs.
 */
#ifndef FD_TENANT_TENANT_H
#define FD_TENANT_TENANT_H

#include "core/arena.h"
#include "core/config.h"
#include "core/phrases.h"
#include "db/db.h"
#include "protocol/json.h"
#include "tenant/ai_endpoint.h"
#include "tenant/business_info.h"
#include "tenant/org_cache.h"

#include <stdbool.h>
#include <stdint.h>

struct tenant_intent {
    const char *intent;
    const char *const *words;
    size_t count;
};

/* What the catalogue says of a model. */
struct tenant_model {
    const char *id;
    const char *region;    /* NULL = not known */
    int context_length;    /* tokens; -1 = not known */
    int64_t input, output; /* micro-dollars per million tokens; -1 = not known */
    int tools;             /* takes them: 0 or 1; -1 = not known */
};

#define TENANT_SPLIT "split" /* its name where the org gave none */

/* Conversations dealt between two sets of models; an arm's NULL: as without a split. */
struct tenant_split {
    const char *name; /* another name deals anew */
    int percent;      /* of the conversations are b's */
    struct tenant_arm {
        const char *fast_model;
        const char *reasoning_model;
    } arms[2];
};

/* Routing rules on trial: decided and told, not used. */
struct tenant_trial {
    int version;
    int reasoning_min_tokens, reasoning_min_chunks;
};

struct tenant {
    char org[37];
    bool active;  /* the organisation's status */
    bool enabled; /* AI assistant */
    const char *name;
    const char *language; /* the first of its languages */
    struct business_info business;
    const char *own_prompt;
    bool hands_off;     /* features.handoff: people take conversations over */
    bool has_knowledge; /* any article, product or order: else retrieval is skipped */

    bool route_by_default_model; /* routing = default */
    const char *default_model;   /* NULL = none */
    const char *fast_model;      /* NULL: the endpoint's own */
    const char *reasoning_model;
    const char *fallback_model;
    const char *sentiment_model;       /* rates how visitors sound; NULL: rules do */
    const char *const *enabled_models; /* none: every model of the endpoint */
    size_t enabled_model_count;
    const char *const *regions; /* where its models may run; none: anywhere */
    size_t region_count;
    const struct tenant_model *models; /* those above and the endpoints' own, by id */
    size_t model_count;
    const struct tenant_split *split;  /* NULL = none */
    const struct fd_json *presets;     /* its own, {preset: [model_id]}; NULL = none */
    const struct fd_json *suggestions; /* its own, {task: model_id}; NULL = none */

    double temperature;
    int max_tokens;
    int max_chunk_tokens, max_chunks, max_context_tokens;
    int route_version;
    bool route_sticky;
    int reasoning_min_tokens, reasoning_min_chunks;
    const struct tenant_intent *intents;
    size_t intent_count;
    const struct phrases *intent_phrases; /* all words of `intents` in order */
    const struct tenant_trial *trial;     /* NULL = none */

    struct ai_endpoint own_chat;      /* who answers in place of the platform's providers */
    struct ai_endpoint own_embedding; /* who embeds in place of the platform's */
    struct ai_vectors vectors;        /* of what was embedded */

    bool capped; /* a budget, or a cap of a conversation or a visitor: chat/budget.h */
    /* Of the month's budget; -1 = it has none. As the last look had it, at the load or at
     * a reservation since: the one field that the loop thread changes later. */
    int budget_used_percent;

    int64_t loaded_ms; /* monotonic */
    unsigned refs;
    struct arena arena;
};

/* On a pool thread. *tenant NULL with DB_OK: no such organisation. The caller holds
 * the first reference. */
enum db_status tenant_load(struct db *db, const struct config *config, const char *org,
                           struct tenant **tenant);
struct tenant *tenant_ref(struct tenant *tenant);
void tenant_unref(struct tenant *tenant);

/* NULL: the catalogue does not have it, or no setting names it. */
const struct tenant_model *tenant_model(const struct tenant *tenant, const char *id);
/* Whether its texts may go to this model. With an allow-list, one whose region is not
 * known may not have them. */
bool tenant_region_allows(const struct tenant *tenant, const char *id);

/* A cache of tenants (tenant/org_cache.h). */
struct org_cache *tenant_cache_new(void);
struct tenant *tenant_cache_get(struct org_cache *tenants,
                                const char *org); /* a new reference, or NULL */
void tenant_cache_put(struct org_cache *tenants, struct tenant *tenant); /* takes its own */

#endif
