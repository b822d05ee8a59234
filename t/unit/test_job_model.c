/* route/model.h: which endpoint and model answer (ENG-1, ENG-2, ENG-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "route/model.h"

#include <stdio.h>
#include <string.h>

static struct llm_endpoint openrouter = {.name = "openrouter",
                                         .protocol = &llm_openai,
                                         .base_url = "https://openrouter.ai/api/v1",
                                         .fast_model = "openai/fast",
                                         .reasoning_model = "anthropic/deep",
                                         .fallback_model = "google/spare"};
static struct llm_endpoint anthropic = {.name = "anthropic",
                                        .protocol = &llm_anthropic,
                                        .base_url = "https://api.anthropic.com",
                                        .fast_model = "a-fast",
                                        .reasoning_model = "a-deep",
                                        .fallback_model = "a-spare"};
static struct llm_endpoint openai = {.name = "openai",
                                     .protocol = &llm_openai,
                                     .base_url = "https://api.openai.com/v1",
                                     .fast_model = "o-fast",
                                     .reasoning_model = "o-deep",
                                     .fallback_model = "o-spare"};
static struct llm_endpoint builtin = {.name = "builtin",
                                      .base_url = "",
                                      .fast_model = "builtin",
                                      .reasoning_model = "builtin",
                                      .fallback_model = "builtin"};

struct fixture {
    struct arena arena;
    struct llm_endpoints endpoints;
    struct tenant tenant;
    struct model_ask ask;
    struct model_plan plan;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    arena_init(&f.arena);
    f.ask.budget_used_percent = -1;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_free(&((struct fixture *)*state)->arena);
    return 0;
}

static void with(struct fixture *f, const struct llm_endpoint *first,
                 const struct llm_endpoint *second)
{
    f->endpoints.count = 0;
    f->endpoints.list[f->endpoints.count++] = *first;
    if (second != NULL)
        f->endpoints.list[f->endpoints.count++] = *second;
}

static void choose(struct fixture *f, enum route_tier tier, const char *wish)
{
    struct model_ask ask = f->ask;
    ask.tier = tier;
    ask.wish = wish;
    model_choose(&f->arena, &f->endpoints, &f->tenant, &ask, &f->plan);
}

static void tier_chooses(void **state)
{
    struct fixture *f = *state;
    with(f, &openrouter, &builtin);
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(f->plan.candidates[0].model, "openai/fast");
    assert_string_equal(f->plan.candidates[1].model, "google/spare");
    assert_int_equal(f->plan.count, 2); /* the built-in never hides an outage */
    choose(f, ROUTE_REASONING, "auto");
    assert_string_equal(f->plan.candidates[0].model, "anthropic/deep");
    f->tenant.reasoning_model = "x/own";
    choose(f, ROUTE_REASONING, "");
    assert_string_equal(f->plan.candidates[0].model, "x/own");
}

/* Precedence: explicit choice, the org's default where it routes so, tier. */
static void who_wins(void **state)
{
    struct fixture *f = *state;
    static const char *const enabled[] = {"x/one", "x/two"};
    with(f, &openrouter, &builtin);
    f->tenant.enabled_models = enabled;
    f->tenant.enabled_model_count = 2;
    f->tenant.default_model = "x/two";
    choose(f, ROUTE_FAST, NULL); /* the tier's own model is not enabled */
    assert_string_equal(f->plan.candidates[0].model, "x/two");
    assert_int_equal(f->plan.count, 1); /* nor is the fallback */
    f->tenant.fast_model = "x/one";
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(f->plan.candidates[0].model, "x/one");
    f->tenant.route_by_default_model = true;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(f->plan.candidates[0].model, "x/two");
    choose(f, ROUTE_FAST, "x/one");
    assert_string_equal(f->plan.candidates[0].model, "x/one");
    assert_non_null(strstr(f->plan.reasons[0], "asked for"));
}

