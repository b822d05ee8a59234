/* ENG-1, ENG-2: another try, another model, or an end; the breaker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/breaker.h"
#include "llm/retry.h"

static const struct llm_retry_state first = {
    .tries_of_model = 1, .models_tried = 1, .fallback_left = true, .spent_ms = 100};

static struct llm_retry_decision decide(struct llm_retry_state state, enum llm_error_class class,
                                        int64_t retry_after_ms, int should_retry, double random)
{
    struct llm_error error = {
        .class = class, .retry_after_ms = retry_after_ms, .should_retry = should_retry};
    return llm_retry_decide(&state, &error, random);
}

/* What happens after the first failure, with and without another model. */
static void eng_2_every_class(void **state)
{
    static const struct {
        enum llm_error_class class;
        enum llm_retry_action with_fallback, alone;
    } cases[] = {
        {LLM_ERROR_CONNECT, LLM_RETRY_SAME, LLM_RETRY_SAME},
        {LLM_ERROR_TIMEOUT, LLM_RETRY_FALLBACK, LLM_RETRY_SAME},
        {LLM_ERROR_CUT, LLM_RETRY_SAME, LLM_RETRY_SAME},
        {LLM_ERROR_PROTOCOL, LLM_RETRY_SAME, LLM_RETRY_SAME},
        {LLM_ERROR_RATE, LLM_RETRY_SAME, LLM_RETRY_SAME},
        {LLM_ERROR_OVERLOADED, LLM_RETRY_SAME, LLM_RETRY_SAME},
        {LLM_ERROR_QUOTA, LLM_RETRY_FALLBACK, LLM_RETRY_GIVE_UP},
        {LLM_ERROR_AUTH, LLM_RETRY_FALLBACK, LLM_RETRY_GIVE_UP},
        {LLM_ERROR_REQUEST, LLM_RETRY_FALLBACK, LLM_RETRY_GIVE_UP},
        {LLM_ERROR_CONTEXT, LLM_RETRY_FALLBACK, LLM_RETRY_GIVE_UP},
        {LLM_ERROR_FILTER, LLM_RETRY_GIVE_UP, LLM_RETRY_GIVE_UP},
        {LLM_ERROR_NONE, LLM_RETRY_GIVE_UP, LLM_RETRY_GIVE_UP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct llm_retry_state alone = first;
        alone.fallback_left = false;
        assert_int_equal(decide(first, cases[i].class, -1, -1, 0.5).action, cases[i].with_fallback);
        assert_int_equal(decide(alone, cases[i].class, -1, -1, 0.5).action, cases[i].alone);
    }
}

static void eng_2_tries_and_models_are_bounded(void **state)
{
    struct llm_retry_state s = first;
    (void)state;
    s.tries_of_model = LLM_RETRY_TRIES_MAX;
    assert_int_equal(decide(s, LLM_ERROR_OVERLOADED, -1, -1, 0).action, LLM_RETRY_FALLBACK);
    assert_int_equal(decide(s, LLM_ERROR_OVERLOADED, -1, 1, 0).action, LLM_RETRY_FALLBACK);
    s.models_tried = LLM_RETRY_MODELS_MAX;
    assert_int_equal(decide(s, LLM_ERROR_OVERLOADED, -1, -1, 0).action, LLM_RETRY_GIVE_UP);
    s = first;
    s.spent_ms = LLM_RETRY_BUDGET_MS;
    assert_int_equal(decide(s, LLM_ERROR_CONNECT, -1, -1, 0).action, LLM_RETRY_GIVE_UP);
    s.spent_ms = LLM_RETRY_BUDGET_MS - 400;
    s.fallback_left = false;
    assert_int_equal(decide(s, LLM_ERROR_CONNECT, -1, -1, 0.9).action, LLM_RETRY_GIVE_UP);
    assert_int_equal(decide(s, LLM_ERROR_CONNECT, -1, -1, 0.1).action, LLM_RETRY_SAME);
}

static void eng_2_never_before_retry_after(void **state)
{
    struct llm_retry_state alone = first;
    (void)state;
    alone.fallback_left = false;
    for (int64_t after = 0; after <= 40000; after += 1000) {
        struct llm_retry_decision d = decide(alone, LLM_ERROR_RATE, after, -1, 0.999);
        assert_int_equal(d.action, LLM_RETRY_SAME);
        assert_true(d.delay_ms >= after);
    }
    /* nobody waits that long: another model, or nothing */
    assert_int_equal(decide(alone, LLM_ERROR_RATE, LLM_RETRY_AFTER_MAX_MS + 1, -1, 0).action,
                     LLM_RETRY_GIVE_UP);
    assert_int_equal(decide(first, LLM_ERROR_RATE, LLM_RETRY_AFTER_MAX_MS + 1, -1, 0).action,
                     LLM_RETRY_FALLBACK);
    assert_int_equal(decide(first, LLM_ERROR_RATE, 20000, -1, 0).action, LLM_RETRY_FALLBACK);
    assert_int_equal(decide(first, LLM_ERROR_RATE, 2000, -1, 0).action, LLM_RETRY_SAME);
}

static void eng_2_x_should_retry_wins(void **state)
{
    struct llm_retry_state alone = first;
    (void)state;
    alone.fallback_left = false;
    assert_int_equal(decide(alone, LLM_ERROR_OVERLOADED, -1, 0, 0).action, LLM_RETRY_GIVE_UP);
    assert_int_equal(decide(first, LLM_ERROR_OVERLOADED, -1, 0, 0).action, LLM_RETRY_FALLBACK);
    assert_int_equal(decide(alone, LLM_ERROR_REQUEST, -1, 1, 0).action, LLM_RETRY_SAME);
}

/* Full jitter; a pause also before a model that may share the quota. */
static void eng_2_jitter(void **state)
{
    struct llm_retry_state s = first;
    (void)state;
    assert_int_equal(decide(s, LLM_ERROR_CONNECT, -1, -1, 0).delay_ms, 0);
    assert_int_equal(decide(s, LLM_ERROR_CONNECT, -1, -1, 0.5).delay_ms, 250);
    s.tries_of_model = 2;
    assert_int_equal(decide(s, LLM_ERROR_OVERLOADED, -1, -1, 0.5).delay_ms, 500);
    assert_int_equal(decide(s, LLM_ERROR_CONNECT, -1, -1, 0.5).delay_ms, 0);
    s.tries_of_model = 4000000000u;
    assert_int_equal(decide(s, LLM_ERROR_OVERLOADED, -1, -1, 0.5).delay_ms, 4000);
}

static void open_breaker(struct breaker *b, int64_t now)
{
    *b = (struct breaker){0};
    for (int i = 0; i < 5; i++) {
        assert_true(breaker_allows(b, now));
        breaker_failure(b, now);
    }
}

static void eng_1_breaker_opens_and_probes(void **state)
{
    struct breaker b;
    (void)state;
    open_breaker(&b, 1000);
    assert_false(breaker_allows(&b, 1000));
    assert_false(breaker_allows(&b, 10999));
    assert_true(breaker_allows(&b, 11000)); /* the probe */
    assert_false(breaker_allows(&b, 11000));
    breaker_failure(&b, 12000); /* twice as long */
    assert_false(breaker_allows(&b, 31999));
    assert_true(breaker_allows(&b, 32000));
    breaker_success(&b);
    assert_true(breaker_allows(&b, 32000));
    assert_true(breaker_allows(&b, 32000));
}

static void eng_1_breaker_details(void **state)
{
    struct breaker b = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        breaker_failure(&b, 0);
    }
    breaker_success(&b); /* only failures in a row count */
    breaker_failure(&b, 0);
    assert_true(breaker_allows(&b, 0));

    open_breaker(&b, 1000);
    breaker_failure(&b, 9000); /* one that was out before: no longer for that */
    assert_true(breaker_allows(&b, 11000));
    breaker_abandon(&b);
    assert_true(breaker_allows(&b, 11000));

    int64_t now = 11000;
    for (int i = 0; i < 20; i++) { /* bounded at two minutes */
        breaker_failure(&b, now);
        assert_true(b.open_until - now <= 120000);
        now = b.open_until;
        assert_true(breaker_allows(&b, now));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_2_every_class),
        cmocka_unit_test(eng_2_tries_and_models_are_bounded),
        cmocka_unit_test(eng_2_never_before_retry_after),
        cmocka_unit_test(eng_2_x_should_retry_wins),
        cmocka_unit_test(eng_2_jitter),
        cmocka_unit_test(eng_1_breaker_opens_and_probes),
        cmocka_unit_test(eng_1_breaker_details),
    };
    return cmocka_run_group_tests_name("llm retry", tests, NULL, NULL);
}
