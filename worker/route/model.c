#include "route/model.h"

#include "tenant/ai_presets.h"

#include <inttypes.h>
#include <string.h>

#define PRESET "preset:"

/* A choice being made. */
struct chooser {
    struct arena *arena;
    struct llm_endpoints *endpoints;
    const struct tenant *tenant;
    const struct model_ask *ask;
    struct model_plan *plan;
    bool thrifty; /* the budget decides, of the fallbacks as well */
    struct model_pool pool;
};

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void tell(struct model_plan *plan, const char *reason)
{
    if (plan->reason_count < MODEL_REASONS_MAX)
        plan->reasons[plan->reason_count++] = reason;
}

/* -- what there is ------------------------------------------------------------------------- */

/* The model called so, NULL where the org cannot use it here. */
static const struct model_choice *find(const struct chooser *c, const char *id)
{
    for (size_t i = 0; i < c->pool.count && id != NULL; i++) {
        if (same(c->pool.list[i].id, id))
            return &c->pool.list[i];
    }
    return NULL;
}

/* An endpoint's own model of a tier. */
static const struct model_choice *find_at(const struct chooser *c,
                                          const struct llm_endpoint *endpoint, const char *name)
{
    for (size_t i = 0; i < c->pool.count; i++) {
        if (c->pool.list[i].endpoint == endpoint && same(c->pool.list[i].name, name))
            return &c->pool.list[i];
    }
    return NULL;
}

static const struct model_choice *find_like(const struct chooser *c, const char *wanted)
{
    for (size_t i = 0; i < c->pool.count && wanted != NULL; i++) {
        if (ai_model_is(c->pool.list[i].id, wanted))
            return &c->pool.list[i];
    }
    return NULL;
}

/* Enabled, be it that nobody here serves it. */
static bool is_enabled(const struct tenant *tenant, const char *model)
{
    for (size_t i = 0; i < tenant->enabled_model_count; i++) {
        if (same(tenant->enabled_models[i], model))
            return true;
    }
    return tenant->enabled_model_count == 0 &&
           (same(model, tenant->default_model) || same(model, tenant->fast_model) ||
            same(model, tenant->reasoning_model) || same(model, tenant->fallback_model));
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

/* -- the window ---------------------------------------------------------------------------- */

static int64_t window_of(const struct model_choice *choice)
{
    return choice->facts != NULL ? choice->facts->context_length : -1;
}

static int64_t need_of(const struct chooser *c)
{
    return c->ask->prompt_tokens + c->tenant->max_tokens;
}

/* A window that is not known is not in the way. */
static bool fits(const struct chooser *c, const struct model_choice *choice)
{
    return window_of(choice) <= 0 || need_of(c) <= window_of(choice);
}

static bool is_cheaper(const struct model_choice *a, const struct model_choice *b)
{
    int64_t price_a = model_price(a), price_b = model_price(b);
    return price_a >= 0 && (price_b < 0 || price_a < price_b);
}

/* The one that the org names for long conversations, else the cheapest that is known to
 * hold the prompt. */
static const struct model_choice *larger(const struct chooser *c)
{
    const struct model_choice *best = find_like(c, ai_task_model(c->tenant->suggestions, "long"));
    if (best != NULL && window_of(best) >= need_of(c))
        return best;
    best = NULL;
    for (size_t i = 0; i < c->pool.count; i++) {
        const struct model_choice *choice = &c->pool.list[i];
        if (window_of(choice) >= need_of(c) && (best == NULL || is_cheaper(choice, best)))
            best = choice;
    }
    return best;
}

/* -- the plan ------------------------------------------------------------------------------ */

static void add(struct chooser *c, struct llm_endpoint *endpoint, const char *name,
                enum route_tier tier)
{
    struct model_plan *plan = c->plan;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->candidates[i].endpoint == endpoint && same(plan->candidates[i].model, name))
            return;
    }
    if (plan->count < MODEL_CANDIDATES_MAX)
        plan->candidates[plan->count++] = (struct model_candidate){endpoint, name, tier};
}

static void add_choice(struct chooser *c, const struct model_choice *choice, enum route_tier tier)
{
    add(c, choice->endpoint, choice->name, tier);
}

/* The first choice, unless its window is too small and another's is not: refused for its
 * length a prompt helps nobody. */
static void add_first(struct chooser *c, const struct model_choice *choice)
{
    const struct model_choice *other = fits(c, choice) ? NULL : larger(c);
    if (other != NULL) {
        c->plan->outgrown = choice->id;
        tell(c->plan, arena_printf(c->arena, "window: %" PRId64 " tokens, %s holds %" PRId64,
                                   need_of(c), choice->id, window_of(choice)));
        add_choice(c, other, c->ask->tier);
    }
    add_choice(c, choice, c->ask->tier);
}

