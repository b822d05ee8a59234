#include "route/route.h"

#include "route/route_table.h"
#include "core/words.h"
#include "protocol/limits.h"

#include <string.h>

#define OWN_WEIGHT 2 /* of an org's word: it knows its own trade */

/* An intent with what the message says of it. */
struct finding {
    const char *intent;
    const char *word;  /* the first in the table */
    const char *other; /* the second, NULL if there is none */
    size_t score;
};

/* The built-in table, then the org's own. */
struct source {
    const struct route_words *intents;
    size_t count;
    const struct phrases *phrases;
    const bool *said;
    size_t weight;
};

struct words {
    const struct word *list;
    size_t count;
};

void route_add_reason(struct route *route, const char *reason)
{
    if (reason != NULL && route->reason_count < ROUTE_REASONS_MAX) {
        route->reasons[route->reason_count++] = reason;
    }
}

/* -- what is said ------------------------------------------------------------------ */

static struct words words_in(struct arena *scratch, const char *message)
{
    size_t len = strnlen(message, FD_MESSAGE_MAX);
    size_t most = len / 2 + 1;
    struct word *list = arena_alloc(scratch, most * sizeof(*list));

    return (struct words){list, words_of(scratch, message, len, list, most)};
}

static struct source source_of(struct arena *scratch, const struct route_words *intents,
                               size_t count, const struct phrases *phrases,
                               const struct words *words)
{
    bool *said = arena_zalloc(scratch, (phrases_count(phrases) + 1) * sizeof(*said));

    phrases_find(phrases, words->list, words->count, said);
    return (struct source){intents, count, phrases, said, 1};
}

static const struct phrases *own_phrases(struct arena *scratch, const struct route_rules *rules)
{
    size_t count = 0;

    if (rules->own_phrases != NULL) {
        return rules->own_phrases;
    }
    for (size_t i = 0; i < rules->own_count; i++) {
        count += rules->own[i].count;
    }
    struct phrases *phrases = phrases_new(scratch, count);
    for (size_t i = 0; i < rules->own_count; i++) {
        for (size_t k = 0; k < rules->own[i].count; k++) {
            phrases_add(phrases, scratch, rules->own[i].words[k]);
        }
    }
    return phrases;
}

/* Of intent i of the source, whose words begin at number *first, which moves on. */
static struct finding find(const struct source *source, size_t i, size_t *first)
{
    const struct route_words *intent = &source->intents[i];
    struct finding finding = {.intent = intent->intent};

    for (size_t k = 0; k < intent->count; k++) {
        if (!source->said[*first + k]) {
            continue;
        }
        if (finding.word == NULL) {
            finding.word = intent->words[k];
        } else if (finding.other == NULL) {
            finding.other = intent->words[k];
        }
        finding.score += source->weight * phrases_words(source->phrases, *first + k);
    }
    *first += intent->count;
    return finding;
}

/* -- intent ------------------------------------------------------------------------ */

/* Version 1: the first in the tables' order. */
static struct finding first_said(const struct source *sources, size_t count)
{
    for (size_t s = 0; s < count; s++) {
        size_t first = 0;
        for (size_t i = 0; i < sources[s].count; i++) {
            struct finding finding = find(&sources[s], i, &first);
            if (finding.word != NULL) {
                return finding;
            }
        }
    }
    return (struct finding){0};
}

/* The org may add words to a built-in intent. */
static struct finding *place_of(struct finding *list, size_t *count, const char *intent)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(list[i].intent, intent) == 0) {
            return &list[i];
        }
    }
    list[*count] = (struct finding){.intent = intent};
    return &list[(*count)++];
}

static void add_finding(struct finding *sum, const struct finding *finding)
{
    if (sum->word == NULL) {
        sum->word = finding->word;
        sum->other = finding->other;
    } else if (sum->other == NULL) {
        sum->other = finding->word;
    }
    sum->score += finding->score;
}

/* Version 2: the one that most is said of; *next is the score of the runner-up. */
static struct finding most_said(struct arena *scratch, const struct source *sources, size_t count,
                                size_t *next)
{
    struct finding best = {0};
    size_t most = 0, listed = 0;

    for (size_t s = 0; s < count; s++) {
        most += sources[s].count;
    }
    struct finding *list = arena_alloc(scratch, (most + 1) * sizeof(*list));
    for (size_t s = 0; s < count; s++) {
        size_t first = 0;
        for (size_t i = 0; i < sources[s].count; i++) {
            struct finding finding = find(&sources[s], i, &first);
            add_finding(place_of(list, &listed, finding.intent), &finding);
        }
    }
    *next = 0;
    for (size_t i = 0; i < listed; i++) {
        if (list[i].score > best.score) {
            *next = best.score;
            best = list[i];
        } else if (list[i].score > *next) {
            *next = list[i].score;
        }
    }
    return best;
}

