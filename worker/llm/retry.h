/*
 * Retry: what to do after a failed call, as a pure function. Only before the first
 * visible token; jittered, never before Retry-After, within one budget of time.
 */
#ifndef FD_LLM_RETRY_H
#define FD_LLM_RETRY_H

#include "llm/provider.h"

enum llm_retry_action {
    LLM_RETRY_SAME,     /* the same model again after delay_ms */
    LLM_RETRY_FALLBACK, /* the next model, after delay_ms */
    LLM_RETRY_GIVE_UP
};

struct llm_retry_state {
    unsigned tries_of_model; /* calls that were made to this model */
    unsigned models_tried;
    bool fallback_left; /* another model may be tried */
    int64_t spent_ms;   /* since the first call */
};

struct llm_retry_decision {
    enum llm_retry_action action;
    int64_t delay_ms;
};

#define LLM_RETRY_TRIES_MAX    2
#define LLM_RETRY_MODELS_MAX   3
#define LLM_RETRY_BUDGET_MS    45000
#define LLM_RETRY_AFTER_MAX_MS 60000 /* a longer Retry-After: not this model */

/* random: uniform in [0, 1). */
struct llm_retry_decision llm_retry_decide(const struct llm_retry_state *state,
                                           const struct llm_error *error, double random);

#endif
