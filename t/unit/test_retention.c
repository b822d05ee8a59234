/* ENG-17: tenant/retention.h - what is old goes and nothing else, and what is counted of it stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "retention_fixture.h"

#define TRIED "c0000000-0000-4000-8000-000000000005"

static void test_old_rows_go(void **state)
{
    struct retention_counts planned = due(), counts = run(NULL, NULL);

    (void)state;
    assert_int_equal(planned.messages, 1201);
    assert_int_equal(counts.messages, 1202); /* the other organisation's too */
    assert_int_equal(planned.conversations, 1);
    assert_int_equal(counts.conversations, 2);
    assert_int_equal(planned.tool_executions, 40);
    assert_int_equal(counts.tool_executions, 40);
    assert_int_equal(planned.jobs, 2);
    assert_string_equal(count("messages"), "2");
    assert_string_equal(count("conversations"), "2");
    assert_string_equal(count("jobs"), "1");
    /* a call of 50 days ago is kept, and names no conversation any more */
    assert_string_equal(count("tool_executions WHERE conversation_id IS NULL"), "1");
    assert_string_equal(count("conversation_search"), "2");
    counts = run(NULL, NULL);
    assert_int_equal(counts.messages + counts.conversations + counts.jobs + counts.tool_executions,
                     0);
}

/* ADM-8: whoever sends no more leaves no keys; in pages, of every organisation. */
static void test_idempotency_keys_go(void **state)
{
    (void)state;
    pg_do(&pg,
          "INSERT INTO idempotency_keys (org_id, actor, key_sha256, request_sha256, claim,"
          "   claimed_until, created_at)"
          " SELECT CASE WHEN n % 2 = 0 THEN '" ORG "'::uuid ELSE '" OTHER "'::uuid END, 'k', n,"
          "        '', '', now(), now() - CASE WHEN n > 2500 THEN interval '23 hours'"
          "                                    ELSE interval '25 hours' END"
          "   FROM generate_series(1, 2504) n");
    run(NULL, NULL);
    assert_string_equal(count("idempotency_keys"), "4");
    assert_string_equal(count("idempotency_keys WHERE created_at < now() - interval '24 hours'"),
                        "0");
}

/* What was counted stays, also of days whose rows went in part, and when it is counted again. */
static void test_counted_first(void **state)
{
    (void)state;
    pg_do(&pg,
          "INSERT INTO tool_executions (org_id, job_id, tool_name, status, success, created_at)"
          " SELECT '" ORG "', 'test-1', 'look', 'done', true, min(created_at)"
          "   FROM tool_executions"); /* tried by an operator: in no figure */
    run(NULL, NULL);
    assert_string_equal(count("conversation_outcomes"), "4");
    assert_string_equal(
        pg_do(&pg, "SELECT questions FROM conversation_outcomes WHERE conversation_id = '" C1 "'"),
        "1200");
    pg_do(&pg, "UPDATE conversations SET updated_at = now() WHERE id = '" C2 "'");
    run(NULL, NULL);
    assert_string_equal(
        pg_do(&pg, "SELECT questions FROM conversation_outcomes WHERE conversation_id = '" C2 "'"),
        "2");
    assert_string_equal(
        pg_do(&pg, "SELECT calls || ' ' || succeeded FROM tool_daily ORDER BY day LIMIT 1"),
        "40 30");
    pg_do(&pg, "INSERT INTO tool_executions (org_id, tool_name, status, created_at)"
               " VALUES ('" ORG "', 'look', 'done', now() - interval '100 days')");
    run(NULL, NULL);
    assert_string_equal(pg_do(&pg, "SELECT calls FROM tool_daily ORDER BY day LIMIT 1"), "40");
}

/* That a person was asked for stays; what the visitor said of himself goes with the rest. */
static void test_alerts_forget(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO alerts (org_id, month, kind, subject, detail)"
               " SELECT '" ORG "', '2026-01-01', 'handoff.requested', c, jsonb_build_object("
               "   'conversation_id', c, 'reason', 'r', 'contact', '{}'::jsonb)"
               "   FROM unnest(ARRAY['" C1 "', '" C2 "']) c");
    run(NULL, NULL);
    assert_string_equal(count("alerts WHERE detail ? 'conversation_id'"), "2");
    assert_string_equal(pg_do(&pg, "SELECT string_agg(detail->>'conversation_id', ' ') FROM alerts"
                                   " WHERE detail ? 'contact' OR detail ? 'reason'"),
                        C2);
}

