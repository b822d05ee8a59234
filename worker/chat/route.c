#include "chat/route.h"

#include "core/words.h"
#include "protocol/limits.h"

#include <string.h>

#define RULE_WORDS_MAX 8 /* of one rule: "where is my order" */

struct intent_words {
    const char *intent;
    const char *const *words;
    size_t count;
};

#define DEAL_COACHING "deal_coaching"
#define GENERAL_QA    "general_qa"

static const char *const email_words[] = {
    "draft", "email", "e-mail", "טיוטה",    "טיוטת", "טיוטות", "נסח",    "לנסח",
    "נסחי",  "נסחו",  "אימייל", "אימיילים", "מייל",  "מיילים", "דוא\"ל", "דואל",
};
static const char *const pipeline_words[] = {
    "pipeline", "forecast", "פייפליין", "צנרת", "תחזית", "תחזיות",
};
static const char *const deal_words[] = {
    "win",   "won",     "objection", "deal",   "עסקה",  "עסקת", "עסקאות",
    "עסקות", "התנגדות", "התנגדויות", "ניצחון", "נצחון", "ננצח", "לנצח",
};

/* First match wins, in this order. */
static const struct intent_words built_in[] = {
    {"email_drafting", email_words, sizeof(email_words) / sizeof(*email_words)},
    {"pipeline_summary", pipeline_words, sizeof(pipeline_words) / sizeof(*pipeline_words)},
    {DEAL_COACHING, deal_words, sizeof(deal_words) / sizeof(*deal_words)},
};

struct message {
    const struct word *words;
    size_t count;
};

/* A rule of several words ("e-mail", "order status") matches them side by side. */
static bool says(struct arena *scratch, const struct message *message, const char *rule)
{
    struct word words[RULE_WORDS_MAX];
    size_t count = words_of(scratch, rule, strlen(rule), words, RULE_WORDS_MAX);

    if (count == 0) {
        return false;
    }
    for (size_t at = 0; at + count <= message->count; at++) {
        size_t same = 0;
        while (same < count && word_is_form_of(&message->words[at + same], &words[same])) {
            same++;
        }
        if (same == count) {
            return true;
        }
    }
    return false;
}

/* The rule's word that the message says, NULL if none. */
static const char *first_said(struct arena *scratch, const struct message *message,
                              const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (says(scratch, message, words[i])) {
            return words[i];
        }
    }
    return NULL;
}

static void add_reason(struct route *route, const char *reason)
{
    route->reasons[route->reason_count++] = reason;
}

static void find_intent(struct arena *a, struct arena *scratch, const struct route_rules *rules,
                        const struct message *message, struct route *route)
{
    const char *word = NULL;

    for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in) && word == NULL; i++) {
        word = first_said(scratch, message, built_in[i].words, built_in[i].count);
        route->intent = built_in[i].intent;
    }
    for (size_t i = 0; i < rules->own_count && word == NULL; i++) {
        word = first_said(scratch, message, rules->own[i].words, rules->own[i].count);
        route->intent = rules->own[i].intent;
    }
    if (word == NULL) {
        route->intent = GENERAL_QA;
        add_reason(route, "no intent word");
        return;
    }
    /* The rules' owner may be gone before the route is. */
    route->intent = arena_strdup(a, route->intent);
    add_reason(route, arena_printf(a, "intent %s by \"%s\"", route->intent, word));
}

static void find_tier(struct arena *a, const struct route_rules *rules,
                      const struct route_input *input, struct route *route)
{
    route->tier = ROUTE_FAST;
    if (input->context_tokens > rules->reasoning_min_tokens) {
        route->tier = ROUTE_REASONING;
        add_reason(route, arena_printf(a, "context_tokens %d > %d", input->context_tokens,
                                       rules->reasoning_min_tokens));
    }
    if (input->chunk_count >= rules->reasoning_min_chunks) {
        route->tier = ROUTE_REASONING;
        add_reason(route, arena_printf(a, "chunk_count %d >= %d", input->chunk_count,
                                       rules->reasoning_min_chunks));
    }
    if (strcmp(route->intent, DEAL_COACHING) == 0) {
        route->tier = ROUTE_REASONING;
    }
    if (route->tier == ROUTE_FAST) {
        add_reason(route, arena_printf(a, "context_tokens %d <= %d, chunk_count %d < %d",
                                       input->context_tokens, rules->reasoning_min_tokens,
                                       input->chunk_count, rules->reasoning_min_chunks));
    }
}

void route_decide(struct arena *a, const struct route_rules *rules, const struct route_input *input,
                  struct route *route)
{
    struct arena scratch; /* the words are of no use to the job, which may live for minutes */
    size_t len = strnlen(input->message, FD_MESSAGE_MAX);
    size_t most = len / 2 + 1;

    arena_init(&scratch);
    struct word *words = arena_alloc(&scratch, most * sizeof(*words));
    struct message message = {words, words_of(&scratch, input->message, len, words, most)};
    route->reason_count = 0;
    find_intent(a, &scratch, rules, &message, route);
    arena_free(&scratch);
    find_tier(a, rules, input, route);
}

const char *route_tier_name(enum route_tier tier)
{
    switch (tier) {
    case ROUTE_FAST: return "fast";
    case ROUTE_REASONING: return "reasoning";
    case ROUTE_FALLBACK: return "fallback";
    }
    return "unknown";
}
