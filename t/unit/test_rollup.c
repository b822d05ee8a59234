/* ADM-6: migrations/0023_analytics.sql - a day's figures are the sum of its conversations, whatever
 * is counted late, corrected, deleted or broken off; and what it means that a conversation was
 * resolved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/rollup.h"
#include "tenant/visitor.h"

#define ORG    "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER  "5eed0000-0000-4000-8000-0000000000a2"
#define NO_ONE "unix:/nonexistent/redis.sock"

static struct pg_fixture pg;
static struct db *db;

static int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    return 0;
}

static int plant(void **state)
{
    (void)state;
    pg_do(&pg,
          "SET client_min_messages = warning; TRUNCATE organizations CASCADE; TRUNCATE messages;"
          "DELETE FROM marks;"
          "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine'), ('" OTHER
          "', 'Other')");
    return 0;
}

__attribute__((format(printf, 1, 2))) static const char *sql(const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return pg_do(&pg, text);
}

/* A conversation of somebody's that began so long ago. */
static void talk(const char *session, const char *visitor, const char *ago)
{
    sql("INSERT INTO conversations (org_id, session_id, user_identifier, started_at, updated_at)"
        " VALUES ('" ORG "', '%s', nullif('%s', ''), now() - interval '%s', now())",
        session, visitor, ago);
}

static void say(const char *session, const char *role, const char *ago)
{
    sql("INSERT INTO messages (org_id, conversation_id, role, content, sentiment, created_at)"
        " SELECT org_id, id, '%s', 'words', CASE '%s' WHEN 'user' THEN -1 END,"
        "        now() - interval '%s' FROM conversations WHERE session_id = '%s'",
        role, role, ago, session);
    sql("UPDATE conversations SET updated_at = now() WHERE session_id = '%s'", session);
}

static void count(void)
{
    bool more = true;

    while (more)
        assert_int_equal(rollup_conversations(db, &more), DB_OK);
    for (more = true; more;)
        assert_int_equal(rollup_resolutions(db, &more), DB_OK);
}

static int64_t day_sum(const char *figure)
{
    return strtoll(sql("SELECT coalesce(sum(n), 0) FROM outcome_daily WHERE org_id = '" ORG
                       "' AND figure = '%s'",
                       figure),
                   NULL, 10);
}

/* How many rows of days are not what the conversations add up to. */
static void assert_exact(void)
{
    const char *wrong = sql(
        "WITH rows AS (SELECT o.org_id, (o.started_at AT TIME ZONE 'UTC')::date AS day, f.figure,"
        "   f.name, sum(f.n)::bigint AS n FROM conversation_outcomes o, outcome_figures(o) f"
        "   GROUP BY 1, 2, 3, 4),"
        " a AS (TABLE rows EXCEPT TABLE outcome_daily), b AS (TABLE outcome_daily EXCEPT TABLE "
        "rows)"
        " SELECT string_agg(x::text, ' ') FROM (TABLE a UNION ALL TABLE b) x");

    if (*wrong != '\0')
        fail_msg("%s", wrong);
}

static const char *resolved(const char *session)
{
    return sql("SELECT coalesce(resolved::text, 'pending') FROM conversation_outcomes o"
               " JOIN conversations c ON c.id = o.conversation_id WHERE session_id = '%s'",
               session);
}

