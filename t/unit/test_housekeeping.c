/* ENG-17: tenant/housekeeping.h, db/turn.h - one pass in its order, whoever does it and wherever it
 * was broken off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "retention_fixture.h"

#define OLD_MESSAGES "messages WHERE created_at < now() - interval '31 days' AND org_id "

/* Rows that are older than anybody's days. */
static void assert_nothing_is_gone(void)
{
    assert_string_equal(count("messages"), "1204");
    assert_string_equal(count("conversations"), "4");
    assert_string_equal(count("tool_executions"), "41");
    assert_string_equal(count("jobs"), "3");
}

/* What a step may leave behind: whoever is killed after it leaves the same. */
static void assert_in_order(const struct housekeeping *pass, const char *org)
{
    char old[160];

    assert_int_equal(pass->counts.partitions, 0);
    assert_false(pass->dropped);
    snprintf(old, sizeof(old), OLD_MESSAGES "= '%s'", org);
    if (pass->counts.conversations > (int64_t)pass->next) /* one of each organisation is old */
        assert_string_equal(count(old), "0");
    snprintf(old, sizeof(old), OLD_MESSAGES "<> '%s'", org);
    if (pass->next == 0)
        assert_string_not_equal(count(old), "0");
    assert_true(strtol(pg_do(&pg, "SELECT coalesce(sum(calls), 0) FROM tool_daily"), NULL, 10) >=
                pass->counts.tool_executions);
}

/* Counted and listed; then one organisation after the other, messages before their
 * conversation; months last. */
static void test_in_order(void **state)
{
    struct turn turn = {.name = RETENTION_TURN};
    struct housekeeping pass = {0};
    bool mine, done = false;

    (void)state;
    assert_int_equal(turn_take(db, &turn, &mine), DB_OK);
    while (!pass.listed) {
        assert_int_equal(housekeeping_step(db, &turn, &pass, &done), DB_OK);
        assert_nothing_is_gone();
    }
    assert_true(pass.counted && pass.tools_counted);
    assert_string_equal(count("conversation_outcomes"), "4");
    while (pass.next < pass.org_count) {
        size_t at = pass.next;
        assert_int_equal(housekeeping_step(db, &turn, &pass, &done), DB_OK);
        assert_true(pass.next == at || pass.next == at + 1);
        assert_in_order(&pass, pass.orgs[at].id);
    }
    while (!done)
        assert_int_equal(housekeeping_step(db, &turn, &pass, &done), DB_OK);
    assert_true(pass.dropped);
    assert_int_equal(pass.counts.messages, 1202);
    assert_int_equal(pass.counts.conversations, 2);
    housekeeping_free(&pass);
    turn_give(db, &turn);
}

static const char *partitions(void)
{
    return pg_do(&pg,
                 "SELECT count(*) FROM messages_partitions() WHERE last_day < current_date - 30");
}

static void test_months_are_dropped(void **state)
{
    (void)state;
    pg_do(&pg, "SELECT platform_messages_partition((now() - interval '200 days')::date),"
               "       platform_messages_partition((now() - interval '50 days')::date)");
    assert_string_not_equal(partitions(), "0");
    pg_do(&pg, "INSERT INTO retention_settings VALUES ('" OTHER "', 300, 90)");
    assert_int_equal(run(NULL, NULL).partitions, 0); /* somebody keeps them */
    assert_string_equal(count("messages WHERE org_id = '" OTHER "'"), "1");
    pg_do(&pg, "DELETE FROM retention_settings");
    assert_int_equal(run(ORG, NULL).partitions, 0); /* of one organisation alone none */
    assert_true(run(NULL, NULL).partitions >= 1);
    assert_string_equal(partitions(), "0");
    assert_string_equal(count("messages"), "2");
}

static void test_today_is_never_dropped(void **state)
{
    (void)state;
    assert_int_equal(retention_set(db, ORG, 1, 1), DB_OK);
    assert_int_equal(retention_set(db, OTHER, 1, 1), DB_OK);
    for (int i = 0; i < 50; i++)
        pg_do(&pg, "SELECT platform_drop_messages_partition()");
    assert_string_equal(
        count("messages_partitions() WHERE current_date BETWEEN first_day AND last_day"), "1");
    pg_do(&pg, "TRUNCATE organizations CASCADE");
    assert_string_equal(pg_do(&pg, "SELECT platform_drop_messages_partition()"), "");
}

/* Days that are made longer while a pass runs hold for what it has yet to do. */
static void test_days_change_meanwhile(void **state)
{
    struct turn turn = {.name = RETENTION_TURN};
    struct housekeeping pass = {0};
    bool mine, done = false;

    (void)state;
    pg_do(&pg, "SELECT platform_messages_partition((now() - interval '50 days')::date)");
    assert_int_equal(turn_take(db, &turn, &mine), DB_OK);
    while (!pass.listed)
        assert_int_equal(housekeeping_step(db, &turn, &pass, &done), DB_OK);
    assert_int_equal(retention_set(db, OTHER, 300, 90), DB_OK);
    while (!done)
        assert_int_equal(housekeeping_step(db, &turn, &pass, &done), DB_OK);
    turn_give(db, &turn);
    assert_int_equal(pass.counts.partitions, 0);
    assert_string_equal(count("messages WHERE org_id = '" OTHER "'"), "1");
    assert_string_equal(count("messages WHERE org_id = '" ORG "'"), "2");
    housekeeping_free(&pass);
}