static void refused_where_not_enabled(void **state)
{
    struct fixture *f = *state;
    static const char *const enabled[] = {"x/one"};
    with(f, &openrouter, &builtin);
    choose(f, ROUTE_FAST, "openai/dearest"); /* no list: only what settings name */
    assert_int_equal(f->plan.count, 0);
    assert_string_equal(f->plan.refused, "openai/dearest");
    choose(f, ROUTE_FAST, "anthropic/deep");
    assert_int_equal(f->plan.refused == NULL, 1);
    f->tenant.enabled_models = enabled;
    f->tenant.enabled_model_count = 1;
    choose(f, ROUTE_FAST, "anthropic/deep");
    assert_string_equal(f->plan.refused, "anthropic/deep");
}

static void vendor_names_follow_the_endpoint(void **state)
{
    struct fixture *f = *state;
    static const char *const enabled[] = {"openai/gpt", "anthropic/claude", "google/gem"};
    f->tenant.enabled_models = enabled;
    f->tenant.enabled_model_count = 3;
    with(f, &openai, &anthropic);
    choose(f, ROUTE_FAST, "openai/gpt");
    assert_string_equal(f->plan.candidates[0].model, "gpt");
    choose(f, ROUTE_FAST, "anthropic/claude");
    assert_string_equal(f->plan.candidates[0].endpoint->name, "anthropic");
    assert_string_equal(f->plan.candidates[0].model, "claude");
    choose(f, ROUTE_FAST, "google/gem"); /* nobody here has it: said, and answered by another */
    assert_string_equal(f->plan.instead, "google/gem");
    assert_true(f->plan.count > 0);
    assert_string_equal(f->plan.candidates[0].model, "gpt");
}

static void second_provider_is_a_fallback(void **state)
{
    struct fixture *f = *state;
    with(f, &openai, &anthropic);
    choose(f, ROUTE_FAST, NULL);
    assert_int_equal(f->plan.count, 3);
    assert_string_equal(f->plan.candidates[1].model, "o-spare");
    assert_string_equal(f->plan.candidates[2].endpoint->name, "anthropic");
    assert_int_equal(f->plan.candidates[2].tier, ROUTE_FALLBACK);
}

/* ENG-1: with no provider the built-in answers, whatever models the org has. */
static void builtin_alone(void **state)
{
    struct fixture *f = *state;
    static const char *const enabled[] = {"openai/gpt"};
    with(f, &builtin, NULL);
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(f->plan.candidates[0].model, "builtin");
    assert_null(f->plan.instead);
    f->tenant.enabled_models = enabled;
    f->tenant.enabled_model_count = 1;
    f->tenant.fast_model = "openai/gpt";
    choose(f, ROUTE_FAST, "openai/gpt");
    assert_int_equal(f->plan.count, 1);
    assert_string_equal(f->plan.candidates[0].model, "builtin");
    assert_string_equal(f->plan.instead, "openai/gpt");
}

/* -- ENG-3, ENG-4 --------------------------------------------------------------------------- */

/* Prices in micro-dollars per million tokens. */
static const struct tenant_model facts[] = {{"x/dear", "us", 8000, 15000000, 75000000, -1},
                                            {"x/fair", "eu", 128000, 2000000, 8000000, -1},
                                            {"x/cheap", "eu", 16000, 100000, 400000, -1},
                                            {"x/dark", "eu", 200000, -1, -1, -1},
                                            {"x/gemini-pro-1.5", "us", 2000000, 1, 1, -1},
                                            {"openai/fast", "us", 100000, 400000, 1600000, -1},
                                            {"google/spare", "EU", 100000, 10000, 40000, -1}};

static const char *const list[] = {"x/dear", "x/fair", "x/cheap", "x/dark"};

static void with_list(struct fixture *f, size_t count)
{
    with(f, &openrouter, &builtin);
    f->tenant.enabled_models = list;
    f->tenant.enabled_model_count = count;
    f->tenant.models = facts;
    f->tenant.model_count = sizeof(facts) / sizeof(*facts);
    f->tenant.fast_model = "x/fair";
    f->tenant.reasoning_model = "x/dear";
    f->tenant.max_tokens = 1000;
}

