#include "llm/retry.h"

#define JITTER_BASE_MS 500
#define JITTER_MAX_MS  8000

#define PATIENCE_MS 8000 /* a visitor rather gets another model than waits longer */

/* What a class of failure says about another try. */
struct policy {
    bool same;     /* the same model may do better a moment later */
    bool fallback; /* another model may do better */
    bool pooled;   /* models may share what ran out: no rush to the next one */
};

static struct policy policy_of(enum llm_error_class class)
{
    switch (class) {
    case LLM_ERROR_CONNECT:
    case LLM_ERROR_TIMEOUT:
    case LLM_ERROR_CUT:
    case LLM_ERROR_PROTOCOL: return (struct policy){.same = true, .fallback = true};
    case LLM_ERROR_RATE:
    case LLM_ERROR_OVERLOADED:
        return (struct policy){.same = true, .fallback = true, .pooled = true};
    case LLM_ERROR_QUOTA: return (struct policy){.fallback = true, .pooled = true};
    case LLM_ERROR_AUTH:
    case LLM_ERROR_REQUEST:
    case LLM_ERROR_CONTEXT: return (struct policy){.fallback = true};
    /* a refusal is an answer: no shopping around for a model that gives in */
    case LLM_ERROR_FILTER:
    case LLM_ERROR_NONE: break;
    }
    return (struct policy){0};
}

/* Full jitter: a crowd that failed together does not come back together. */
static int64_t backoff(unsigned tries, double random)
{
    int64_t most = JITTER_MAX_MS;
    if (tries < 5) {
        most = JITTER_BASE_MS << (tries > 0 ? tries - 1 : 0);
    }
    return (int64_t)(random * (double)most);
}

static bool same_allowed(const struct llm_retry_state *state, const struct llm_error *error,
                         const struct policy *policy)
{
    if (state->tries_of_model >= LLM_RETRY_TRIES_MAX ||
        error->retry_after_ms > LLM_RETRY_AFTER_MAX_MS || error->should_retry == 0) {
        return false;
    }
    return policy->same || error->should_retry == 1;
}

struct llm_retry_decision llm_retry_decide(const struct llm_retry_state *state,
                                           const struct llm_error *error, double random)
{
    struct policy policy = policy_of(error->class);
    int64_t jitter = backoff(state->tries_of_model, random);
    int64_t left = LLM_RETRY_BUDGET_MS - state->spent_ms;

    int64_t wait = error->retry_after_ms > jitter ? error->retry_after_ms : jitter;
    bool same = same_allowed(state, error, &policy) && wait < left;
    int64_t pause = policy.pooled ? jitter : 0;
    bool fallback = policy.fallback && state->fallback_left &&
                    state->models_tried < LLM_RETRY_MODELS_MAX && pause < left;

    /* After a time-out the same silence again would take what is left of the budget. */
    bool rather_fallback = error->class == LLM_ERROR_TIMEOUT || wait > PATIENCE_MS;
    if (same && !(fallback && rather_fallback)) {
        return (struct llm_retry_decision){.action = LLM_RETRY_SAME, .delay_ms = wait};
    }
    if (fallback) {
        return (struct llm_retry_decision){.action = LLM_RETRY_FALLBACK, .delay_ms = pause};
    }
    return (struct llm_retry_decision){.action = LLM_RETRY_GIVE_UP};
}
