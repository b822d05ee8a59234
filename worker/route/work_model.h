/*
 * Work model: who does a kind of AI work that answers nobody, such as a summary
 * (contracts: "Settings and providers", AI_MODEL_<KIND>). The model that is named, where the
 * organisation may use it and somebody serves it; else its model of the fast tier; else the
 * built-in. What an organisation has not enabled, or not in its regions, never. Pure.
 */
#ifndef FD_ROUTE_WORK_MODEL_H
#define FD_ROUTE_WORK_MODEL_H

#include "route/model.h"

/* `wanted` with or without its vendor: "gpt-4o-mini" is "openai/gpt-4o-mini" at OpenRouter. */
struct model_candidate work_model_choose(struct llm_endpoints *endpoints,
                                         const struct tenant *tenant, const char *wanted);

#endif