/* One organisation whose rows cannot be deleted, or not in time, is not in the others' way. */
static void fails_alone(const char *how)
{
    struct turn turn = {.name = RETENTION_TURN};
    struct housekeeping pass = {0};
    bool mine, done = false;
    char sql[512];

    snprintf(sql, sizeof(sql),
             "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
             " IF OLD.org_id = '" ORG "' THEN %s; END IF; RETURN OLD; END $$;"
             "CREATE TRIGGER refuse BEFORE DELETE ON messages FOR EACH ROW"
             " EXECUTE FUNCTION refuse()",
             how);
    pg_do(&pg, sql);
    assert_int_equal(turn_take(db, &turn, &mine), DB_OK);
    for (int steps = 0; !done && steps < 200; steps++)
        assert_int_equal(housekeeping_step(db, &turn, &pass, &done), DB_OK);
    turn_give(db, &turn);
    pg_do(&pg, "DROP FUNCTION refuse CASCADE");
    assert_true(done);
    assert_int_equal(pass.failed, 1);
    assert_string_equal(count("messages WHERE org_id = '" OTHER "'"), "0");
    assert_string_equal(count("messages WHERE org_id = '" ORG "'"), "1203");
    housekeeping_free(&pass);
}

static void test_failure_of_one(void **state)
{
    (void)state;
    fails_alone("RAISE EXCEPTION 'no'");
    plant(state);
    fails_alone("RAISE EXCEPTION 'too long' USING ERRCODE = '57014'");
}

static void test_turns(void **state)
{
    struct turn one = {.name = "t"}, two = {.name = "t", .owner = "another"};
    struct retention_counts counts = {0};
    struct retention_org org = {.id = ORG, .message_days = 30, .tool_execution_days = 90};
    bool mine, more;

    (void)state;
    assert_int_equal(turn_take(db, &one, &mine), DB_OK);
    assert_true(mine);
    assert_int_equal(turn_take(db, &two, &mine), DB_OK);
    assert_false(mine);
    pg_do(&pg, "UPDATE leases SET expires_at = now() - interval '1 s'"); /* it hung */
    assert_int_equal(turn_take(db, &two, &mine), DB_OK);
    assert_true(mine && two.number > one.number);
    assert_int_equal(turn_renew(db, &one), DB_BUSY);
    assert_int_equal(retention_step(db, &one, NULL, &org, &counts, &more), DB_BUSY);
    assert_string_equal(count("messages"), "1204"); /* who was taken over from deletes nothing */
    turn_give(db, &one);                            /* and takes nothing away */
    assert_int_equal(turn_renew(db, &two), DB_OK);
    turn_give(db, &two);
    assert_int_equal(turn_take(db, &one, &mine), DB_OK);
    assert_true(mine);
}

/* A step holds its turn to its end: who takes over waits, and sees what it did. */
static void test_take_over_waits(void **state)
{
    struct turn one = {.name = "w"}, two = {.name = "w", .owner = "another"};
    struct db *second = db_new(pg.app, "second");
    bool mine;

    (void)state;
    assert_int_equal(turn_take(db, &one, &mine), DB_OK);
    pg_do(&pg, "UPDATE leases SET expires_at = now() - interval '1 s'");
    assert_int_equal(db_begin(db, ORG), DB_OK);
    assert_int_equal(turn_hold(db, &one), DB_OK);
    assert_int_equal(turn_take(second, &two, &mine), DB_BUSY); /* the lock's time ran out */
    assert_int_equal(db_commit(db), DB_OK);
    assert_int_equal(turn_take(second, &two, &mine), DB_OK);
    assert_false(mine); /* it gave a sign of life */
    db_free(second);
}

static void test_due_once(void **state)
{
    struct arena a;
    const char *last;
    bool is_due;

    (void)state;
    arena_init(&a);
    assert_int_equal(housekeeping_last(db, &a, &last), DB_OK);
    assert_null(last);
    assert_int_equal(housekeeping_due(db, 3600, &is_due), DB_OK);
    assert_true(is_due);
    assert_int_equal(housekeeping_due(db, 3600, &is_due), DB_OK);
    assert_false(is_due);
    pg_do(&pg, "UPDATE marks SET at = at - interval '2 hours'");
    assert_int_equal(housekeeping_due(db, 3600, &is_due), DB_OK);
    assert_true(is_due);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH("ENG-17: counted, then deleted one after the other, months last", test_in_order),
        EACH("ENG-17: a month nobody keeps is a dropped partition", test_months_are_dropped),
        EACH("ENG-17: today's month is never dropped", test_today_is_never_dropped),
        EACH("ENG-17: days may change while it runs", test_days_change_meanwhile),
        EACH("ENG-17: what fails with one organisation is done for the others",
             test_failure_of_one),
        EACH("ENG-17: one process at a time, fenced", test_turns),
        EACH("ENG-17: a take-over waits for the step that runs", test_take_over_waits),
        EACH("ENG-17: a pass an hour", test_due_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