static void test_exact(void **state)
{
    struct visitor ann = {VISITOR_USER, "ann"};
    struct visitor_report report;

    (void)state;
    talk("a", "ann", "3 days");
    say("a", "user", "3 days");
    say("a", "assistant", "71 hours");
    talk("b", "bob", "3 days");
    say("b", "user", "3 days");
    count();
    assert_exact();
    assert_int_equal(day_sum("conversations"), 2);
    assert_int_equal(day_sum("handled_by_ai"), 1);
    count();
    assert_int_equal(day_sum("conversations"), 2); /* and not twice */

    sql("UPDATE conversations SET score = 4 WHERE session_id = 'a'"); /* late */
    count();
    assert_exact();
    assert_int_equal(day_sum("stars_ai"), 4);
    sql("UPDATE conversations SET handoff_at = now(), handoff_reason = 'my name is Ann',"
        " handoff_by = 'visitor', updated_at = now() WHERE session_id = 'a'");
    count();
    assert_exact();
    assert_int_equal(day_sum("stars_ai"), 0);
    assert_int_equal(day_sum("stars_human"), 4);
    assert_int_equal(day_sum("handoff_reason"), 1);

    assert_int_equal(visitor_delete(db, NO_ONE, ORG, &ann, "key:test", &report), DB_OK);
    assert_exact();
    assert_int_equal(day_sum("conversations"), 1);
    assert_string_equal(sql("SELECT count(*) FROM outcome_daily WHERE name LIKE '%%Ann%%'"), "0");

    sql("DELETE FROM messages"); /* as retention does: what was said goes, what was counted stays */
    count();
    assert_exact();
    assert_int_equal(day_sum("messages"), 1);
    assert_int_equal(day_sum("sentiment_negative"), 1);
    sql("DELETE FROM organizations WHERE id = '" ORG "'");
    assert_string_equal(sql("SELECT count(*) FROM outcome_daily"), "0");
}

/* Whoever dies in the middle has counted nothing, and what is counted again is not counted twice.
 */
static void test_broken_off(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        char session[16];
        snprintf(session, sizeof(session), "s%d", i);
        talk(session, "", "10 days");
        say(session, "user", "10 days");
    }
    sql("BEGIN; SELECT platform_roll_up(100); ROLLBACK");
    assert_int_equal(day_sum("conversations"), 0);
    sql("BEGIN; SELECT platform_roll_up(7); COMMIT");
    sql("BEGIN; SELECT platform_roll_up(7); SELECT platform_decide(100); ROLLBACK");
    assert_int_equal(day_sum("conversations"), 7);
    assert_exact();
    sql("UPDATE marks SET at = '-infinity' WHERE name = 'outcomes'"); /* from the beginning again */
    count();
    assert_int_equal(day_sum("conversations"), 30);
    assert_exact();
}

static void test_tests_are_not_counted(void **state)
{
    (void)state;
    talk("a", "", "1 day");
    sql("UPDATE conversations SET channel = 'test' WHERE session_id = 'a'");
    say("a", "user", "1 day");
    count();
    assert_int_equal(day_sum("conversations"), 0);
}

static void test_resolved(void **state)
{
    (void)state;
    talk("fresh", "", "1 day");
    say("fresh", "user", "1 day");
    say("fresh", "assistant", "23 hours");
    talk("lasts", "ann", "20 days");
    say("lasts", "user", "20 days");
    say("lasts", "assistant", "20 days");
    talk("again", "ann", "12 days"); /* the eighth day */
    say("again", "user", "12 days");
    say("again", "assistant", "12 days");
    talk("silence", "", "20 days");
    say("silence", "user", "20 days");
    talk("thanks", "", "20 days");
    say("thanks", "user", "20 days");
    say("thanks", "operator", "479 hours");
    say("thanks", "user", "478.9 hours");
    talk("closed", "", "20 days");
    say("closed", "operator", "479 hours");
    say("closed", "user", "478.9 hours");
    sql("UPDATE conversations SET status = 'ended' WHERE session_id = 'closed'");
    talk("reopened", "", "20 days");
    say("reopened", "user", "20 days");
    say("reopened", "assistant", "20 days");
    say("reopened", "user", "18 days");
    say("reopened", "assistant", "18 days");
    talk("waiting", "", "20 days");
    say("waiting", "user", "20 days");
    say("waiting", "assistant", "20 days");
    sql("UPDATE conversations SET status = 'waiting_human' WHERE session_id = 'waiting'");
    count();
    assert_string_equal(resolved("fresh"), "pending");
    assert_string_equal(resolved("lasts"), "true");
    assert_string_equal(resolved("again"), "true");
    assert_string_equal(resolved("silence"), "false");
    assert_string_equal(resolved("thanks"), "false"); /* the visitor's is the last word */
    assert_string_equal(resolved("closed"), "true");
    assert_string_equal(resolved("reopened"), "false");
    assert_string_equal(resolved("waiting"), "false");
    assert_exact();
    assert_string_equal(sql("SELECT count(*) FROM conversation_outcomes WHERE decided AND"
                            " visitor IS NOT NULL"),
                        "0"); /* who it was is known as long as it has to be */

    say("lasts", "user", "1 hour"); /* that it lasted stays true */
    say("silence", "assistant", "1 hour");
    sql("UPDATE conversations SET status = 'active' WHERE session_id = 'waiting'");
    say("waiting", "assistant", "8 days");
    count();
    assert_string_equal(resolved("lasts"), "true");
    assert_string_equal(resolved("silence"), "pending");
    assert_string_equal(resolved("waiting"), "true");
    assert_exact();
}

