#include "chat/model.h"

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

/*
 * The name under which an endpoint has a model, NULL if it does not. "vendor/model"
 * is how OpenRouter writes it; the vendor's own API leaves the vendor out, and a
 * compatible server on another host may call its models anything.
 */
static const char *name_at(const struct llm_endpoint *endpoint, const char *model)
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

/* With no list of its own an org has every model that an endpoint or its own
 * settings name: a visitor cannot spend its money on any other. */
static bool is_enabled(const struct llm_endpoints *endpoints, const struct tenant *tenant,
                       const char *model)
{
    for (size_t i = 0; i < tenant->enabled_model_count; i++) {
        if (same(tenant->enabled_models[i], model))
            return true;
    }
    if (tenant->enabled_model_count > 0)
        return false;
    for (size_t i = 0; i < endpoints->count; i++) {
        if (is_own(&endpoints->list[i], model))
            return true;
    }
    return same(model, tenant->default_model) || same(model, tenant->fast_model) ||
           same(model, tenant->reasoning_model) || same(model, tenant->fallback_model);
}

static void add(struct model_plan *plan, struct llm_endpoint *endpoint, const char *model,
                enum route_tier tier)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->candidates[i].endpoint == endpoint && same(plan->candidates[i].model, model))
            return;
    }
    if (plan->count < MODEL_CANDIDATES_MAX)
        plan->candidates[plan->count++] = (struct model_candidate){endpoint, model, tier};
}

/* At the first endpoint that serves it. */
static bool add_model(struct model_plan *plan, struct llm_endpoints *endpoints, const char *model,
                      enum route_tier tier)
{
    for (size_t i = 0; i < endpoints->count && model != NULL; i++) {
        const char *name = name_at(&endpoints->list[i], model);
        if (name != NULL) {
            add(plan, &endpoints->list[i], name, tier);
            return true;
        }
    }
    return false;
}

static const char *endpoint_tier(const struct llm_endpoint *endpoint, enum route_tier tier)
{
    switch (tier) {
    case ROUTE_REASONING: return endpoint->reasoning_model;
    case ROUTE_FALLBACK: return endpoint->fallback_model;
    case ROUTE_FAST: break;
    }
    return endpoint->fast_model;
}

static const char *tenant_tier(const struct tenant *tenant, enum route_tier tier)
{
    switch (tier) {
    case ROUTE_REASONING: return tenant->reasoning_model;
    case ROUTE_FALLBACK: return tenant->fallback_model;
    case ROUTE_FAST: break;
    }
    return tenant->fast_model;
}

/* The org's model of a tier, else the endpoint's, else what the org has at all. */
static bool add_tier(struct model_plan *plan, struct llm_endpoints *endpoints,
                     const struct tenant *tenant, enum route_tier tier)
{
    struct llm_endpoint *first = &endpoints->list[0];
    const char *own = tenant_tier(tenant, tier);
    if (own != NULL && is_enabled(endpoints, tenant, own) && add_model(plan, endpoints, own, tier))
        return true;
    const char *model = endpoint_tier(first, tier);
    if (model != NULL && (is_builtin(first) || is_enabled(endpoints, tenant, model))) {
        add(plan, first, model, tier);
        return true;
    }
    if (tier == ROUTE_FALLBACK)
        return false;
    if (add_model(plan, endpoints, tenant->default_model, tier))
        return true;
    return tenant->enabled_model_count > 0 &&
           add_model(plan, endpoints, tenant->enabled_models[0], tier);
}

/* When the first choice fails: the fallback, then another provider. Never the
 * built-in one: it would hide an outage behind a canned answer. */
static void add_fallbacks(struct model_plan *plan, struct llm_endpoints *endpoints,
                          const struct tenant *tenant)
{
    if (is_builtin(plan->candidates[0].endpoint))
        return;
    add_tier(plan, endpoints, tenant, ROUTE_FALLBACK);
    for (size_t i = 0; i < endpoints->count; i++) {
        struct llm_endpoint *endpoint = &endpoints->list[i];
        const char *model = endpoint->fast_model;
        if (!is_builtin(endpoint) && endpoint != plan->candidates[0].endpoint && model != NULL &&
            is_enabled(endpoints, tenant, model))
            add(plan, endpoint, model, ROUTE_FALLBACK);
    }
}

void model_choose(struct arena *a, struct llm_endpoints *endpoints, const struct tenant *tenant,
                  enum route_tier tier, const char *wish, struct model_plan *plan)
{
    memset(plan, 0, sizeof(*plan));
    bool explicit = wish != NULL && *wish != '\0' && strcmp(wish, "auto") != 0;
    if (explicit && !is_enabled(endpoints, tenant, wish)) {
        plan->refused = wish;
        return;
    }
    if (explicit)
        plan->reason = arena_printf(a, "model: %s was asked for", wish);
    else if (tenant->route_by_default_model && tenant->default_model != NULL)
        plan->reason =
            arena_printf(a, "model: %s is the organization's default", tenant->default_model);

    const char *wanted = explicit ? wish : plan->reason != NULL ? tenant->default_model : NULL;
    if (wanted == NULL || !add_model(plan, endpoints, wanted, tier)) {
        plan->instead = wanted;
        add_tier(plan, endpoints, tenant, tier);
    }
    if (plan->count == 0) /* a list of models that no provider here serves */
        add(plan, &endpoints->list[endpoints->count - 1],
            endpoints->list[endpoints->count - 1].fast_model, tier);
    if (plan->instead == NULL && is_builtin(plan->candidates[0].endpoint))
        plan->instead = tenant_tier(tenant, tier);
    add_fallbacks(plan, endpoints, tenant);
}
