/* core/loop.h and core/pool.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct loop *loop;
static char trace[256];
static char letters[128];
#define LETTER(c) (&letters[c])

static int begin(void **state)
{
    (void)state;
    loop = loop_new();
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)i;
    trace[0] = '\0';
    return 0;
}

static int end(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

/* Adds one letter to the trace. */
static void note(void *arg)
{
    strncat(trace, arg, 1);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void note_and_defer(void *arg)
{
    note(arg);
    loop_defer(loop, note, LETTER('c'));
    loop_defer(loop, stop, NULL);
}

static void test_order_of_a_turn(void **state)
{
    struct timer *timer = timer_new(loop, note_and_defer, LETTER('t'));

    (void)state;
    loop_on_turn_end(loop, note, LETTER('1'));
    loop_on_turn_end(loop, note, LETTER('2')); /* above, so before */
    loop_defer(loop, note, LETTER('a'));
    loop_defer(loop, note, LETTER('b'));
    timer_set(timer, 0);
    loop_run(loop);
    assert_string_equal(trace, "ab21"
                               "tc21");
    timer_free(timer);
}

static void defer_itself(void *arg)
{
    int *left = arg;

    if (--*left > 0)
        loop_defer(loop, defer_itself, arg);
    else
        loop_stop(loop);
}

static void test_many_deferred(void **state)
{
    struct timer *late = timer_new(loop, stop, NULL);
    int left = 1000;
    int counts[300];

    (void)state;
    for (int i = 0; i < 300; i++) {
        counts[i] = 1000000;
        loop_defer(loop, defer_itself, &counts[i]);
    }
    for (int i = 0; i < 300; i++)
        loop_undefer(loop, defer_itself, &counts[i]);
    loop_defer(loop, defer_itself, &left);
    timer_set(late, 2000);
    loop_run(loop); /* must not wait for the timer */
    assert_true(timer_armed(late));
    assert_int_equal(left, 0);
    timer_free(late);
    assert_int_equal(counts[7], 1000000);
}

static void take_off(void *arg)
{
    note(arg);
    loop_off_turn_end(loop, take_off, arg);
    loop_off_turn_end(loop, note, LETTER('x'));
    loop_stop(loop);
}

static void test_hooks_come_off(void **state)
{
    (void)state;
    loop_on_turn_end(loop, note, LETTER('x'));
    loop_on_turn_end(loop, take_off, LETTER('o'));
    loop_defer(loop, note, LETTER('a'));
    loop_run(loop);
    assert_string_equal(trace, "ao");
}

static void test_timers(void **state)
{
    struct timer *late = timer_new(loop, stop, NULL);
    struct timer *never = timer_new(loop, note, LETTER('n'));
    struct timer *soon = timer_new(loop, note, LETTER('s'));
    int64_t start = clock_mono_ms();

    (void)state;
    timer_set(never, 10);
    timer_stop(never);
    assert_false(timer_armed(never));
    timer_set(soon, 1000000);
    timer_set(soon, 10); /* again: the last one counts */
    timer_set(late, 60);
    assert_true(timer_armed(late));
    loop_run(loop);
    assert_in_range(clock_mono_ms() - start, 55, 2000);
    assert_string_equal(trace, "s");
    assert_false(timer_armed(soon));
    timer_free(late);
    timer_free(never);
    timer_free(soon);
    timer_free(NULL);
}

static void on_signal(void *arg, int signo)
{
    assert_int_equal(signo, SIGHUP);
    note(arg);
    if (strlen(trace) == 2)
        loop_stop(loop);
    else
        raise(SIGHUP);
}

static void test_signals(void **state)
{
    (void)state;
    loop_on_signal(loop, SIGHUP, on_signal, LETTER('s'));
    raise(SIGHUP);
    loop_run(loop);
    assert_string_equal(trace, "ss");
}

struct work {
    pthread_t ran_on;
    void *resource;
    bool ran, done;
    int *left;
};

static void *open_resource(void *arg)
{
    __atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST);
    return arg;
}

static void close_resource(void *resource)
{
    __atomic_sub_fetch((int *)resource, 1, __ATOMIC_SEQ_CST);
}

static void run_work(void *resource, void *arg)
{
    struct work *work = arg;

    work->resource = resource;
    work->ran_on = pthread_self();
    usleep(100);
}

static void done_work(void *arg, bool ran)
{
    struct work *work = arg;

    work->ran = ran;
    work->done = true;
    if (--*work->left == 0)
        loop_stop(loop);
}

static void test_pool(void **state)
{
    enum { TASKS = 300 };
    static struct work work[TASKS];
    int open = 0, left = TASKS;
    struct pool *pool =
        pool_new(loop, 3, (struct pool_thread_hooks){open_resource, close_resource, &open});

    (void)state;
    assert_non_null(pool);
    for (int i = 0; i < TASKS; i++) {
        work[i].left = &left;
        assert_true(pool_submit(pool, run_work, done_work, &work[i]));
    }
    loop_run(loop);
    for (int i = 0; i < TASKS; i++) {
        assert_true(work[i].ran && work[i].done);
        assert_ptr_equal(work[i].resource, &open);
        assert_false(pthread_equal(work[i].ran_on, pthread_self()));
    }
    assert_in_range(__atomic_load_n(&open, __ATOMIC_SEQ_CST), 1, 3);
    pool_free(pool);
    assert_int_equal(open, 0);
}

static void block(void *resource, void *arg)
{
    (void)resource;
    (void)arg;
    usleep(50000);
}

static void test_pool_is_bounded_and_ends_clean(void **state)
{
    struct pool *pool = pool_new(loop, 1, (struct pool_thread_hooks){0});
    static struct work first;
    static struct work rest[5000];
    int left = 100000, queued = 0, dropped = 0;

    (void)state;
    first.left = &left;
    assert_true(pool_submit(pool, block, done_work, &first));
    loop_defer(loop, stop, NULL); /* a turn: it is the end of one that wakes threads */
    loop_run(loop);
    while (pool_queued(pool) > 0)
        usleep(100); /* the thread has it */
    for (int i = 0; i < 5000; i++) {
        rest[i].left = &left;
        rest[i].ran = true;
        queued += pool_submit(pool, run_work, done_work, &rest[i]);
    }
    assert_int_equal(queued, 4096);
    assert_int_equal(pool_queued(pool), 4096);
    pool_free(pool);
    assert_true(first.done && first.ran);
    for (int i = 0; i < 4096; i++) {
        assert_true(rest[i].done);
        dropped += !rest[i].ran;
    }
    assert_true(dropped > 4000);
    assert_false(rest[4096].done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_of_a_turn, begin, end),
        cmocka_unit_test_setup_teardown(test_many_deferred, begin, end),
        cmocka_unit_test_setup_teardown(test_hooks_come_off, begin, end),
        cmocka_unit_test_setup_teardown(test_timers, begin, end),
        cmocka_unit_test_setup_teardown(test_signals, begin, end),
        cmocka_unit_test_setup_teardown(test_pool, begin, end),
        cmocka_unit_test_setup_teardown(test_pool_is_bounded_and_ends_clean, begin, end),
    };

    log_open("test", LOG_ERROR);
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
