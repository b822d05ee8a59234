/* ENG-2: intent and tier are deterministic, and say why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chat/route.h"

#include <string.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct route_rules defaults = {.reasoning_min_tokens = 2500,
                                            .reasoning_min_chunks = 4};

static struct route decide(const char *message, int tokens, int chunks)
{
    struct route_input input = {message, tokens, chunks};
    struct route route;

    route_decide(&arena, &defaults, &input, &route);
    return route;
}

static const char *intent(const char *message)
{
    return decide(message, 0, 0).intent;
}

static void contract_cases(void **state)
{
    (void)state;
    struct route route = decide("How do I unblock the Acme deal this week?", 100, 1);
    assert_string_equal(route.intent, "deal_coaching");
    assert_int_equal(route.tier, ROUTE_REASONING);

    route =
        decide("Build a win strategy for my top 5 stalled deals and draft next steps.", 4200, 5);
    assert_int_equal(route.tier, ROUTE_REASONING);
    assert_string_equal(route.intent, "email_drafting"); /* draft stands before win and deal */

    route = decide("What are your opening hours?", 120, 1);
    assert_string_equal(route.intent, "general_qa");
    assert_int_equal(route.tier, ROUTE_FAST);
}

static void thresholds(void **state)
{
    (void)state;
    assert_int_equal(decide("hello", 2500, 3).tier, ROUTE_FAST);
    assert_int_equal(decide("hello", 2501, 3).tier, ROUTE_REASONING);
    assert_int_equal(decide("hello", 0, 4).tier, ROUTE_REASONING);

    struct route_rules rules = {.reasoning_min_tokens = 10, .reasoning_min_chunks = 2};
    struct route_input input = {"hello", 11, 1};
    struct route route;
    route_decide(&arena, &rules, &input, &route);
    assert_int_equal(route.tier, ROUTE_REASONING);
}

static void first_match_wins_in_table_order(void **state)
{
    (void)state;
    assert_string_equal(intent("the deal, the forecast, an email"), "email_drafting");
    assert_string_equal(intent("the deal and the forecast"), "pipeline_summary");
    assert_string_equal(intent("objection to the deal"), "deal_coaching");
}

static void words_match_with_their_forms(void **state)
{
    (void)state;
    static const char *const email[] = {"DRAFTS",   "drafting", "drafted", "emails",
                                        "emailing", "emailed",  "e-mail",  "E-mails"};
    static const char *const pipeline[] = {"pipelines", "forecasts", "forecasting"};
    static const char *const deal[] = {"won",    "winning",    "wins",  "deals",
                                       "deal's", "objections", "(deal)"};
    for (size_t i = 0; i < sizeof(email) / sizeof(*email); i++) {
        assert_string_equal(intent(email[i]), "email_drafting");
    }
    for (size_t i = 0; i < sizeof(pipeline) / sizeof(*pipeline); i++) {
        assert_string_equal(intent(pipeline[i]), "pipeline_summary");
    }
    for (size_t i = 0; i < sizeof(deal) / sizeof(*deal); i++) {
        assert_string_equal(intent(deal[i]), "deal_coaching");
    }
}

static void other_words_do_not(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",
        "   ",
        "Open the window",
        "It won't arrive",
        "an ideal size",
        "a car dealer",
        "winter coats",
        "windows",
        "draughty",
        "mail me an e",
        "\xFF\xFE",
        "😀",
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        assert_string_equal(intent(none[i]), "general_qa");
        assert_int_equal(decide(none[i], 0, 0).tier, ROUTE_FAST);
    }
}

static void hebrew_words_with_prefixes(void **state)
{
    (void)state;
    assert_string_equal(intent("איך מקדמים את העסקה עם אקמי?"), "deal_coaching");
    assert_string_equal(intent("מה ההתנגדויות שלהם"), "deal_coaching");
    assert_string_equal(intent("תכין טיוטה ללקוח"), "email_drafting");
    assert_string_equal(intent("שלח לי דוא\"ל"), "email_drafting");
    assert_string_equal(intent("מה קורה בפייפליין"), "pipeline_summary");
    assert_string_equal(intent("והתחזית לרבעון?"), "pipeline_summary");
    assert_string_equal(intent("כמה עולה משלוח?"), "general_qa");
}

static void an_org_adds_its_own_words(void **state)
{
    (void)state;
    static const char *const order[] = {"order status", "where is my order"};
    static const char *const support[] = {"broken", "תקלה", "deal"};
    static const struct route_words own[] = {{"order_status", order, 2}, {"support", support, 3}};
    struct route_rules rules = defaults;
    rules.own = own;
    rules.own_count = 2;
    static const char *const cases[][2] = {
        {"Where is my order?", "order_status"},
        {"where is the order", "general_qa"},
        {"order statuses please", "order_status"},
        {"it is broken", "support"},
        {"יש לי תקלה", "support"},
        {"a deal", "deal_coaching"}, /* the built-in table comes first */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct route_input input = {cases[i][0], 0, 0};
        struct route route;
        route_decide(&arena, &rules, &input, &route);
        assert_string_equal(route.intent, cases[i][1]);
    }
}

static void rules_without_letters_match_nothing(void **state)
{
    (void)state;
    static const char *const words[] = {"", "?!"};
    static const struct route_words own[] = {{"odd", words, 2}};
    struct route_rules rules = defaults;
    rules.own = own;
    rules.own_count = 1;
    struct route_input input = {"?!", 0, 0};
    struct route route;
    route_decide(&arena, &rules, &input, &route);
    assert_string_equal(route.intent, "general_qa");
}

static void every_decision_has_its_reasons(void **state)
{
    (void)state;
    struct route route = decide("Any deal?", 4200, 5);
    assert_int_equal(route.reason_count, 3);
    assert_string_equal(route.reasons[0], "intent deal_coaching by \"deal\"");
    assert_string_equal(route.reasons[1], "context_tokens 4200 > 2500");
    assert_string_equal(route.reasons[2], "chunk_count 5 >= 4");

    route = decide("hello", 12, 1);
    assert_int_equal(route.reason_count, 2);
    assert_string_equal(route.reasons[0], "no intent word");
    assert_string_equal(route.reasons[1], "context_tokens 12 <= 2500, chunk_count 1 < 4");
    assert_string_equal(route_tier_name(ROUTE_FAST), "fast");
    assert_string_equal(route_tier_name(ROUTE_REASONING), "reasoning");
    assert_string_equal(route_tier_name(ROUTE_FALLBACK), "fallback");
}

/* Observable means repeatable: the same input, the same route, whatever came before. */
static void the_same_question_goes_the_same_way(void **state)
{
    (void)state;
    const char *question = "Summarise the pipeline of won deals";
    struct route first = decide(question, 2600, 2);
    for (int i = 0; i < 20; i++) {
        decide("draft an email", i, i);
        struct route again = decide(question, 2600, 2);
        assert_string_equal(again.intent, first.intent);
        assert_int_equal(again.tier, first.tier);
        assert_int_equal(again.reason_count, first.reason_count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract_cases),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(first_match_wins_in_table_order),
        cmocka_unit_test(words_match_with_their_forms),
        cmocka_unit_test(other_words_do_not),
        cmocka_unit_test(hebrew_words_with_prefixes),
        cmocka_unit_test(an_org_adds_its_own_words),
        cmocka_unit_test(rules_without_letters_match_nothing),
        cmocka_unit_test(every_decision_has_its_reasons),
        cmocka_unit_test(the_same_question_goes_the_same_way),
    };

    return cmocka_run_group_tests_name("route", tests, setup, teardown);
}
