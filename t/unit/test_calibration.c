/* ENG-6: llm/calibration.h - reservations learn how a provider counts, within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <math.h>
#include <cmocka.h>

#include "llm/calibration.h"

static struct calibration c;

static int set_up(void **state)
{
    (void)state;
    c = (struct calibration){0};
    return 0;
}

static void learn(const char *model, int times, int64_t estimated, int64_t counted)
{
    for (int i = 0; i < times; i++)
        calibration_learn(&c, model, estimated, counted);
}

static void test_learns(void **state)
{
    (void)state;
    assert_int_equal(calibration_tokens(&c, "m", 1000), 1000);
    learn("m", CALIBRATION_SAMPLES - 1, 1000, 1500);
    assert_int_equal(calibration_tokens(&c, "m", 1000), 1000); /* too few to be believed */
    learn("m", 1, 1000, 1500);
    assert_int_equal(calibration_tokens(&c, "m", 1000), 1500);
    assert_int_equal(calibration_tokens(&c, "other", 1000), 1000);
}

static void test_one_sample_moves_it_little(void **state)
{
    (void)state;
    learn("m", 100, 1000, 1000);
    learn("m", 1, 1000, 3000);
    assert_int_equal(calibration_tokens(&c, "m", 1000), 1200);
    learn("m", 200, 1000, 2000);
    assert_in_range(calibration_tokens(&c, "m", 1000), 1999, 2001);
}

static void test_bounds(void **state)
{
    (void)state;
    learn("high", 50, 100, 1000000);
    assert_int_equal(calibration_tokens(&c, "high", 1000), 3000);
    learn("low", 50, 100000, 1);
    assert_int_equal(calibration_tokens(&c, "low", 1000), 500);
    calibration_take(&c, "absurd", 1e9, 1000);
    assert_int_equal(calibration_tokens(&c, "absurd", 1000), 3000);
    calibration_take(&c, "nan", (double)NAN, 1000);
    assert_int_equal(calibration_tokens(&c, "nan", 1000), 1000);
    assert_int_equal(calibration_tokens(&c, "high", INT64_MAX), INT64_MAX);
}

static void test_not_learned_from(void **state)
{
    (void)state;
    learn("m", 50, CALIBRATION_TOKENS - 1, 1000);
    learn("m", 50, 1000, 0);
    learn("m", 50, 1000, -1);
    learn("m", 50, -1, 1000);
    calibration_learn(&c, NULL, 1000, 1000);
    assert_int_equal(c.count, 0);
}

static void test_models_are_bounded(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 2 * CALIBRATION_MODELS_MAX; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        learn(name, CALIBRATION_SAMPLES, 1000, 2000);
    }
    assert_int_equal(c.count, CALIBRATION_MODELS_MAX);
    assert_int_equal(calibration_tokens(&c, "m0", 1000), 2000);
    assert_int_equal(calibration_tokens(&c, name, 1000), 1000);
}

static void test_takes_what_others_know(void **state)
{
    (void)state;
    learn("m", 10, 1000, 1000);
    calibration_take(&c, "m", 2, 5); /* less than is known here */
    assert_int_equal(calibration_tokens(&c, "m", 1000), 1000);
    calibration_take(&c, "m", 2, 500);
    assert_int_equal(calibration_tokens(&c, "m", 1000), 2000);
    assert_int_equal(c.list[0].untold, 10); /* its own is still to be told */
}

#define T(name, function)                                                                          \
    {                                                                                              \
        name, function, set_up, NULL, NULL                                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("ENG-6 ENG-16: what a provider counts is learned", test_learns),
        T("ENG-6: one sample moves it little", test_one_sample_moves_it_little),
        T("ENG-6: within bounds", test_bounds),
        T("ENG-6: what cannot be is not learned from", test_not_learned_from),
        T("ENG-6: models are bounded", test_models_are_bounded),
        T("ENG-6: what others know is taken over", test_takes_what_others_know),
    };

    return cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
}
