#include "route/model.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_own(const struct llm_endpoint *endpoint, const char *model)
{
    return same(model, endpoint->fast_model) || same(model, endpoint->reasoning_model) ||
           same(model, endpoint->fallback_model);
}

static bool is_builtin(const struct llm_endpoint *endpoint)
{
    return endpoint->protocol == NULL;
}

/* "vendor/model" is how OpenRouter writes it; the vendor's own API leaves the vendor out, and
 * a compatible server on another host may call its models anything. */
const char *model_name_at(const struct llm_endpoint *endpoint, const char *model)
{
    if (is_own(endpoint, model))
        return model;
    if (is_builtin(endpoint))
        return NULL;
    if (same(endpoint->name, "openrouter"))
        return model;
    const char *slash = strchr(model, '/');
    if (slash != NULL && strlen(endpoint->name) == (size_t)(slash - model) &&
        strncmp(endpoint->name, model, (size_t)(slash - model)) == 0)
        return slash + 1;
    bool compatible =
        same(endpoint->name, "openai") && strstr(endpoint->base_url, "//api.openai.com") == NULL;
    return slash == NULL || compatible ? model : NULL;
}

/* The catalogue may know it by either name; what is sent counts first. */
static const struct tenant_model *facts_of(const struct tenant *tenant, const char *name,
                                           const char *id)
{
    const struct tenant_model *facts = tenant_model(tenant, name);
    return facts != NULL ? facts : tenant_model(tenant, id);
}

/* The built-in sends nothing anywhere. */
static bool may_run(const struct tenant *tenant, const struct model_choice *choice)
{
    return is_builtin(choice->endpoint) ||
           tenant_region_allows(tenant, choice->facts != NULL ? choice->facts->id : choice->name);
}

static bool is_in(const struct model_pool *pool, const struct llm_endpoint *endpoint,
                  const char *id)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->list[i].endpoint == endpoint && same(pool->list[i].id, id))
            return true;
    }
    return false;
}

static void add_at(struct model_pool *pool, const struct tenant *tenant,
                   struct llm_endpoint *endpoint, const char *id, const char *name)
{
    if (pool->count == MODEL_POOL_MAX || is_in(pool, endpoint, id))
        return;
    struct model_choice choice = {id, endpoint, name, facts_of(tenant, name, id)};
    if (may_run(tenant, &choice))
        pool->list[pool->count++] = choice;
    else
        pool->fenced = true;
}

/* At the first endpoint that serves it. */
static void add(struct model_pool *pool, struct llm_endpoints *endpoints,
                const struct tenant *tenant, const char *id)
{
    for (size_t i = 0; i < endpoints->count && id != NULL; i++) {
        const char *name = model_name_at(&endpoints->list[i], id);
        if (name != NULL) {
            add_at(pool, tenant, &endpoints->list[i], id, name);
            return;
        }
    }
}

static void add_own(struct model_pool *pool, const struct tenant *tenant,
                    struct llm_endpoint *endpoint)
{
    const char *const own[] = {endpoint->fast_model, endpoint->reasoning_model,
                               endpoint->fallback_model};
    for (size_t i = 0; i < 3; i++) {
        if (own[i] != NULL)
            add_at(pool, tenant, endpoint, own[i], own[i]);
    }
}

/* With no list of its own an org has every model that an endpoint or its own settings
 * name: a visitor cannot spend its money on any other. The built-in is there only where
 * nothing else is configured. */
void model_pool_fill(struct model_pool *pool, struct llm_endpoints *endpoints,
                     const struct tenant *tenant)
{
    pool->count = 0;
    pool->fenced = false;
    for (size_t i = 0; i < tenant->enabled_model_count; i++)
        add(pool, endpoints, tenant, tenant->enabled_models[i]);
    for (size_t i = 0; i < endpoints->count; i++) {
        struct llm_endpoint *endpoint = &endpoints->list[i];
        if (is_builtin(endpoint) ? i == 0 : tenant->enabled_model_count == 0)
            add_own(pool, tenant, endpoint);
    }
    if (tenant->enabled_model_count == 0) {
        add(pool, endpoints, tenant, tenant->default_model);
        add(pool, endpoints, tenant, tenant->fast_model);
        add(pool, endpoints, tenant, tenant->reasoning_model);
        add(pool, endpoints, tenant, tenant->fallback_model);
    }
}

int64_t model_price(const struct model_choice *choice)
{
    if (is_builtin(choice->endpoint))
        return 0;
    const struct tenant_model *facts = choice->facts;
    if (facts == NULL || facts->input < 0 || facts->output < 0)
        return -1;
    return facts->input + facts->output;
}
