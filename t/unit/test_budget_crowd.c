/* ENG-16: a thousand requests at once, over many connections to a real PostgreSQL, spend
 * not one micro-dollar more than there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "budget_fixture.h"

#include <pthread.h>

#define CROWD  20 /* connections */
#define EACH   50 /* requests of each */
#define BUDGET 500000
#define SPENT  300000 /* before they come: room for 187 of the thousand at once */

struct crowd {
    int number;
    pthread_t thread;
    struct db *db;
    bool granted[EACH];
    int first, second, refused, wrong;
};

static pthread_barrier_t all_have_asked;
static long long held_by_all;

static enum budget_verdict ask(struct crowd *me, int n)
{
    char job[32], session[40];
    struct budget_word word;
    enum db_status status = DB_BUSY;

    snprintf(job, sizeof(job), "crowd-%d", n);
    snprintf(session, sizeof(session), "%032d", n);
    struct budget_ask what = ask_of(job);
    what.session = session;
    for (int i = 0; i < 50 && (status == DB_BUSY || status == DB_LOST); i++)
        status = budget_reserve(me->db, &what, &word);
    me->wrong += status != DB_OK;
    return status == DB_OK ? word.verdict : BUDGET_LATER;
}

/* One in ten fails without a call, the others cost up to the most. */
static void end(struct crowd *me, int n)
{
    char job[32], session[40];
    int64_t output = n % 10 == 0 ? -1 : 1 + n % MAX_TOKENS;
    enum db_status status = DB_BUSY;

    snprintf(job, sizeof(job), "crowd-%d", n);
    snprintf(session, sizeof(session), "%032d", n);
    for (int i = 0; i < 50 && (status == DB_BUSY || status == DB_LOST); i++)
        status =
            end_job(me->db, job, session, NULL, output < 0 ? ANSWER_FAILED : ANSWER_DONE, output);
    me->wrong += status != DB_OK;
}

/* All ask before any of them is answered; who is refused asks again while others end. */
static void *ask_and_end(void *arg)
{
    struct crowd *me = arg;
    int first = me->number * EACH;

    for (int i = 0; i < EACH; i++) {
        me->granted[i] = ask(me, first + i) == BUDGET_GRANTED;
        me->first += me->granted[i];
    }
    if (pthread_barrier_wait(&all_have_asked) == PTHREAD_BARRIER_SERIAL_THREAD)
        held_by_all = atoll(held());
    pthread_barrier_wait(&all_have_asked);
    for (int i = 0; i < EACH; i++) {
        bool again = !me->granted[i] && ask(me, first + i) == BUDGET_GRANTED;
        if (me->granted[i] || again)
            end(me, first + i);
        me->second += again;
        me->refused += !me->granted[i] && !again;
    }
    return NULL;
}

static void test_the_crowd(void **state)
{
    static struct crowd crowd[CROWD];
    int first = 0, second = 0, refused = 0, wrong = 0;

    (void)state;
    cap(ORG, "0.50", NULL, NULL);
    pg_do(&pg, "INSERT INTO api_usage (org_id, date, model_id, cost_estimate) VALUES ('" ORG
               "', (now() AT TIME ZONE 'UTC')::date, 'm', 300000)");
    pthread_barrier_init(&all_have_asked, NULL, CROWD);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct crowd){.number = i, .db = db_new(pg.app, "crowd")};
        assert_int_equal(db_connect(crowd[i].db), DB_OK);
    }
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, ask_and_end, &crowd[i]), 0);
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        first += crowd[i].first;
        second += crowd[i].second;
        refused += crowd[i].refused;
        wrong += crowd[i].wrong;
        db_free(crowd[i].db);
    }
    pthread_barrier_destroy(&all_have_asked);
    long long spent = atoll(pg_do(&pg, "SELECT sum(cost_estimate) FROM api_usage"));
    printf("# %d granted at once, %d later, %d refused; %lld of %d spent\n", first, second, refused,
           spent, BUDGET);
    assert_int_equal(wrong, 0);
    assert_int_equal(first, (BUDGET - SPENT) / WORST);
    assert_int_equal(held_by_all, first * WORST);
    assert_int_equal(first + second + refused, CROWD * EACH);
    assert_true(second > 0); /* what was not used was free again */
    assert_true(spent <= BUDGET);
    assert_string_equal(held(), "0");
    assert_string_equal(pg_do(&pg, "SELECT (SELECT sum(cost_micro) FROM usage_ledger) + 300000"
                                   " = (SELECT sum(cost_estimate) FROM api_usage)"),
                        "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_crowd, afresh),
    };
    return cmocka_run_group_tests_name("budget_crowd", tests, set_up, tear_down);
}
