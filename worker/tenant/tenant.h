/*
 * Tenant: an organisation's settings as the worker uses them - the org's stored
 * values, else the environment's, else the built-in ones. Immutable once loaded;
 * shared by reference count between running jobs.
 */
#ifndef FD_TENANT_TENANT_H
#define FD_TENANT_TENANT_H

#include "core/arena.h"
#include "core/config.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

struct tenant_intent {
    const char *intent;
    const char *const *words;
    size_t count;
};

struct tenant {
    char org[37];
    bool active;  /* the organisation's status */
    bool enabled; /* AI assistant */
    const char *name;
    const char *language; /* the first of its languages */
    const char *tone;     /* NULL = none */
    const char *own_prompt;
    bool has_knowledge; /* any article, product or order: else retrieval is skipped */

    bool route_by_default_model; /* routing = default */
    const char *default_model;   /* NULL = none */
    const char *fast_model;      /* NULL: the endpoint's own */
    const char *reasoning_model;
    const char *fallback_model;
    const char *const *enabled_models; /* none: every model of the endpoint */
    size_t enabled_model_count;

    double temperature;
    int max_tokens;
    int max_chunk_tokens, max_chunks, max_context_tokens;
    int reasoning_min_tokens, reasoning_min_chunks;
    const struct tenant_intent *intents;
    size_t intent_count;

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

/* Cache, loop thread. A tenant is served for at most 60 s and never after
 * tenant_cache_forget(). */
struct tenant_cache;
struct tenant_cache *tenant_cache_new(void);
void tenant_cache_free(struct tenant_cache *cache);
struct tenant *tenant_cache_get(struct tenant_cache *cache,
                                const char *org); /* a new reference, or NULL */
void tenant_cache_put(struct tenant_cache *cache, struct tenant *tenant); /* takes its own */
void tenant_cache_forget(struct tenant_cache *cache, const char *org);    /* NULL: all */

#endif