static const char *chosen(const struct fixture *f)
{
    return f->plan.count > 0 ? f->plan.candidates[0].model : "none";
}

static void near_the_budget_the_cheapest(void **state)
{
    struct fixture *f = *state;
    with_list(f, 4);
    f->tenant.fallback_model = "x/dark"; /* not near the budget: its price is not known */
    f->ask.budget_used_percent = 89;
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/dear");
    f->ask.budget_used_percent = 90;
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/cheap");
    assert_string_equal(f->plan.reasons[0], "budget: 90 % used, x/cheap is the cheapest");
    assert_string_equal(f->plan.candidates[1].model, "x/fair"); /* next if it fails */
    assert_int_equal(f->plan.count, 3); /* of the fourth no price is known: it is not cheap */
    choose(f, ROUTE_FAST, "x/dear");    /* the budget stands above the user's choice, and says so */
    assert_string_equal(chosen(f), "x/cheap");
    assert_string_equal(f->plan.instead, "x/dear");
    choose(f, ROUTE_FAST, "x/cheap");
    assert_null(f->plan.instead);
    choose(f, ROUTE_FAST, "x/other"); /* but not above what is enabled at all */
    assert_int_equal(f->plan.refusal, MODEL_NOT_ENABLED);
}

static void without_prices_the_tier_decides_near_the_budget(void **state)
{
    struct fixture *f = *state;
    with_list(f, 4);
    f->tenant.model_count = 0;
    f->ask.budget_used_percent = 95;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(chosen(f), "x/fair");
    assert_string_equal(f->plan.reasons[0], "budget: 95 % used, no price is known");
}

static void a_spent_budget_refuses_what_costs(void **state)
{
    struct fixture *f = *state;
    with_list(f, 4);
    f->ask.budget_used_percent = 100;
    choose(f, ROUTE_FAST, NULL);
    assert_int_equal(f->plan.count, 0);
    assert_int_equal(f->plan.refusal, MODEL_OVER_BUDGET);
    choose(f, ROUTE_FAST, "x/cheap");
    assert_int_equal(f->plan.refusal, MODEL_OVER_BUDGET);
    f->ask.budget_used_percent = 250;
    f->tenant.model_count = 0; /* nor does what is not known cost nothing */
    choose(f, ROUTE_FAST, NULL);
    assert_int_equal(f->plan.refusal, MODEL_OVER_BUDGET);

    static const struct tenant_model free_one[] = {{"x/dark", NULL, -1, 0, 0, -1}};
    f->tenant.models = free_one;
    f->tenant.model_count = 1;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(chosen(f), "x/dark");
    assert_int_equal(f->plan.count, 1); /* no fallback that costs */
    with(f, &builtin, NULL);
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(chosen(f), "builtin");
}

static void regions_fence_every_way_to_a_model(void **state)
{
    struct fixture *f = *state;
    static const char *const europe[] = {"eu"};
    with_list(f, 4);
    f->tenant.regions = europe;
    f->tenant.region_count = 1;
    choose(f, ROUTE_REASONING, NULL); /* its model is in the us */
    assert_string_equal(chosen(f), "x/fair");
    choose(f, ROUTE_FAST, "x/dear"); /* as if it were not enabled */
    assert_int_equal(f->plan.refusal, MODEL_NOT_ENABLED);
    f->tenant.fallback_model = "x/dear";
    choose(f, ROUTE_FAST, NULL);
    assert_int_equal(f->plan.count, 1);
    f->tenant.model_count = 0; /* a region that nobody knows is not allowed */
    choose(f, ROUTE_FAST, NULL);
    assert_int_equal(f->plan.count, 0);
    assert_int_equal(f->plan.refusal, MODEL_NOWHERE);

    with_list(f, 0); /* the endpoint's own models are fenced as well; case does not count */
    f->tenant.fast_model = f->tenant.reasoning_model = f->tenant.fallback_model = NULL;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(chosen(f), "google/spare");
    assert_int_equal(f->plan.count, 1);
    with(f, &builtin, NULL); /* sends nothing anywhere */
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(chosen(f), "builtin");
}