/* A conversation that outlives its messages' days keeps the questions that are deleted. */
static void test_goes_on_counting(void **state)
{
    static const char *const questions =
        "SELECT questions || ' ' || feedback_up || ' ' || tool_calls FROM conversation_outcomes"
        " WHERE conversation_id = '" C2 "'";

    (void)state;
    pg_do(&pg,
          "UPDATE messages SET rating = 'up' WHERE conversation_id = '" C2 "'"
          "   AND content = 'old';"
          "INSERT INTO tool_executions (org_id, conversation_id, tool_name, status, created_at)"
          " VALUES ('" ORG "', '" C2 "', 'look', 'done', now() - interval '99 days')");
    run(NULL, NULL);
    assert_string_equal(pg_do(&pg, questions), "2 1 1");
    pg_do(&pg, "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
               " SELECT '" ORG "', '" C2 "', 'user', 'more', now() FROM generate_series(1, 3);"
               "UPDATE conversations SET updated_at = now() WHERE id = '" C2 "'");
    run(NULL, NULL);
    assert_string_equal(pg_do(&pg, questions), "5 1 1");
}

/* A session that comes back has a conversation of the same id, counted apart. */
static void test_second_life(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO usage_ledger (org_id, conversation_id, job_id, epoch, provider,"
               "   model_id, cost_micro, created_at)"
               " VALUES ('" ORG "', '" C1 "', 'x', 1, 'p', 'm', 7, now() - interval '50 days')");
    run(NULL, NULL);
    pg_do(&pg, "INSERT INTO conversations (id, org_id, session_id) VALUES ('" C1 "', '" ORG "',"
               " 's1');"
               "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
               " VALUES ('" ORG "', '" C1 "', 'user', 'back', now())");
    run(NULL, NULL);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(questions || '/' || cost_micro, ' '"
                                   "   ORDER BY started_at) FROM conversation_outcomes"
                                   " WHERE conversation_id = '" C1 "'"),
                        "1200/7 1/0");
}

/* What was said is in no index and in no summary when it is deleted. */
static void test_words_go_too(void **state)
{
    (void)state;
    pg_do(&pg, "UPDATE messages SET content = 'walrus' WHERE content = 'old';"
               "INSERT INTO conversation_summaries (conversation_id, org_id, content, through_at)"
               " VALUES ('" C2 "', '" ORG "', 'about a walrus', now() - interval '49 days'),"
               "        ('" C3 "', '" ORG "', 'about new', now() - interval '2 days')");
    run(NULL, NULL);
    assert_string_equal(count("conversation_search WHERE search @@ typed_words('walrus')"), "0");
    assert_string_equal(count("conversation_search WHERE search @@ typed_words('new')"), "2");
    assert_string_equal(count("conversation_summaries"), "1");
    assert_string_equal(count("conversation_summaries WHERE content ~ 'walrus'"), "0");
}

/* Days of many pages are counted whole, each before the first of its calls goes. */
static void test_days_of_many_calls(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO tool_executions (org_id, tool_name, status, created_at)"
               " SELECT '" ORG "', 'much', 'done', date_trunc('day', now()) - interval '100 days'"
               "        - (n % 3) * interval '1 day' + n * interval '1 s'"
               "   FROM generate_series(1, 4500) n");
    assert_int_equal(run(NULL, NULL).tool_executions, 4540);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(calls::text, ' ') FROM tool_daily"
                                   " WHERE tool_name = 'much'"),
                        "1500 1500 1500");
}

static void test_days_are_an_organisations(void **state)
{
    (void)state;
    assert_int_equal(retention_set(db, ORG, 60, 365), DB_OK);
    struct retention_counts counts = run(NULL, NULL);
    assert_int_equal(counts.messages, 1); /* the other's */
    assert_int_equal(counts.tool_executions, 0);
    assert_int_equal(retention_set(db, ORG, 1, 1), DB_OK);
    counts = run(ORG, NULL);
    assert_int_equal(counts.messages, 1202);
    assert_string_equal(count("messages"), "1");
    static const int bad[][2] = {{0, 90}, {30, 0}, {3651, 90}, {30, 3651}, {-1, 1}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(retention_set(db, ORG, bad[i][0], bad[i][1]), DB_FAILED);
        assert_non_null(strstr(db_error(db), "_days"));
    }
}

/* The month's questions are counted of jobs: those stay, without what was asked. */
static void test_month_is_still_counted(void **state)
{
    (void)state;
    pg_do(&pg, "UPDATE jobs SET accepted_at = now() WHERE id = '0-a'");
    run(NULL, NULL);
    assert_string_equal(
        pg_do(&pg, "SELECT session_id || body || coalesce(conversation_id::text, '-') FROM jobs"
                   " WHERE id = '0-a'"),
        "{}-");
    assert_string_equal(
        pg_do(&pg, "SELECT used FROM platform_month_usage() WHERE org_id = '" ORG "'"), "2");
}

