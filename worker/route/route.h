/*
 * Route: intent and tier of a question, deterministic (contracts: "Routing"). A pure
 * scorer with a version: what it decides is stored with the version that decided it.
 *
 *     1  the first intent of the table that is said
 *     2  the intent that most is said of, with support, orders and bookings in the table;
 *        none where two are said as much
 *
 * Both abstain when unsure: general_qa.
 */
#ifndef FD_ROUTE_H
#define FD_ROUTE_H

#include "core/arena.h"
#include "core/phrases.h"

#include <stdbool.h>
#include <stdint.h>

enum route_tier { ROUTE_FAST, ROUTE_REASONING, ROUTE_FALLBACK };

#define ROUTE_VERSION     1 /* unless the org says otherwise */
#define ROUTE_VERSION_MAX 2
#define ROUTE_TOPIC_MS    1800000 /* a conversation idle for longer begins a new topic */
#define ROUTE_REASONS_MAX 10

/* An org's own words, tried after the built-in table, in order. */
struct route_words {
    const char *intent;
    const char *const *words;
    size_t count;
};

struct route_rules {
    int version;              /* 0: ROUTE_VERSION */
    int reasoning_min_tokens; /* tier reasoning when context_tokens > this */
    int reasoning_min_chunks; /* or chunk_count >= this */
    bool sticky;              /* a topic once on the reasoning tier stays there */
    const struct route_words *own;
    size_t own_count;
    const struct phrases *own_phrases; /* all words of `own` in order; NULL: made here */
};

/* What the conversation's last answer leaves for the next question. */
struct route_last {
    bool known;
    enum route_tier tier;
    int64_t at_ms;  /* unix */
    int64_t tokens; /* of the conversation's texts until then, estimated */
};

struct route_input {
    const char *message;
    int context_tokens;
    int chunk_count;
    struct route_last last;
    int64_t now_ms; /* unix */
};

/* What rules on trial decide (shadow mode): told, not used. */
struct route_trial {
    const char *intent; /* NULL: none are on trial */
    enum route_tier tier;
    int version;
};

struct route {
    const char *intent; /* "deal_coaching", ..., "general_qa" */
    enum route_tier tier;
    int version;
    const char *reasons[ROUTE_REASONS_MAX]; /* "context_tokens 4200 > 2500"; in the arena */
    size_t reason_count;
    struct route_trial trial;
    const char *split; /* the org's split of models that it is in; NULL = in none */
    const char *arm;   /* "a" or "b" */
    bool sought;       /* the organisation's records were searched */
    double grounding;  /* what came of it: 0..1 (context/score.h) */
};

void route_decide(struct arena *a, const struct route_rules *rules, const struct route_input *input,
                  struct route *route);
/* Dropped where there is no room. */
void route_add_reason(struct route *route, const char *reason);
/* All of them in one line, in the arena. */
const char *route_reasons(struct arena *a, const struct route *route);
const char *route_tier_name(enum route_tier tier);
/* False: no such tier. */
bool route_tier_read(const char *name, enum route_tier *tier);

#endif
