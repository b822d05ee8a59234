/* ENG-2: intent and tier are deterministic, and say why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "route/route.h"

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
    struct route_input input = {
        .message = message, .context_tokens = tokens, .chunk_count = chunks};
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
    struct route_input input = {.message = "hello", .context_tokens = 11, .chunk_count = 1};
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
        struct route_input input = {.message = cases[i][0]};
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
    struct route_input input = {.message = "?!"};
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

/* -- ENG-2: stickiness, versions ------------------------------------------------------- */

static struct route follow(bool sticky, enum route_tier last, int64_t idle_ms, const char *message)
{
    struct route_rules rules = defaults;
    rules.sticky = sticky;
    struct route_input input = {.message = message,
                                .last = {.known = true, .tier = last, .at_ms = 1000000},
                                .now_ms = 1000000 + idle_ms};
    struct route route;
    route_decide(&arena, &rules, &input, &route);
    return route;
}

static void sticky_only_upgrades_and_only_within_a_topic(void **state)
{
    (void)state;
    struct route route = follow(true, ROUTE_REASONING, 60000, "and then?");
    assert_int_equal(route.tier, ROUTE_REASONING);
    assert_string_equal(route.reasons[route.reason_count - 1],
                        "sticky: this topic is on the reasoning tier");
    assert_int_equal(follow(false, ROUTE_REASONING, 60000, "and then?").tier, ROUTE_FAST);
    assert_int_equal(follow(true, ROUTE_FAST, 60000, "any deal?").tier, ROUTE_REASONING);
    assert_int_equal(follow(true, ROUTE_FAST, 60000, "and then?").tier, ROUTE_FAST);
    assert_int_equal(follow(true, ROUTE_REASONING, ROUTE_TOPIC_MS - 1, "hm").tier, ROUTE_REASONING);
    assert_int_equal(follow(true, ROUTE_REASONING, ROUTE_TOPIC_MS, "hm").tier, ROUTE_FAST);

    struct route_rules rules = defaults; /* a conversation that begins */
    rules.sticky = true;
    struct route_input input = {.message = "hm", .now_ms = 5};
    route_decide(&arena, &rules, &input, &route);
    assert_int_equal(route.tier, ROUTE_FAST);
}

static struct route by_version(int version, const char *message, const struct route_words *own,
                               size_t own_count)
{
    struct route_rules rules = defaults;
    rules.version = version;
    rules.own = own;
    rules.own_count = own_count;
    struct route_input input = {.message = message};
    struct route route;
    route_decide(&arena, &rules, &input, &route);
    return route;
}

static void version_2_weighs_and_abstains(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* message, version 1, version 2 */
        {"How do I unblock the Acme deal this week?", "deal_coaching", "deal_coaching"},
        {"Draft a reply: the win on this deal, their objection", "email_drafting", "deal_coaching"},
        {"A draft for the deal", "email_drafting", "general_qa"}, /* one word each: unsure */
        {"Where is my order?", "general_qa", "order_status"},
        {"My chair arrived broken, I want a refund", "general_qa", "support"},
        {"Can I book an appointment?", "general_qa", "booking"},
        {"איפה ההזמנה שלי?", "general_qa", "order_status"},
        {"יש לי תקלה והמסך לא עובד", "general_qa", "support"},
        {"אפשר לקבוע תור ליום שני?", "general_qa", "booking"},
        {"What are your opening hours?", "general_qa", "general_qa"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (int version = 1; version <= 2; version++) {
            struct route route = by_version(version, cases[i][0], NULL, 0);
            if (strcmp(route.intent, cases[i][version]) != 0)
                fail_msg("%s: version %d says %s", cases[i][0], version, route.intent);
            assert_int_equal(route.version, version);
        }
    }
    struct route route = by_version(2, "A draft for the deal", NULL, 0);
    assert_non_null(strstr(route.reasons[0], "unsure: "));
    assert_int_equal(by_version(0, "x", NULL, 0).version, ROUTE_VERSION);
    assert_int_equal(by_version(99, "x", NULL, 0).version, ROUTE_VERSION);
}

static void version_2_adds_an_orgs_words_to_an_intent(void **state)
{
    (void)state;
    static const char *const words[] = {"wobble", "draft horse"};
    static const struct route_words own[] = {{"support", words, 1}, {"animals", words + 1, 1}};
    struct route route = by_version(2, "A broken deal, and it wobbles", own, 2);
    assert_string_equal(route.intent, "support"); /* 1 + 2 against 1 */
    assert_string_equal(route.reasons[0],
                        "intent support by \"broken\", \"wobble\", score 3, next 1");
    assert_string_equal(by_version(2, "a draft horse", own, 2).intent, "animals");
}

/* As an org's settings bring them: compiled once, the same answers. */
static void compiled_words_decide_alike(void **state)
{
    (void)state;
    static const char *const words[] = {"", "order status", "?!", "broken"};
    static const struct route_words own[] = {{"order_status", words, 3}, {"support", words + 3, 1}};
    struct phrases *phrases = phrases_new(&arena, 4);
    for (size_t i = 0; i < 5; i++) /* one too many is dropped */
        phrases_add(phrases, &arena, words[i % 4]);
    assert_int_equal(phrases_count(phrases), 4);
    struct route_rules rules = defaults;
    rules.own = own;
    rules.own_count = 2;
    rules.own_phrases = phrases;
    static const char *const cases[][2] = {
        {"ORDER statuses", "order_status"}, {"it is broken", "support"}, {"?!", "general_qa"}};
    for (size_t i = 0; i < 3; i++) {
        struct route_input input = {.message = cases[i][0]};
        struct route route;
        route_decide(&arena, &rules, &input, &route);
        assert_string_equal(route.intent, cases[i][1]);
    }
}

static void tiers_have_names(void **state)
{
    (void)state;
    enum route_tier tier = ROUTE_FAST;
    assert_true(route_tier_read("reasoning", &tier));
    assert_int_equal(tier, ROUTE_REASONING);
    assert_false(route_tier_read("deep", &tier));
    struct route route = {0};
    for (int i = 0; i < 2 * ROUTE_REASONS_MAX; i++)
        route_add_reason(&route, "r");
    route_add_reason(&route, NULL);
    assert_int_equal(route.reason_count, ROUTE_REASONS_MAX);
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
        cmocka_unit_test(sticky_only_upgrades_and_only_within_a_topic),
        cmocka_unit_test(version_2_weighs_and_abstains),
        cmocka_unit_test(version_2_adds_an_orgs_words_to_an_intent),
        cmocka_unit_test(compiled_words_decide_alike),
        cmocka_unit_test(tiers_have_names),
    };

    return cmocka_run_group_tests_name("route", tests, setup, teardown);
}