/* What an operator tried out grows old like a visitor's, and is in no tool's figures. */
static void test_tests_go(void **state)
{
    (void)state;
    pg_do(&pg,
          "INSERT INTO conversations (id, org_id, session_id, channel, started_at, updated_at)"
          " VALUES ('" TRIED "', '" ORG "', 't', 'test', now() - interval '50 days',"
          "         now() - interval '50 days');"
          "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
          " VALUES ('" ORG "', '" TRIED "', 'user', 'try', now() - interval '50 days');"
          "INSERT INTO tool_executions (org_id, conversation_id, tool_name, status, created_at)"
          " VALUES ('" ORG "', '" TRIED "', 'tried', 'done', now() - interval '50 days');"
          "INSERT INTO test_runs (org_id, arms, total, actor, status, created_at)"
          " SELECT '" ORG "', '[]', 1, 'command', s, now() - days * interval '1 day'"
          "   FROM (VALUES ('done', 50), ('failed', 50), ('running', 50), ('done', 2))"
          "     AS runs (s, days);"
          "INSERT INTO test_results (run_id, org_id, case_id, arm, position, name, message,"
          "   expect) SELECT id, org_id, id, 0, 0, 'n', 'm', '{}' FROM test_runs");
    assert_int_equal(due().test_runs, 2);
    assert_int_equal(run(NULL, NULL).test_runs, 2);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(status, ' ' ORDER BY status) FROM test_runs"),
                        "done running");
    assert_string_equal(count("test_results"), "2");
    assert_string_equal(count("conversations WHERE channel = 'test'"), "0");
    assert_string_equal(count("messages WHERE content = 'try'"), "0");
    assert_string_equal(count("tool_executions WHERE tool_name = 'tried'"), "0");
    assert_string_equal(count("tool_daily WHERE tool_name = 'tried'"), "0");
    assert_int_equal(due().test_runs, 0);
}

/* A question whose worker never came back is as old as any other. */
static void test_lost_jobs_go(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO jobs (id, org_id, session_id, epoch, owner, state, body, accepted_at)"
               " VALUES ('0-lost', '" ORG "', 's', 1, 'w', 'running', '{\"m\": 1}',"
               "         now() - interval '70 days')");
    assert_int_equal(due().jobs, 3);
    run(NULL, NULL);
    assert_string_equal(count("jobs WHERE id = '0-lost'"), "0");
}

/* Tables that only ever grow: of each a row that is old, and one that is not yet or is needed. */
static const char *const records[][2] = {
    {"integration_calls WHERE endpoint = ",
     "INSERT INTO client_integrations (id, org_id, type, name)"
     " VALUES ('" C1 "', '" ORG "', 'shopify', 'n');"
     "INSERT INTO integration_calls (org_id, integration_id, endpoint, failure, created_at)"
     " SELECT '" ORG "', '" C1 "', name, 'ok', now() - days * interval '1 day'"
     "   FROM (VALUES ('old', 32), ('new', 28)) AS calls (name, days)"},
    {"channel_deliveries WHERE kind = 'answer' AND text = ",
     "INSERT INTO channel_threads (id, org_id, channel, sender, conversation_id, seen_at)"
     " VALUES ('" C3 "', '" ORG "', 'sms', 'known', '" C3 "', now() - interval '50 days');"
     "INSERT INTO channel_deliveries (org_id, thread_id, kind, text, state, created_at)"
     " SELECT '" ORG "', '" C3 "', 'answer', name, state, now() - days * interval '1 day'"
     "   FROM (VALUES ('old', 'delivered', 32), ('new', 'pending', 32), ('new', 'failed', 28))"
     "     AS sent (name, state, days)"},
    {"channel_inbox WHERE message_id || text = ",
     "INSERT INTO channel_inbox (org_id, channel, thread_id, message_id, text, state, received_at)"
     " SELECT '" ORG "', 'sms', '" C3 "', name, more, state, now() - days * interval '1 day'"
     "   FROM (VALUES ('old', '', 'answered', 32), ('n', 'ew', 'pending', 32),"
     "                ('ne', 'w', 'answered', 28)) AS got (name, more, state, days)"},
    {"channel_threads WHERE sender = ",
     "INSERT INTO channel_threads (org_id, channel, sender, seen_at)"
     " VALUES ('" ORG "', 'sms', 'old', now() - interval '32 days'),"
     "        ('" ORG "', 'sms', 'new', now() - interval '28 days')"},
    {"alerts WHERE subject = ",
     "INSERT INTO alerts (org_id, month, kind, subject, delivery, created_at)"
     " VALUES ('" ORG
     "', '2020-01-01', 'price_unknown', 'old', 'none', now() - interval '92 days'),"
     "        ('" ORG "', '2020-02-01', 'price_unknown', 'new', 'pending',"
     "         now() - interval '92 days'),"
     "        ('" ORG
     "', '2020-03-01', 'price_unknown', 'new', 'none', now() - interval '88 days')"},
    {"user_sessions WHERE agent = ",
     "INSERT INTO users (id, org_id, email, role) VALUES ('" C1 "', '" ORG "', 'e', 'staff');"
     "INSERT INTO user_sessions (org_id, user_id, nonce_sha256, agent, created_at, access_until)"
     " VALUES ('" ORG "', '" C1 "', '', 'old', now() - interval '92 days', now()),"
     "        ('" ORG "', '" C1 "', '', 'new', now() - interval '92 days',"
     "         now() + interval '1 hour'),"
     "        ('" ORG "', '" C1 "', '', 'new', now() - interval '88 days', now())"},
    {"usage_ledger WHERE model_id = ",
     "INSERT INTO usage_ledger (org_id, conversation_id, provider, model_id, created_at)"
     " VALUES ('" ORG "', gen_random_uuid(), 'p', 'old', now() - interval '402 days'),"
     "        ('" ORG "', '" C3 "', 'p', 'new', now() - interval '402 days'),"
     "        ('" ORG "', NULL, 'p', 'new', now() - interval '398 days')"},
};