static void tell_score(struct arena *a, const struct finding *best, size_t next,
                       struct route *route)
{
    route_add_reason(route,
                     arena_printf(a, "intent %s by \"%s\"%s%s%s, score %zu, next %zu",
                                  route->intent, best->word, best->other != NULL ? ", \"" : "",
                                  best->other != NULL ? best->other : "",
                                  best->other != NULL ? "\"" : "", best->score, next));
}

static void find_intent(struct arena *a, struct arena *scratch, const struct source *sources,
                        size_t count, struct route *route)
{
    struct finding best;
    size_t next = 0;

    best = route->version == 1 ? first_said(sources, count)
                               : most_said(scratch, sources, count, &next);
    route->intent = GENERAL_QA;
    if (best.word == NULL) {
        route_add_reason(route, "no intent word");
    } else if (best.score == next) {
        route_add_reason(route, arena_printf(a, "unsure: %s and another, score %zu each",
                                             best.intent, best.score));
    } else {
        /* The rules' owner may be gone before the route is. */
        route->intent = arena_strdup(a, best.intent);
        if (route->version == 1) {
            route_add_reason(route,
                             arena_printf(a, "intent %s by \"%s\"", route->intent, best.word));
        } else {
            tell_score(a, &best, next, route);
        }
    }
}

/* -- tier -------------------------------------------------------------------------- */

/* Upgrades only: what began with the better model is not continued by the lesser. */
static void stick(const struct route_rules *rules, const struct route_input *input,
                  struct route *route)
{
    const struct route_last *last = &input->last;

    if (rules->sticky && route->tier == ROUTE_FAST && last->known &&
        last->tier == ROUTE_REASONING && input->now_ms - last->at_ms < ROUTE_TOPIC_MS) {
        route->tier = ROUTE_REASONING;
        route_add_reason(route, "sticky: this topic is on the reasoning tier");
    }
}

static void find_tier(struct arena *a, const struct route_rules *rules,
                      const struct route_input *input, struct route *route)
{
    route->tier = ROUTE_FAST;
    if (input->context_tokens > rules->reasoning_min_tokens) {
        route->tier = ROUTE_REASONING;
        route_add_reason(route, arena_printf(a, "context_tokens %d > %d", input->context_tokens,
                                             rules->reasoning_min_tokens));
    }
    if (input->chunk_count >= rules->reasoning_min_chunks) {
        route->tier = ROUTE_REASONING;
        route_add_reason(route, arena_printf(a, "chunk_count %d >= %d", input->chunk_count,
                                             rules->reasoning_min_chunks));
    }
    if (strcmp(route->intent, DEAL_COACHING) == 0) {
        route->tier = ROUTE_REASONING;
    }
    if (route->tier == ROUTE_FAST) {
        route_add_reason(route, arena_printf(a, "context_tokens %d <= %d, chunk_count %d < %d",
                                             input->context_tokens, rules->reasoning_min_tokens,
                                             input->chunk_count, rules->reasoning_min_chunks));
    }
    stick(rules, input, route);
}

void route_decide(struct arena *a, const struct route_rules *rules, const struct route_input *input,
                  struct route *route)
{
    bool known = rules->version > 0 && rules->version <= ROUTE_VERSION_MAX;
    int version = known ? rules->version : ROUTE_VERSION;
    const struct route_table *table = route_table(version);
    struct arena scratch; /* the words are of no use to the job, which may live for minutes */

    arena_init(&scratch);
    struct words words = words_in(&scratch, input->message);
    struct source sources[2] = {
        source_of(&scratch, table->intents, table->count, table->phrases, &words),
        source_of(&scratch, rules->own, rules->own_count, own_phrases(&scratch, rules), &words),
    };
    sources[1].weight = OWN_WEIGHT;
    *route = (struct route){.version = version};
    find_intent(a, &scratch, sources, 2, route);
    arena_free(&scratch);
    find_tier(a, rules, input, route);
}

const char *route_reasons(struct arena *a, const struct route *route)
{
    const char *line = "";

    for (size_t i = 0; i < route->reason_count; i++) {
        line = arena_printf(a, "%s%s%s", line, i > 0 ? "; " : "", route->reasons[i]);
    }
    return line;
}

/* -- names ------------------------------------------------------------------------- */

const char *route_tier_name(enum route_tier tier)
{
    switch (tier) {
    case ROUTE_FAST: return "fast";
    case ROUTE_REASONING: return "reasoning";
    case ROUTE_FALLBACK: return "fallback";
    }
    return "unknown";
}

bool route_tier_read(const char *name, enum route_tier *tier)
{
    for (int i = ROUTE_FAST; i <= ROUTE_FALLBACK; i++) {
        if (strcmp(name, route_tier_name((enum route_tier)i)) == 0) {
            *tier = (enum route_tier)i;
            return true;
        }
    }
    return false;
}
