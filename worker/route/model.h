/*
 * Model: which endpoint and model answer a question, and what is tried when they
 * fail (contracts: "Routing", "Models"). Who wins: the budget, the visitor's explicit
 * choice, the org's default where it routes so, the arm of a split, the tier. A model
 * that is not enabled, or that runs where the org's texts may not go, never. Pure.
 */
#ifndef FD_ROUTE_MODEL_H
#define FD_ROUTE_MODEL_H

#include "route/route.h"
#include "core/arena.h"
#include "llm/endpoint.h"
#include "tenant/tenant.h"

#define MODEL_CANDIDATES_MAX 4
#define MODEL_REASONS_MAX    4
#define MODEL_POOL_MAX       128

#define MODEL_BUDGET_LOW   90     /* percent of the budget: the cheapest from here on */
#define MODEL_BUDGET_SPENT 100    /* none from here on, but what costs nothing */
#define MODEL_LONG_TOKENS  100000 /* a longer conversation is shown a larger model */

struct model_candidate {
    struct llm_endpoint *endpoint;
    const char *model; /* as this endpoint calls it */
    enum route_tier tier;
};

struct model_ask {
    enum route_tier tier;
    const char *wish;        /* the request's model_id: NULL or "auto" for none, "preset:coding" */
    int budget_used_percent; /* of the month's; -1: there is none */
    int64_t prompt_tokens;   /* estimated; 0 = not known yet */
    int64_t conversation_tokens; /* estimated */
    const char *session;         /* deals the arm of a split; NULL = in none */
    const char *question;        /* for the suggestion; may be NULL */
};

enum model_refusal {
    MODEL_CHOSEN,
    MODEL_NOT_ENABLED, /* "Model X is not enabled for this organization" */
    MODEL_OVER_BUDGET, /* 100 % are used */
    MODEL_NOWHERE      /* none may run in the regions that the org allows */
};

struct model_plan {
    struct model_candidate candidates[MODEL_CANDIDATES_MAX]; /* in the order they are tried */
    size_t count;                                            /* 0: refused */
    enum model_refusal refusal;
    const char *refused;                    /* MODEL_NOT_ENABLED: which */
    const char *reasons[MODEL_REASONS_MAX]; /* how it was chosen, for meta; in the arena */
    size_t reason_count;
    const char *instead;   /* the wish that another answers; NULL = none: a notice is due */
    const char *outgrown;  /* the model whose window is too small; NULL = none: a notice is due */
    const char *suggested; /* what a picker may offer; NULL = nothing better is known */
    const char *arm;       /* "a" or "b" of the org's split, NULL = in none */
};

void model_choose(struct arena *a, struct llm_endpoints *endpoints, const struct tenant *tenant,
                  const struct model_ask *ask, struct model_plan *plan);

/* What an org may use here: enabled, served by an endpoint, allowed in its regions. */
struct model_choice {
    const char *id; /* as the org calls it */
    struct llm_endpoint *endpoint;
    const char *name;                 /* as the endpoint calls it */
    const struct tenant_model *facts; /* NULL: the catalogue has none */
};
struct model_pool {
    struct model_choice list[MODEL_POOL_MAX]; /* in the org's order */
    size_t count;
    bool fenced; /* one was left out for its region */
};
void model_pool_fill(struct model_pool *pool, struct llm_endpoints *endpoints,
                     const struct tenant *tenant);
/* The name under which an endpoint has a model, NULL if it does not. */
const char *model_name_at(const struct llm_endpoint *endpoint, const char *model);
/* Input and output price together, for comparing; -1 = not known, 0 = the built-in. */
int64_t model_price(const struct model_choice *choice);

#endif