static void test_records_go(void **state)
{
    const size_t kinds = sizeof(records) / sizeof(records[0]);
    char rows[160];

    (void)state;
    for (size_t i = 0; i < kinds; i++)
        pg_do(&pg, records[i][1]);
    assert_int_equal(due().records, kinds);
    assert_int_equal(run(NULL, NULL).records, kinds);
    for (size_t i = 0; i < kinds; i++) {
        snprintf(rows, sizeof(rows), "%s'old'", records[i][0]);
        assert_string_equal(count(rows), "0");
        snprintf(rows, sizeof(rows), "%s'new'", records[i][0]);
        assert_string_not_equal(count(rows), "0");
    }
    assert_string_equal(count("channel_deliveries"), "2");
    assert_string_equal(count("channel_inbox"), "2");
    assert_string_equal(count("channel_threads"), "2");
    assert_string_equal(count("alerts"), "2");
    assert_string_equal(count("user_sessions"), "2");
    assert_string_equal(count("usage_ledger"), "2");
}

/* What an answer cost stays; for whom, no longer than what was said, or the month's caps need. */
static void test_names_go(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO usage_ledger (org_id, provider, model_id, user_ref, cost_micro,"
               "   created_at) VALUES ('" ORG "', 'p', 'm', 'dana', 7, now() - interval '50 days'),"
               "                      ('" ORG "', 'p', 'm', 'noa', 7, now())");
    assert_int_equal(due().records, 1);
    run(NULL, NULL);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(user_ref, ' ') FROM usage_ledger"), "noa");
    assert_string_equal(pg_do(&pg, "SELECT sum(cost_micro) FROM usage_ledger"), "14");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH("ENG-17: what is old goes, and nothing else", test_old_rows_go),
        EACH("ADM-8: idempotency keys go after a day, whoever stops", test_idempotency_keys_go),
        EACH("ENG-17: nothing is deleted before it is counted", test_counted_first),
        EACH("ENG-17: requests for a person lose their contact", test_alerts_forget),
        EACH("ENG-17: what is deleted of a conversation that goes on stays counted",
             test_goes_on_counting),
        EACH("ENG-17: a session's second conversation is counted apart", test_second_life),
        EACH("ENG-17: words are in no index or summary any more", test_words_go_too),
        EACH("ENG-17: days of many calls are counted whole", test_days_of_many_calls),
        EACH("ENG-17: each organisation has days of its own", test_days_are_an_organisations),
        EACH("ENG-17: the month's quota is counted all the same", test_month_is_still_counted),
        EACH("ENG-17: ADM-4: tests and their runs go", test_tests_go),
        EACH("ENG-17: jobs of workers that are gone go", test_lost_jobs_go),
        EACH("ENG-17: records go after their time, and what is needed stays", test_records_go),
        EACH("ENG-17: whom an answer was for is forgotten", test_names_go),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
