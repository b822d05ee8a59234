#include "route/work_model.h"

#include "tenant/ai_presets.h"

#include <string.h>

#define USUAL_MODEL  "gpt-4o-mini"
#define USUAL_VENDOR "openai/"

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Where nothing is named: only who is known to have the usual model. A compatible server on
 * another host calls its models anything. */
static const char *usual_at(const struct llm_endpoint *endpoint)
{
    if (same(endpoint->name, "openrouter")) {
        return USUAL_VENDOR USUAL_MODEL;
    }
    bool openai =
        same(endpoint->name, "openai") && strstr(endpoint->base_url, "//api.openai.com") != NULL;
    return openai ? USUAL_MODEL : NULL;
}

static const char *name_at(const struct llm_endpoint *endpoint, const char *wanted)
{
    return wanted != NULL ? model_name_at(endpoint, wanted) : usual_at(endpoint);
}

static const struct model_choice *find_like(const struct model_pool *pool, const char *wanted)
{
    for (size_t i = 0; i < pool->count && wanted != NULL; i++) {
        if (ai_model_is(pool->list[i].id, wanted)) {
            return &pool->list[i];
        }
    }
    return NULL;
}

/* The tenant's fast model, else the first provider's, else what there is. */
static const struct model_choice *fast(const struct model_pool *pool,
                                       const struct llm_endpoints *endpoints,
                                       const struct tenant *tenant)
{
    const struct llm_endpoint *first = &endpoints->list[0];

    for (size_t i = 0; i < pool->count; i++) {
        if (same(pool->list[i].id, tenant->fast_model)) {
            return &pool->list[i];
        }
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->list[i].endpoint == first && same(pool->list[i].name, first->fast_model)) {
            return &pool->list[i];
        }
    }
    return pool->count > 0 ? &pool->list[0] : NULL;
}

struct model_candidate work_model_choose(struct llm_endpoints *endpoints,
                                         const struct tenant *tenant, const char *wanted)
{
    struct llm_endpoint *last = &endpoints->list[endpoints->count - 1];
    struct model_pool pool;

    model_pool_fill(&pool, endpoints, tenant);
    const struct model_choice *choice = find_like(&pool, wanted != NULL ? wanted : USUAL_MODEL);
    for (size_t i = 0;
         choice == NULL && tenant->enabled_model_count == 0 && i + 1 < endpoints->count; i++) {
        struct llm_endpoint *endpoint = &endpoints->list[i];
        const char *name = name_at(endpoint, wanted);
        if (name != NULL && tenant_region_allows(tenant, name)) {
            return (struct model_candidate){endpoint, name, ROUTE_FAST};
        }
    }
    choice = choice != NULL ? choice : fast(&pool, endpoints, tenant);
    if (choice == NULL) {
        return (struct model_candidate){last, last->fast_model, ROUTE_FAST};
    }
    return (struct model_candidate){choice->endpoint, choice->name, ROUTE_FAST};
}
