/* ENG-1 (providers), ENG-10 (tools): core/breaker.h: a server that keeps failing is left alone,
 * and tried again by one request at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/breaker.h"

#define FAILURES 5

static struct breaker opened(void)
{
    struct breaker breaker = {0};

    for (int i = 0; i < FAILURES; i++) {
        assert_true(breaker_allows(&breaker, i));
        breaker_failure(&breaker, i);
    }
    return breaker;
}

static void test_opens_after_failures_in_a_row(void **state)
{
    struct breaker breaker = {0};

    (void)state;
    for (int i = 0; i < 3 * FAILURES; i++) {
        breaker_failure(&breaker, i);
        if (i % 2 == 1)
            breaker_success(&breaker);
        assert_true(breaker_allows(&breaker, i));
    }
    breaker = opened();
    assert_false(breaker_allows(&breaker, FAILURES));
}

static void test_one_probe_at_a_time(void **state)
{
    struct breaker breaker = opened();
    int64_t later = breaker.open_until;

    (void)state;
    assert_false(breaker_allows(&breaker, later - 1));
    assert_true(breaker_allows(&breaker, later));
    assert_false(breaker_allows(&breaker, later + 1000)); /* the first is still out */
    breaker_success(&breaker);
    assert_true(breaker_allows(&breaker, later + 1001));
    assert_true(breaker_allows(&breaker, later + 1001));
}

static void test_a_probe_that_fails_opens_for_longer(void **state)
{
    struct breaker breaker = opened();
    int64_t first = breaker.open_ms;

    (void)state;
    for (int i = 0; i < 10; i++) {
        int64_t now = breaker.open_until;
        assert_true(breaker_allows(&breaker, now));
        breaker_failure(&breaker, now);
        assert_false(breaker_allows(&breaker, now));
        assert_true(breaker.open_ms > first);
    }
    assert_int_equal(breaker.open_ms, 120000); /* within a bound */
}

/* Whoever asked went away: nothing is known, and the next may try. */
static void test_an_abandoned_probe_lets_another_go(void **state)
{
    struct breaker breaker = opened();
    int64_t now = breaker.open_until, length = breaker.open_ms;

    (void)state;
    assert_true(breaker_allows(&breaker, now));
    breaker_abandon(&breaker);
    assert_int_equal(breaker.open_ms, length);
    assert_true(breaker_allows(&breaker, now));
    assert_false(breaker_allows(&breaker, now));
    breaker_abandon(&breaker);
    breaker_abandon(&breaker); /* of a call from before it opened */
    assert_true(breaker_allows(&breaker, now));
}

/* Who may go without takes nothing from who may not: no word of it, and no probe. */
static void test_closed_is_asked_without_a_trace(void **state)
{
    struct breaker breaker = {0};

    (void)state;
    assert_true(breaker_is_closed(&breaker));
    breaker = opened();
    assert_false(breaker_is_closed(&breaker));
    int64_t later = breaker.open_until + 1;
    assert_true(breaker_allows(&breaker, later));
    assert_false(breaker_is_closed(&breaker)); /* while it is tried */
    breaker_success(&breaker);
    assert_true(breaker_is_closed(&breaker));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_after_failures_in_a_row),
        cmocka_unit_test(test_one_probe_at_a_time),
        cmocka_unit_test(test_a_probe_that_fails_opens_for_longer),
        cmocka_unit_test(test_an_abandoned_probe_lets_another_go),
        cmocka_unit_test(test_closed_is_asked_without_a_trace),
    };

    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
