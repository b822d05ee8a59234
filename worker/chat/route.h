/*
 * Route: intent and tier of a question, deterministic (contracts: "Routing"). Pure.
 */
#ifndef FD_CHAT_ROUTE_H
#define FD_CHAT_ROUTE_H

#include "core/arena.h"

#include <stdbool.h>

enum route_tier { ROUTE_FAST, ROUTE_REASONING, ROUTE_FALLBACK };

/* An org's own words, tried after the built-in table, in order. */
struct route_words {
    const char *intent;
    const char *const *words;
    size_t count;
};

struct route_rules {
    int reasoning_min_tokens; /* tier reasoning when context_tokens > this */
    int reasoning_min_chunks; /* or chunk_count >= this */
    const struct route_words *own;
    size_t own_count;
};

struct route_input {
    const char *message;
    int context_tokens;
    int chunk_count;
};

struct route {
    const char *intent; /* "deal_coaching", ..., "general_qa" */
    enum route_tier tier;
    const char *reasons[4]; /* "context_tokens 4200 > 2500"; in the arena */
    size_t reason_count;
};

#define ROUTE_VERSION 1

void route_decide(struct arena *a, const struct route_rules *rules, const struct route_input *input,
                  struct route *route);
const char *route_tier_name(enum route_tier tier);

#endif
