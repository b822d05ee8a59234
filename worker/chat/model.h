/*
 * Model: which endpoint and model answer a question, and what is tried when they
 * fail (contracts: "Routing", "Models"). Who wins: the visitor's explicit choice,
 * the org's default where it routes so, then the tier. Pure.
 */
#ifndef FD_CHAT_MODEL_H
#define FD_CHAT_MODEL_H

#include "chat/route.h"
#include "core/arena.h"
#include "llm/endpoint.h"
#include "tenant/tenant.h"

#define MODEL_CANDIDATES_MAX 4

struct model_candidate {
    struct llm_endpoint *endpoint;
    const char *model; /* as this endpoint calls it */
    enum route_tier tier;
};

struct model_plan {
    struct model_candidate candidates[MODEL_CANDIDATES_MAX]; /* in the order they are tried */
    size_t count;        /* 0: refused, `refused` names the model */
    const char *refused; /* "Model X is not enabled for this organization" */
    const char *reason;  /* how the model was chosen, for meta; in the arena */
    const char *instead; /* the wish no endpoint serves; NULL = none: a notice is due */
};

/* `wish` is the request's model_id, NULL or "auto" for none. */
void model_choose(struct arena *a, struct llm_endpoints *endpoints, const struct tenant *tenant,
                  enum route_tier tier, const char *wish, struct model_plan *plan);

#endif
