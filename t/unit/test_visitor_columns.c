/* ENG-17: tenant/visitor.h - a mark in every column of every table that may hold something of a
 * visitor: which of them an export hands over, and which a deletion leaves. A column or a table
 * that is added is in one of the lists below, or fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/conversation_export.h"
#include "tenant/visitor.h"

#define ORG    "5eed0000-0000-4000-8000-0000000000a1"
#define C1     "c0000000-0000-4000-8000-000000000001"
#define THREAD "c0000000-0000-4000-8000-000000000002"
#define NO_ONE "unix:/nonexistent/redis.sock"

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

/* Rows of the tables below, one each, all of one visitor. */
static const char *const seed =
    "SET client_min_messages = warning; TRUNCATE organizations CASCADE; TRUNCATE messages;"
    "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine');"
    "INSERT INTO conversations (id, org_id, session_id, handoff_at)"
    " VALUES ('" C1 "', '" ORG "', 's1', now());"
    "INSERT INTO messages (org_id, conversation_id, role, content, job_id, created_at)"
    " VALUES ('" ORG "', '" C1 "', 'assistant', 'said', '0-s1', now());"
    "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, state, body,"
    "   accepted_at) VALUES ('0-s1', '" ORG "', 's1', '" C1 "', 1, 'w', 'done', '{}', now());"
    "INSERT INTO tool_executions (org_id, conversation_id, session_id, job_id, call_id, tool_name)"
    " VALUES ('" ORG "', '" C1 "', 's1', '0-s1', 'k', 't');"
    "INSERT INTO usage_ledger (org_id, conversation_id, job_id, epoch, provider, model_id)"
    " VALUES ('" ORG "', '" C1 "', '0-s1', 1, 'p', 'm');"
    "INSERT INTO budget_reservations VALUES ('0-s1', '" ORG "', 1, 'w', 's1', NULL, 1, now());"
    "INSERT INTO alerts (org_id, month, kind, subject, detail) VALUES ('" ORG "', '2026-01-01',"
    "   'handoff.requested', '" C1 "/1', '{\"conversation_id\": \"" C1 "\"}');"
    "INSERT INTO conversation_summaries (conversation_id, org_id) VALUES ('" C1 "', '" ORG "');"
    "INSERT INTO channel_threads (id, org_id, channel, sender, conversation_id)"
    " VALUES ('" THREAD "', '" ORG "', 'sms', '+1', '" C1 "');"
    "INSERT INTO channel_inbox (org_id, channel, thread_id, message_id, text)"
    " VALUES ('" ORG "', 'sms', '" THREAD "', 'm', 't');"
    "INSERT INTO channel_deliveries (org_id, thread_id, kind) VALUES ('" ORG "', '" THREAD
    "', 'answer')";

/* What can be looked up by whoever was there: every table with such a column is one of these. */
#define LEADS                                                                                      \
    "'conversation_id', 'session_id', 'thread_id', 'user_ref', 'user_identifier', 'visitor'"
#define TABLES                                                                                     \
    "'conversations', 'messages', 'jobs', 'tool_executions', 'usage_ledger',"                      \
    " 'budget_reservations', 'alerts', 'conversation_summaries', 'conversation_outcomes',"         \
    " 'channel_threads', 'channel_inbox', 'channel_deliveries', 'conversation_search'"
/* of an operator's own questions */
#define OTHERS "'test_results'"

/* "MARK table.column" wherever it fits; what has to name another row, or one of few words, is as
 * it was. */
static const char *const mark =
    "DO $$ DECLARE c record; value text; BEGIN"
    " FOR c IN SELECT table_name AS t, column_name AS n, data_type AS type"
    "            FROM information_schema.columns WHERE table_schema = 'public'"
    "             AND table_name IN (" TABLES ") AND data_type IN ('text', 'jsonb')"
    "             AND column_name NOT IN ('id', 'session_id', 'job_id') LOOP"
    "  value := format('MARK %s.%s', c.t, c.n);"
    "  BEGIN"
    "   EXECUTE format('UPDATE %I SET %I = %s', c.t, c.n, CASE WHEN c.type = 'text' THEN"
    "     quote_literal(value) WHEN c.t = 'alerts' THEN"
    "     format('%I || jsonb_build_object(''reason'', %L, ''contact'', %L)', c.n, value, value)"
    "     ELSE format('jsonb_build_object(''a'', %L)', value) END);"
    "  EXCEPTION WHEN check_violation THEN NULL; END;"
    " END LOOP; END $$;"
    "UPDATE marks SET at = '-infinity'; SELECT platform_roll_up(100)";

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    arena_free(&arena);
    pg_end(&pg);
    return 0;
}

static int plant(void **state)
{
    (void)state;
    pg_do(&pg, seed);
    pg_do(&pg, "SELECT platform_roll_up(100)");
    pg_do(&pg, mark);
    return 0;
}

