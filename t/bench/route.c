/*
 * The route decision alone: processor time of route_decide() and of model_choose(), beside
 * the least that could be done (every word of the table sought as a substring, which takes
 * "window" for "win"). Rounds alternate; the median counts. Linked with libfrontdesk.a.
 *
 *     route [ROUNDS]        prints one line of JSON
 */
#define _GNU_SOURCE /* strcasestr */
#include "cpu_time.h"

#include "route/model.h"
#include "route/route_table.h"
#include "core/buf.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 101
#define OWN_WORDS  1000

/* -- what is measured ------------------------------------------------------------------- */

struct subject {
    const char *name;
    const char *message;
    struct route_rules rules;
    int times; /* a round */
};

static void decide(const struct subject *s)
{
    struct route_input input = {.message = s->message, .context_tokens = 1200, .chunk_count = 2};
    struct route route;
    struct arena a;
    arena_init(&a);
    route_decide(&a, &s->rules, &input, &route);
    arena_free(&a);
}

static volatile size_t found; /* so that nothing is left out */

static void seek(const struct subject *s)
{
    const struct route_table *table = route_table(s->rules.version);
    for (size_t i = 0; i < table->count; i++) {
        for (size_t k = 0; k < table->intents[i].count; k++)
            found += strcasestr(s->message, table->intents[i].words[k]) != NULL;
    }
    for (size_t i = 0; i < s->rules.own_count; i++) {
        for (size_t k = 0; k < s->rules.own[i].count; k++)
            found += strcasestr(s->message, s->rules.own[i].words[k]) != NULL;
    }
}

static double round_of(void (*work)(const struct subject *s), const struct subject *s)
{
    double start = cpu_us();
    for (int i = 0; i < s->times; i++)
        work(s);
    return (cpu_us() - start) / s->times;
}

static double choose_us(int times)
{
    static const char *const ids[] = {"x/a", "x/b", "x/c", "x/d", "x/e", "x/f", "x/g", "x/h"};
    static struct tenant_model facts[8];
    struct llm_endpoints endpoints = {.count = 1};
    struct tenant tenant = {.enabled_models = ids,
                            .enabled_model_count = 8,
                            .models = facts,
                            .model_count = 8,
                            .fast_model = "x/a",
                            .max_tokens = 1000};
    struct model_ask ask = {.budget_used_percent = 92,
                            .prompt_tokens = 3000,
                            .session = "s",
                            .question = "How long does shipping take?"};
    struct model_plan plan;
    struct arena a;
    endpoints.list[0] = (struct llm_endpoint){
        .name = "openrouter", .protocol = &llm_openai, .base_url = "", .fast_model = "x/a"};
    for (int i = 0; i < 8; i++)
        facts[i] = (struct tenant_model){ids[i], "eu", 100000, 1000 * (8 - i), 1000};
    double start = cpu_us();
    for (int i = 0; i < times; i++) {
        arena_init(&a);
        model_choose(&a, &endpoints, &tenant, &ask, &plan);
        found += plan.count;
        arena_free(&a);
    }
    return (cpu_us() - start) / times;
}

/* -- subjects --------------------------------------------------------------------------- */

/* As long as a message may be, without a word of the table. */
static char *fill(const char *sentence)
{
    char *text = calloc(1, FD_MESSAGE_MAX + 1);
    size_t len = strlen(sentence);
    if (text == NULL)
        abort();
    for (size_t at = 0; at + len <= FD_MESSAGE_MAX; at += len)
        memcpy(text + at, sentence, len);
    return text;
}

static struct route_rules with_own_words(struct arena *a)
{
    static const char *words[OWN_WORDS];
    static struct route_words own = {"own", words, OWN_WORDS};
    struct phrases *phrases = phrases_new(a, OWN_WORDS);
    for (int i = 0; i < OWN_WORDS; i++) {
        words[i] = arena_printf(a, "%c%cword%d of ours", 'a' + i % 26, 'a' + i / 26 % 26, i);
        phrases_add(phrases, a, words[i]);
    }
    return (struct route_rules){.version = 1,
                                .reasoning_min_tokens = 2500,
                                .reasoning_min_chunks = 4,
                                .own = &own,
                                .own_count = 1,
                                .own_phrases = phrases};
}

static void measure(const struct subject *s, int rounds, bool first)
{
    double ours[ROUNDS_MAX], least[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        ours[i] = round_of(decide, s);
        least[i] = round_of(seek, s);
    }
    printf("%s{\"case\":\"%s\",\"us\":%.2f,\"substrings_us\":%.2f}", first ? "" : ",", s->name,
           median(ours, rounds), median(least, rounds));
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    struct arena a;
    if (rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    arena_init(&a);
    const struct route_rules v1 = {
        .version = 1, .reasoning_min_tokens = 2500, .reasoning_min_chunks = 4};
    struct route_rules v2 = v1;
    v2.version = 2;
    const struct subject subjects[] = {
        {"a question", "How do I unblock the Acme deal this week?", v1, 2000},
        {"a question, rules 2", "How do I unblock the Acme deal this week?", v2, 2000},
        {"16 KB of English", fill("The parcel had come on a rainy morning, and nobody knew why. "),
         v1, 20},
        {"16 KB of Hebrew", fill("החבילה הגיעה בבוקר גשום ואיש לא ידע מדוע ולשם מה. "), v1, 20},
        {"16 KB, 1,000 words of its own",
         fill("The parcel had come on a rainy morning, and nobody knew why. "), with_own_words(&a),
         20},
    };
    printf("{\"cases\":[");
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        measure(&subjects[i], rounds, i == 0);
    printf("],\"model_us\":%.2f}\n", choose_us(20000));
    arena_free(&a);
    return 0;
}
