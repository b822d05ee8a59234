/* chat/model.h: which endpoint and model answer (ENG-1, ENG-2, ENG-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "chat/model.h"

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
    struct model_plan plan;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    arena_init(&f.arena);
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
    model_choose(&f->arena, &f->endpoints, &f->tenant, tier, wish, &f->plan);
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
    assert_non_null(strstr(f->plan.reason, "asked for"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tier_chooses, setup, teardown),
        cmocka_unit_test_setup_teardown(who_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_where_not_enabled, setup, teardown),
        cmocka_unit_test_setup_teardown(vendor_names_follow_the_endpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(second_provider_is_a_fallback, setup, teardown),
        cmocka_unit_test_setup_teardown(builtin_alone, setup, teardown),
    };
    return cmocka_run_group_tests_name("job model", tests, NULL, NULL);
}