static void a_larger_window_only_when_it_is_needed(void **state)
{
    struct fixture *f = *state;
    static const char *const longer[] = {"x/dear", "x/fair", "x/cheap", "x/gemini-pro-1.5"};
    with_list(f, 3);
    f->ask.prompt_tokens = 7000; /* and 1000 for the answer */
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/dear");
    assert_null(f->plan.outgrown);
    f->ask.prompt_tokens = 7001;
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/cheap"); /* the cheapest that holds it */
    assert_string_equal(f->plan.outgrown, "x/dear");
    assert_string_equal(f->plan.reasons[0], "window: 8001 tokens, x/dear holds 8000");
    choose(f, ROUTE_FAST, "x/dear"); /* one that was asked for, too */
    assert_string_equal(chosen(f), "x/cheap");
    f->tenant.enabled_models = longer;
    f->tenant.enabled_model_count = 4;
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/gemini-pro-1.5");
    f->ask.prompt_tokens = 3000000; /* no window holds it: the provider's word then */
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/dear");
    assert_null(f->plan.outgrown);
    f->ask.prompt_tokens = 20000; /* near the budget: of those that hold it */
    f->ask.budget_used_percent = 99;
    f->tenant.enabled_model_count = 3;
    choose(f, ROUTE_REASONING, NULL);
    assert_string_equal(chosen(f), "x/fair");
}

static void a_model_is_suggested_not_used(void **state)
{
    struct fixture *f = *state;
    static const char *const models[] = {"x/fair", "x/gemini-pro-1.5", "claude-3-haiku",
                                         "anthropic/claude-3-5-sonnet"};
    with_list(f, 3);
    f->tenant.enabled_models = models;
    f->tenant.enabled_model_count = 4;
    f->ask.conversation_tokens = MODEL_LONG_TOKENS;
    choose(f, ROUTE_FAST, NULL);
    assert_null(f->plan.suggested);
    f->ask.conversation_tokens++;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(chosen(f), "x/fair");
    assert_string_equal(f->plan.suggested, "x/gemini-pro-1.5");
    f->ask.conversation_tokens = 0;
    static const char *const questions[][2] = {
        {"Why does my code crash?", "anthropic/claude-3-5-sonnet"},
        {"Something simple", "claude-3-haiku"},
        {"Write a poem", NULL}, /* claude-3-opus is not enabled */
        {"Hello", NULL},
    };
    for (size_t i = 0; i < 4; i++) {
        f->ask.question = questions[i][0];
        choose(f, ROUTE_FAST, NULL);
        if (questions[i][1] == NULL)
            assert_null(f->plan.suggested);
        else
            assert_string_equal(f->plan.suggested, questions[i][1]);
    }
    f->ask.question = "code";
    choose(f, ROUTE_FAST, "anthropic/claude-3-5-sonnet"); /* it answers already */
    assert_null(f->plan.suggested);
}

static void presets_are_wishes(void **state)
{
    struct fixture *f = *state;
    static const char *const models[] = {"x/fair", "openai/gpt-4", "google/gemini-pro"};
    with_list(f, 3);
    f->tenant.enabled_models = models;
    choose(f, ROUTE_FAST, "preset:analysis");
    assert_string_equal(chosen(f), "openai/gpt-4");
    choose(f, ROUTE_FAST, "preset:cheap"); /* none of its models is enabled */
    assert_int_equal(f->plan.refusal, MODEL_NOT_ENABLED);
    assert_string_equal(f->plan.refused, "preset:cheap");
    choose(f, ROUTE_FAST, "preset:nonsense");
    assert_int_equal(f->plan.refusal, MODEL_NOT_ENABLED);

    struct fd_json_fault fault;
    const char *own = "{\"cheap\":[\"x/none\",5,\"x/fair\"],\"coding\":[]}";
    f->tenant.presets = fd_json_parse(own, strlen(own), (struct fd_json_limits){0},
                                      arena_allocator(&f->arena), &fault);
    choose(f, ROUTE_FAST, "preset:cheap");
    assert_string_equal(chosen(f), "x/fair");
    choose(f, ROUTE_FAST, "preset:coding"); /* emptied by the org */
    assert_int_equal(f->plan.refusal, MODEL_NOT_ENABLED);
}