/* The columns whose marks are in any table, in the order of their names. */
static const char *marks_left(void)
{
    return pg_do(
        &pg, "DO $$ DECLARE t text; of_t text; found text[] := '{}'; BEGIN"
             " FOR t IN SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
             "   AND NOT relispartition AND relnamespace = 'public'::regnamespace LOOP"
             "  EXECUTE format('SELECT string_agg(m[1], '' '') FROM %I x,"
             "    regexp_matches(x::text, ''MARK ([a-z_]+[.][a-z_]+)'', ''g'') m', t) INTO of_t;"
             "  found := found || string_to_array(coalesce(of_t, ''), ' ');"
             " END LOOP;"
             " PERFORM set_config('test.left', array_to_string(ARRAY(SELECT DISTINCT unnest(found)"
             "   ORDER BY 1), ' '), false); END $$;"
             "SELECT current_setting('test.left')");
}

static void test_tables(void **state)
{
    (void)state;
    assert_string_equal(
        pg_do(&pg, "SELECT coalesce(string_agg(DISTINCT c.table_name, ' '), '')"
                   "  FROM information_schema.columns c JOIN information_schema.tables USING"
                   "       (table_schema, table_name) JOIN pg_class p ON p.relname = c.table_name"
                   "       AND NOT p.relispartition"
                   " WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE'"
                   "   AND c.column_name IN (" LEADS ")"
                   "   AND c.table_name NOT IN (" TABLES ", " OTHERS ")"),
        "");
}

/* What stays tells of a model, a worker or a receiver: no word of the visitor's, and no name. */
#define STAYS                                                                                      \
    "alerts.last_error alerts.subject jobs.owner usage_ledger.kind usage_ledger.model_id"          \
    " usage_ledger.provider"

static void test_deletion(void **state)
{
    struct visitor visitor = {VISITOR_SESSION, "s1"};
    struct visitor_report report;

    (void)state;
    assert_non_null(strstr(marks_left(), "messages.content"));
    assert_int_equal(visitor_delete(db, NO_ONE, ORG, &visitor, "key:test", &report), DB_OK);
    assert_string_equal(marks_left(), STAYS);
}

/* What an export has not: how it was done; what stands in another row of it (a question that
 * waits is a message once it is answered, who writes by a channel is the conversation's user);
 * notes that were made of its words; and the names that a site or a channel gave the visitor. */
#define KEPT_BACK                                                                                  \
    "alerts.detail alerts.last_error alerts.subject budget_reservations.owner"                     \
    " budget_reservations.user_ref channel_deliveries.author channel_deliveries.last_error"        \
    " channel_deliveries.notice channel_deliveries.text channel_inbox.channel"                     \
    " channel_inbox.message_id channel_inbox.text channel_threads.channel"                         \
    " channel_threads.language channel_threads.name channel_threads.sender channel_threads.thread" \
    " conversation_outcomes.channel conversation_outcomes.handoff_cause"                           \
    " conversation_outcomes.language conversation_outcomes.model_id"                               \
    " conversation_summaries.claimed_by conversation_summaries.content"                            \
    " conversation_summaries.model_id conversations.handoff_reason conversations.verified_id"      \
    " jobs.body jobs.outcome jobs.owner jobs.reason jobs.request_id"                               \
    " messages.client_message_id messages.tool_calls tool_executions.failure"                      \
    " tool_executions.language tool_executions.summary usage_ledger.kind usage_ledger.model_id"    \
    " usage_ledger.provider usage_ledger.user_ref "

static void test_export(void **state)
{
    struct visitor visitor = {VISITOR_SESSION, "s1"};
    struct conversation_filter filter;
    struct buf out;
    const char *next;
    bool more = true;
    size_t n;

    (void)state;
    assert_int_equal(visitor_find(db, &arena, ORG, &visitor, NULL, &filter, &n, &next), DB_OK);
    struct conversation_export *x = conversation_export_many(ORG, &filter, CONVERSATION_JSON);
    buf_init(&out, CONVERSATION_PART_MAX);
    while (more)
        assert_int_equal(conversation_export_next(x, db, &out, &more), DB_OK);
    conversation_export_free(x);

    char all[4096], missing[4096] = "";
    snprintf(all, sizeof(all), "%s", marks_left());
    for (char *name = strtok(all, " "); name != NULL; name = strtok(NULL, " ")) {
        char marked[128];
        snprintf(marked, sizeof(marked), "MARK %s\"", name);
        if (strstr(out.data, marked) == NULL)
            snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s ", name);
    }
    buf_free(&out);
    assert_string_equal(missing, KEPT_BACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_tables, plant),
        cmocka_unit_test_setup(test_deletion, plant),
        cmocka_unit_test_setup(test_export, plant),
    };

    return cmocka_run_group_tests_name("ENG-17: visitor_columns", tests, set_up, tear_down);
}
