/* One organisation takes neither all threads nor all streams (ADM-8). */
#include "admin/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 40

static int went;

static void go(void *arg)
{
    went++;
    *(int *)arg = went;
}

struct request {
    struct gate_pass pass;
    int turn; /* 0: it stands in the line */
};

static enum gate_verdict enter(struct gate *gate, struct request *r, enum gate_kind kind,
                               const char *org)
{
    *r = (struct request){.pass = {.org = org, .kind = kind, .go = go, .arg = &r->turn}};
    return gate_enter(gate, &r->pass);
}

static int setup(void **state)
{
    went = 0;
    *state = gate_new(4);
    return 0;
}

static int teardown(void **state)
{
    gate_free(*state);
    return 0;
}

static void test_waiting_ones(void **state)
{
    struct request a, again, b, c, quick;

    assert_int_equal(enter(*state, &a, GATE_WAITS, "a"), GATE_IN);
    assert_int_equal(enter(*state, &again, GATE_WAITS, "a"), GATE_FULL_OF_YOURS);
    assert_int_equal(enter(*state, &b, GATE_WAITS, "b"), GATE_IN);
    assert_int_equal(enter(*state, &c, GATE_WAITS, "c"), GATE_FULL);
    assert_int_equal(went, 2);
    assert_int_equal(enter(*state, &quick, GATE_QUICK, "a"), GATE_IN);
    assert_int_equal(quick.turn, 3);
    gate_leave(*state, &c.pass); /* it never was in */
    gate_leave(*state, &a.pass);
    assert_int_equal(enter(*state, &c, GATE_WAITS, "c"), GATE_IN);
    assert_int_equal(enter(*state, &a, GATE_WAITS, "a"), GATE_FULL);
}

static void test_quick_ones_stand_in_a_line(void **state)
{
    struct request mine[MANY], other;
    int in = 0;

    while (in < MANY && enter(*state, &mine[in], GATE_QUICK, "a") == GATE_IN)
        in++;
    assert_int_equal(went, 2);
    assert_in_range(in, 10, MANY - 1);
    assert_int_equal(enter(*state, &other, GATE_QUICK, "b"), GATE_IN);
    assert_int_equal(other.turn, 3);
    for (int i = 0; i < in; i++)
        gate_leave(*state, &mine[i].pass);
    assert_int_equal(went, in + 1);
    for (int i = 3; i < in; i++)
        assert_true(mine[i].turn > mine[i - 1].turn);
}

static void test_nobodys_are_not_counted(void **state)
{
    struct request r[MANY];

    for (int i = 0; i < MANY; i++)
        assert_int_equal(enter(*state, &r[i], GATE_QUICK, NULL), GATE_IN);
    assert_int_equal(went, MANY);
}

static void test_streams(void **state)
{
    static const char *const orgs[] = {"a", "b", "c", "d", "e"};
    struct request r[5][4], more;

    for (int org = 0; org < 4; org++) {
        for (int i = 0; i < 4; i++)
            assert_int_equal(enter(*state, &r[org][i], GATE_STREAM, orgs[org]), GATE_IN);
        assert_int_equal(enter(*state, &more, GATE_STREAM, orgs[org]), GATE_FULL_OF_YOURS);
    }
    assert_int_equal(enter(*state, &more, GATE_STREAM, orgs[4]), GATE_FULL);
    gate_leave(*state, &r[2][1].pass);
    assert_int_equal(enter(*state, &more, GATE_STREAM, orgs[4]), GATE_IN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waiting_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quick_ones_stand_in_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobodys_are_not_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_streams, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