/* When the first choice fails: the fallback, then another provider. Never the
 * built-in one: it would hide an outage behind a canned answer. */
static void add_fallbacks(struct chooser *c)
{
    const struct llm_endpoint *first = c->plan->candidates[0].endpoint;
    if (first->protocol == NULL || c->thrifty)
        return;
    const struct model_choice *fallback = find(c, c->tenant->fallback_model);
    if (fallback == NULL)
        fallback = find_at(c, &c->endpoints->list[0], c->endpoints->list[0].fallback_model);
    if (fallback != NULL)
        add_choice(c, fallback, ROUTE_FALLBACK);
    for (size_t i = 0; i < c->endpoints->count; i++) {
        const struct llm_endpoint *endpoint = &c->endpoints->list[i];
        const struct model_choice *other = find_at(c, endpoint, endpoint->fast_model);
        if (endpoint != first && endpoint->protocol != NULL && other != NULL)
            add_choice(c, other, ROUTE_FALLBACK);
    }
}

/* The org's model of a tier, else the endpoint's, else what the org has at all. */
static const struct model_choice *of_tier(const struct chooser *c)
{
    const struct llm_endpoint *first = &c->endpoints->list[0];
    const struct model_choice *choice = find(c, tenant_tier(c->tenant, c->ask->tier));
    if (choice == NULL)
        choice = find_at(c, first, endpoint_tier(first, c->ask->tier));
    if (choice == NULL)
        choice = find(c, c->tenant->default_model);
    return choice != NULL || c->pool.count == 0 ? choice : &c->pool.list[0];
}

/* -- the budget ---------------------------------------------------------------------------- */

/* Cheapest first, the next ones in case it fails. Prices that are not known are not cheap. */
static void add_cheapest(struct chooser *c, int64_t most)
{
    bool taken[MODEL_POOL_MAX] = {false};
    for (size_t n = 0; n < MODEL_CANDIDATES_MAX; n++) {
        size_t best = c->pool.count;
        for (size_t i = 0; i < c->pool.count; i++) {
            const struct model_choice *choice = &c->pool.list[i];
            int64_t price = model_price(choice);
            if (!taken[i] && price >= 0 && price <= most && fits(c, choice) &&
                (best == c->pool.count || is_cheaper(choice, &c->pool.list[best])))
                best = i;
        }
        if (best == c->pool.count)
            return;
        taken[best] = true;
        add_choice(c, &c->pool.list[best], n == 0 ? c->ask->tier : ROUTE_FALLBACK);
    }
}

/* True: the budget has decided. */
static bool by_budget(struct chooser *c)
{
    int percent = c->ask->budget_used_percent;
    if (percent < MODEL_BUDGET_LOW)
        return false;
    bool spent = percent >= MODEL_BUDGET_SPENT;
    add_cheapest(c, spent ? 0 : INT64_MAX);
    c->thrifty = c->plan->count > 0;
    if (c->thrifty) {
        tell(c->plan, arena_printf(c->arena, "budget: %d %% used, %s is the cheapest", percent,
                                   c->plan->candidates[0].model));
        return true;
    }
    if (spent)
        c->plan->refusal = MODEL_OVER_BUDGET;
    else
        tell(c->plan, arena_printf(c->arena, "budget: %d %% used, no price is known", percent));
    return spent;
}

/* -- wishes -------------------------------------------------------------------------------- */

static bool is_explicit(const char *wish)
{
    return wish != NULL && *wish != '\0' && strcmp(wish, "auto") != 0;
}

static const struct model_choice *of_preset(const struct chooser *c, const char *name)
{
    const char *models[AI_PRESET_MODELS_MAX];
    size_t count = ai_preset_models(c->tenant->presets, name, models);
    const struct model_choice *choice = NULL;
    for (size_t i = 0; i < count && choice == NULL; i++)
        choice = find_like(c, models[i]);
    return choice;
}

static const struct model_choice *of_wish(const struct chooser *c, const char *wish)
{
    bool preset = strncmp(wish, PRESET, strlen(PRESET)) == 0;
    return preset ? of_preset(c, wish + strlen(PRESET)) : find(c, wish);
}

/* Enabled, but served by nobody here: another answers, and says so. Where a region
 * forbids it, it is as if it were not enabled. */
static bool is_merely_unserved(const struct chooser *c, const char *wish)
{
    return is_enabled(c->tenant, wish) && !c->pool.fenced;
}