/* The same visitor within seven days, whichever of the two is counted first; and nobody else. */
static void test_came_back(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        plant(NULL);
        talk("one", "Ann", "6 days");
        say("one", "user", "6 days");
        say("one", "assistant", "6 days");
        if (first == 0)
            count();
        talk("two", "ann", "5 days");
        say("two", "user", "5 days");
        say("two", "assistant", "5 days");
        if (first == 1) {
            sql("UPDATE conversations SET updated_at = now() - interval '1 h' WHERE session_id = "
                "'two'");
            sql("SELECT platform_roll_up(1)");
            assert_string_equal(resolved("two"), "pending");
        }
        talk("three", "bob", "5 days");
        say("three", "user", "5 days");
        say("three", "assistant", "5 days");
        count();
        assert_string_equal(resolved("one"), "false");
        assert_string_equal(resolved("two"), "pending");
        assert_string_equal(resolved("three"), "pending");
        assert_exact();
    }
    sql("INSERT INTO conversations (org_id, session_id, user_identifier, started_at, updated_at)"
        " VALUES ('" OTHER "', 'theirs', 'bob', now() - interval '4 days', now())");
    count();
    assert_string_equal(resolved("three"), "pending");
}

static void test_tools(void **state)
{
    struct visitor ann = {VISITOR_USER, "ann"};
    struct visitor_report report;

    (void)state;
    talk("a", "ann", "2 days");
    talk("b", "bob", "2 days");
    sql("INSERT INTO tool_executions (org_id, conversation_id, session_id, job_id, call_id, "
        "tool_name,"
        " status, success, execution_time_ms, created_at)"
        " SELECT org_id, id, session_id, session_id || n, 'k', 'look', 'done', true, 10,"
        "        started_at FROM conversations, generate_series(1, 3) n");
    sql("INSERT INTO tool_executions (org_id, job_id, call_id, tool_name, status, success,"
        " execution_time_ms, created_at) VALUES ('" ORG "', 'old', 'k', 'look', 'done', true, 10,"
        " now() - interval '91 days')");
    sql("SELECT set_config('app.org_id', '" ORG
        "', false), count_tools((now() - interval '100 days')"
        "::date, (now() + interval '1 day')::date)");
    assert_string_equal(sql("SELECT sum(calls) FROM tool_daily"), "7");
    assert_int_equal(visitor_delete(db, NO_ONE, ORG, &ann, "key:test", &report), DB_OK);
    assert_string_equal(sql("SELECT sum(calls) FROM tool_daily"), "4");
    assert_int_equal(rollup_tools(db), DB_OK);
    assert_string_equal(sql("SELECT sum(calls) FROM tool_daily"), "4");
    sql("SELECT set_config('app.org_id', '" ORG "', false);"
        "DELETE FROM tool_executions WHERE job_id = 'old'"); /* as retention does */
    assert_string_equal(sql("SELECT sum(calls) FROM tool_daily"), "4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_exact, plant),
        cmocka_unit_test_setup(test_broken_off, plant),
        cmocka_unit_test_setup(test_tests_are_not_counted, plant),
        cmocka_unit_test_setup(test_resolved, plant),
        cmocka_unit_test_setup(test_came_back, plant),
        cmocka_unit_test_setup(test_tools, plant),
    };

    return cmocka_run_group_tests_name("ADM-6: days are the sum of their conversations", tests,
                                       set_up, tear_down);
}