static void a_split_deals_conversations(void **state)
{
    struct fixture *f = *state;
    struct tenant_split split = {"spring", 30, {{"x/fair", NULL}, {"x/cheap", "x/cheap"}}};
    char session[32];
    int b = 0;
    with_list(f, 4);
    choose(f, ROUTE_FAST, NULL);
    assert_null(f->plan.arm);
    f->tenant.split = &split;
    f->ask.session = session;
    for (int i = 0; i < 2000; i++) {
        snprintf(session, sizeof(session), "session-%d", i);
        choose(f, ROUTE_FAST, NULL);
        const char *arm = f->plan.arm, *model = chosen(f);
        assert_string_equal(model, *arm == 'b' ? "x/cheap" : "x/fair");
        b += *arm == 'b';
        choose(f, ROUTE_REASONING, NULL); /* the same arm, and its model of that tier */
        assert_string_equal(f->plan.arm, arm);
        assert_string_equal(chosen(f), *arm == 'b' ? "x/cheap" : "x/dear");
    }
    assert_in_range(b, 540, 660);
    choose(f, ROUTE_FAST, "x/dark"); /* who chooses is in neither */
    assert_null(f->plan.arm);
    f->ask.budget_used_percent = 95;
    choose(f, ROUTE_FAST, NULL);
    assert_null(f->plan.arm);
    f->ask.budget_used_percent = -1;
    split.percent = 0;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(f->plan.arm, "a");
    split.percent = 100;
    choose(f, ROUTE_FAST, NULL);
    assert_string_equal(f->plan.arm, "b");
    f->tenant.enabled_model_count = 2; /* x/cheap is gone: the tier, and no arm */
    choose(f, ROUTE_FAST, NULL);
    assert_null(f->plan.arm);
    assert_string_equal(chosen(f), "x/fair");
}

/* Two names of one model are two models to the org and one to the provider. */
static void one_model_may_have_two_names(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"openai/gpt", "gpt"};
    with(f, &openai, NULL);
    f->tenant.enabled_models = names;
    f->tenant.enabled_model_count = 2;
    for (size_t i = 0; i < 2; i++) {
        choose(f, ROUTE_FAST, names[i]);
        assert_string_equal(chosen(f), "gpt");
        assert_null(f->plan.instead);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tier_chooses, setup, teardown),
        cmocka_unit_test_setup_teardown(who_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_where_not_enabled, setup, teardown),
        cmocka_unit_test_setup_teardown(vendor_names_follow_the_endpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(second_provider_is_a_fallback, setup, teardown),
        cmocka_unit_test_setup_teardown(builtin_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(near_the_budget_the_cheapest, setup, teardown),
        cmocka_unit_test_setup_teardown(without_prices_the_tier_decides_near_the_budget, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_spent_budget_refuses_what_costs, setup, teardown),
        cmocka_unit_test_setup_teardown(regions_fence_every_way_to_a_model, setup, teardown),
        cmocka_unit_test_setup_teardown(a_larger_window_only_when_it_is_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_model_is_suggested_not_used, setup, teardown),
        cmocka_unit_test_setup_teardown(presets_are_wishes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_split_deals_conversations, setup, teardown),
        cmocka_unit_test_setup_teardown(one_model_may_have_two_names, setup, teardown),
    };
    return cmocka_run_group_tests_name("job model", tests, NULL, NULL);
}