/* FNV-1a, its last bits mixed: the same arm for a conversation as long as the split has
 * its name. */
static unsigned deal(const char *name, const char *session)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    for (const char *at = session; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
    return (unsigned)((hash ^ (hash >> 33)) % 100);
}

/* The model of the conversation's arm; NULL: as without a split. */
static const struct model_choice *of_split(struct chooser *c)
{
    const struct tenant_split *split = c->tenant->split;
    if (split == NULL || c->ask->session == NULL)
        return NULL;
    size_t arm = deal(split->name, c->ask->session) < (unsigned)split->percent;
    const char *wanted = c->ask->tier == ROUTE_REASONING ? split->arms[arm].reasoning_model
                                                         : split->arms[arm].fast_model;
    const struct model_choice *choice = find(c, wanted);
    if (wanted != NULL && choice == NULL)
        return NULL; /* no longer enabled: what answers now is neither arm's */
    c->plan->arm = arm == 0 ? "a" : "b";
    tell(c->plan, arena_printf(c->arena, "split %s: arm %s", split->name, c->plan->arm));
    return choice;
}

static const struct model_choice *of_default(struct chooser *c)
{
    const struct tenant *tenant = c->tenant;
    if (!tenant->route_by_default_model || tenant->default_model == NULL)
        return NULL;
    const struct model_choice *choice = find(c, tenant->default_model);
    tell(c->plan,
         arena_printf(c->arena, "model: %s is the organization's default", tenant->default_model));
    if (choice == NULL)
        c->plan->instead = tenant->default_model;
    return choice;
}

/* -- together ------------------------------------------------------------------------------ */

static void choose_wish(struct chooser *c, const char *wish)
{
    const struct model_choice *choice = of_wish(c, wish);
    if (choice == NULL && !is_merely_unserved(c, wish)) {
        c->plan->refusal = MODEL_NOT_ENABLED;
        c->plan->refused = wish;
        return;
    }
    if (by_budget(c)) {
        if (c->plan->count > 0 && (choice == NULL || c->plan->candidates[0].model != choice->name))
            c->plan->instead = wish;
        return;
    }
    tell(c->plan, arena_printf(c->arena, "model: %s was asked for", wish));
    if (choice == NULL)
        c->plan->instead = wish;
    choice = choice != NULL ? choice : of_tier(c);
    if (choice != NULL)
        add_first(c, choice);
}

static void choose(struct chooser *c)
{
    if (is_explicit(c->ask->wish)) {
        choose_wish(c, c->ask->wish);
        return;
    }
    if (by_budget(c))
        return;
    const struct model_choice *choice = of_split(c);
    if (choice == NULL)
        choice = of_default(c);
    if (choice == NULL)
        choice = of_tier(c);
    if (choice != NULL)
        add_first(c, choice);
}

/* What a picker may offer in place of what answers now. */
static void suggest(struct chooser *c)
{
    const struct model_choice *now =
        find_at(c, c->plan->candidates[0].endpoint, c->plan->candidates[0].model);
    const char *task = NULL;
    struct arena scratch;
    if (c->tenant->enabled_model_count < 2)
        return;
    arena_init(&scratch);
    if (c->ask->conversation_tokens > MODEL_LONG_TOKENS)
        task = "long";
    else if (c->ask->question != NULL)
        task = ai_task_of(&scratch, c->ask->question);
    const struct model_choice *better =
        task != NULL ? find_like(c, ai_task_model(c->tenant->suggestions, task)) : NULL;
    if (better != NULL && better != now)
        c->plan->suggested = better->id;
    arena_free(&scratch);
}

void model_choose(struct arena *a, struct llm_endpoints *endpoints, const struct tenant *tenant,
                  const struct model_ask *ask, struct model_plan *plan)
{
    struct chooser c = {
        .arena = a, .endpoints = endpoints, .tenant = tenant, .ask = ask, .plan = plan};
    struct llm_endpoint *last = &endpoints->list[endpoints->count - 1];
    memset(plan, 0, sizeof(*plan));
    model_pool_fill(&c.pool, endpoints, tenant);
    choose(&c);
    if (plan->refusal != MODEL_CHOSEN)
        return;
    if (plan->count == 0 && c.pool.fenced) {
        plan->refusal = MODEL_NOWHERE;
        return;
    }
    if (plan->count == 0) /* a list of models that no provider here serves */
        add(&c, last, last->fast_model, ask->tier);
    if (plan->instead == NULL && plan->candidates[0].endpoint->protocol == NULL)
        plan->instead = tenant_tier(tenant, ask->tier);
    add_fallbacks(&c);
    suggest(&c);
}
