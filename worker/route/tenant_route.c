#include "route/tenant_route.h"

static void try_rules(struct arena *scratch, const struct tenant_trial *trial,
                      struct route_rules rules, const struct route_input *input,
                      struct route_trial *out)
{
    struct route route;

    rules.version = trial->version;
    rules.reasoning_min_tokens = trial->reasoning_min_tokens;
    rules.reasoning_min_chunks = trial->reasoning_min_chunks;
    route_decide(scratch, &rules, input, &route);
    *out = (struct route_trial){route.intent, route.tier, route.version};
}

void tenant_route(struct arena *a, const struct tenant *tenant, const struct route_input *input,
                  struct route *route)
{
    struct arena scratch;

    arena_init(&scratch);
    struct route_words *own = arena_alloc(&scratch, (tenant->intent_count + 1) * sizeof(*own));
    for (size_t i = 0; i < tenant->intent_count; i++) {
        own[i] = (struct route_words){tenant->intents[i].intent, tenant->intents[i].words,
                                      tenant->intents[i].count};
    }
    struct route_rules rules = {.version = tenant->route_version,
                                .reasoning_min_tokens = tenant->reasoning_min_tokens,
                                .reasoning_min_chunks = tenant->reasoning_min_chunks,
                                .sticky = tenant->route_sticky,
                                .own = own,
                                .own_count = tenant->intent_count,
                                .own_phrases = tenant->intent_phrases};
    route_decide(a, &rules, input, route);
    if (tenant->trial != NULL) {
        try_rules(a, tenant->trial, rules, input, &route->trial);
    }
    arena_free(&scratch);
}
