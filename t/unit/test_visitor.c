/* ENG-17: tenant/visitor.h - all of one visitor, and nothing of anybody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/conversation_export.h"
#include "tenant/visitor.h"

#define ORG    "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER  "5eed0000-0000-4000-8000-0000000000a2"
#define C1     "c0000000-0000-4000-8000-000000000001"
#define C2     "c0000000-0000-4000-8000-000000000002"
#define C3     "c0000000-0000-4000-8000-000000000003"
#define C4     "c0000000-0000-4000-8000-000000000004"
#define C5     "c0000000-0000-4000-8000-000000000005"
#define NO_ONE "unix:/nonexistent/redis.sock"

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

/* Ann by her name, by the site's proof, by the form; Bob; and Ann at another organisation. */
/* clang-format off */
static const char *const seed =
    "SET client_min_messages = warning;"
    " TRUNCATE organizations CASCADE;"
    " TRUNCATE messages;"
    "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine'), ('" OTHER "', 'Other');"
    "INSERT INTO articles (org_id, slug, title, body) VALUES ('" ORG "', 'a', 'Ann', "
    "'ann@x.example');"
    "INSERT INTO conversations (id, org_id, session_id, user_identifier, verified_id, "
    "verified_email, contact, title) VALUES ('" C1 "', '" ORG "', 's1', 'ann', NULL, NULL, '{}', "
    "'SECRET-1'), ('" C2 "', '" ORG "', 's2', NULL, 'Ann', 'Ann@x.example', '{}', 'SECRET-2'), "
    "('" C3 "', '" ORG "', 's3', NULL, NULL, NULL, '{\"email\": \"ANN@x.example\"}', "
    "'SECRET-3'), ('" C4 "', '" ORG "', 's4', 'bob', NULL, NULL, '{\"email\": "
    "\"bob@x.example\"}', 'bob'), ('" C5 "', '" OTHER "', 's5', 'ann', NULL, 'ann@x.example', "
    "'{}', 'theirs');"
    "INSERT INTO messages (org_id, conversation_id, role, content, job_id, created_at) SELECT "
    "org_id, id, 'user', 'SECRET of ' || title, '0-' || session_id, now() FROM conversations;"
    "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, state, body, "
    "accepted_at) SELECT '0-' || session_id, org_id, session_id, id, 1, 'w', 'done', "
    "'{\"message\": \"SECRET\"}',        now() FROM conversations;"
    "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, state, body, "
    "accepted_at) VALUES ('0-dry', '" ORG "', 's1', NULL, 1, 'w', 'done', '{\"message\": "
    "\"SECRET\"}', now()),        ('0-old', '" ORG "', 's1', '" C1 "', 1, 'w', 'done', "
    "'{\"message\": \"SECRET\"}',         now() - interval '60 days');"
    "INSERT INTO tool_executions (org_id, conversation_id, session_id, job_id, call_id, "
    "tool_name, parameters) SELECT org_id, id, session_id, '0-' || session_id, 'k', 'look', "
    "'{\"who\": \"SECRET\"}'   FROM conversations;"
    "INSERT INTO usage_ledger (org_id, conversation_id, job_id, epoch, provider, model_id, "
    "cost_micro, user_ref) SELECT org_id, id, '0-' || session_id, 1, 'p', 'm', 7, "
    "user_identifier FROM conversations;"
    "INSERT INTO usage_ledger (org_id, job_id, epoch, provider, model_id, cost_micro, user_ref) "
    "VALUES ('" ORG "', 'gone', 1, 'p', 'm', 7, 'ann');"
    "INSERT INTO budget_reservations VALUES ('r', '" ORG "', 1, 'w', 's1', 'ann', 1, now());"
    "SELECT platform_roll_up(100)";
/* clang-format on */

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
    pg_do(&pg, "INSERT INTO alerts (org_id, month, kind, subject, detail) VALUES ('" ORG
               "', '2026-01-01', 'handoff.requested', '" C1 "/1', '{\"conversation_id\": \"" C1
               "\", \"reason\": \"SECRET\", \"contact\": {\"name\": \"SECRET\"}}')"
               " ON CONFLICT (org_id, month, kind, subject) DO UPDATE SET detail = "
               "EXCLUDED.detail");
    pg_do(&pg, "UPDATE marks SET at = '-infinity'; SELECT platform_roll_up(100)");
    return 0;
}

static const char *count(const char *what)
{
    char sql[512];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", what);
    return pg_do(&pg, sql);
}

static struct visitor_report forget(enum visitor_named_by named_by, const char *name)
{
    struct visitor visitor = {named_by, name};
    struct visitor_report report;

    if (visitor_delete(db, NO_ONE, ORG, &visitor, "key:test", &report) != DB_OK)
        fail_msg("%s", db_error(db));
    assert_false(report.cache_cleared);
    return report;
}

static size_t found(enum visitor_named_by named_by, const char *name)
{
    struct visitor visitor = {named_by, name};
    struct conversation_filter filter;
    const char *next;
    size_t n;

    assert_int_equal(visitor_find(db, &arena, ORG, &visitor, NULL, &filter, &n, &next), DB_OK);
    assert_null(next);
    return n;
}

static void test_who(void **state)
{
    (void)state;
    assert_int_equal(found(VISITOR_SESSION, "s1"), 1);
    assert_int_equal(found(VISITOR_SESSION, "s5"), 0); /* another organisation's */
    assert_int_equal(found(VISITOR_USER, "ANN"), 2);
    assert_int_equal(found(VISITOR_EMAIL, "ann@X.example"), 2);
    assert_int_equal(found(VISITOR_EMAIL, "ann"), 1);
    assert_int_equal(found(VISITOR_CONVERSATION, C4), 1);
    assert_int_equal(found(VISITOR_CONVERSATION, C5), 0);
    assert_int_equal(found(VISITOR_CONVERSATION, "no id"), 0);
    assert_int_equal(found(VISITOR_USER, "%"), 0);
}

static void test_delete(void **state)
{
    struct visitor_report report = forget(VISITOR_USER, "ann");

    (void)state;
    assert_int_equal(report.conversations, 2);
    assert_int_equal(report.messages, 2);
    assert_int_equal(report.tool_executions, 2);
    assert_int_equal(report.jobs, 4);
    assert_int_equal(report.ledger_rows, 3);
    assert_string_equal(count("conversations WHERE org_id = '" ORG "'"), "2");
    assert_string_equal(count("messages WHERE org_id = '" ORG "'"), "2");
    assert_string_equal(count("conversation_outcomes WHERE org_id = '" ORG "'"), "2");
    assert_string_equal(count("conversation_search WHERE org_id = '" ORG "'"), "2");
    assert_string_equal(count("budget_reservations"), "0");
    assert_string_equal(count("articles"), "1");
    /* what was charged stays; whose it was is forgotten */
    assert_string_equal(
        pg_do(&pg, "SELECT sum(cost_micro) FROM usage_ledger WHERE org_id = '" ORG "'"), "35");
    assert_string_equal(count("usage_ledger WHERE user_ref = 'ann' AND org_id = '" ORG "'"), "0");
    /* the month's questions are still counted, an older one is gone */
    assert_string_equal(count("jobs WHERE org_id = '" ORG "' AND body = '{}' AND session_id = ''"),
                        "3");
    assert_string_equal(count("jobs WHERE id = '0-old'"), "0");
    assert_string_equal(count("conversations WHERE org_id = '" OTHER "'"), "1");
    assert_string_equal(count("usage_ledger WHERE org_id = '" OTHER "' AND user_ref = 'ann'"), "1");
}

/* Not a word is left in any table. */
static void test_nothing_is_left(void **state)
{
    (void)state;
    forget(VISITOR_USER, "ann");
    forget(VISITOR_EMAIL, "ann@x.example");
    forget(VISITOR_CONVERSATION, C4); /* the last who was here */
    assert_string_equal(
        pg_do(&pg, "DO $$ DECLARE t text; n bigint; all_of bigint := 0; BEGIN"
                   " FOR t IN SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
                   "   AND relnamespace = 'public'::regnamespace LOOP"
                   "  EXECUTE format('SELECT count(*) FROM %I x WHERE x::text ~* ''SECRET''"
                   " AND x::text !~ ''" OTHER "''', t) INTO n;"
                   "  all_of := all_of + n; END LOOP;"
                   " PERFORM set_config('test.left', all_of::text, false); END $$;"
                   "SELECT current_setting('test.left')"),
        "0");
    assert_string_equal(count("alerts WHERE detail->>'conversation_id' = '" C1 "'"), "1");
}

static void test_again(void **state)
{
    (void)state;
    forget(VISITOR_SESSION, "s1");
    struct visitor_report report = forget(VISITOR_SESSION, "s1");
    assert_int_equal(
        report.conversations + report.messages + report.tool_executions + report.ledger_rows, 0);
    assert_string_equal(count("conversations WHERE org_id = '" ORG "'"), "3");
}

/* An answer that is being given would write the conversation anew. */
static void test_not_while_it_is_answered(void **state)
{
    struct visitor visitor = {VISITOR_SESSION, "s1"};
    struct visitor_report report;

    (void)state;
    pg_do(&pg, "UPDATE jobs SET state = 'running' WHERE id = '0-s1'");
    assert_int_equal(visitor_delete(db, NO_ONE, ORG, &visitor, "key:test", &report), DB_CONFLICT);
    assert_string_equal(count("messages WHERE conversation_id = '" C1 "'"), "1");
    pg_do(&pg, "UPDATE jobs SET accepted_at = now() - interval '20 minutes' WHERE id = '0-s1'");
    assert_int_equal(visitor_delete(db, NO_ONE, ORG, &visitor, "key:test", &report), DB_OK);
}

static void test_record(void **state)
{
    struct visitor visitor = {VISITOR_EMAIL, "ann@x.example"};
    PGresult *rows;

    (void)state;
    assert_int_equal(visitor_note_export(db, ORG, &visitor, "user:1", 2), DB_OK);
    forget(VISITOR_EMAIL, "ann@x.example");
    assert_int_equal(visitor_requests(db, ORG, NULL, 10, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 2);
    assert_string_equal(db_text(rows, 0, 1), "delete");
    assert_string_equal(db_text(rows, 0, 4), "key:test");
    assert_non_null(strstr(db_text(rows, 0, 5), "\"conversations\": 2"));
    assert_string_equal(db_text(rows, 1, 1), "export");
    assert_string_equal(db_text(rows, 0, 3), db_text(rows, 1, 3)); /* the same name */
    PQclear(rows);
    assert_string_equal(count("visitor_requests v WHERE v::text ~* 'ann@'"), "0");
    assert_int_equal(visitor_requests(db, OTHER, NULL, 10, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 0);
    PQclear(rows);
}

static void test_export(void **state)
{
    struct visitor visitor = {VISITOR_USER, "ann"};
    struct conversation_filter filter;
    struct fd_json_fault fault;
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
    const struct fd_json *all = fd_json_parse(out.data, out.len, (struct fd_json_limits){0},
                                              arena_allocator(&arena), &fault);
    assert_int_equal(all->count, 2);
    assert_non_null(strstr(out.data, "SECRET of SECRET-1"));
    assert_non_null(strstr(out.data, "\"who\":\"SECRET\""));
    assert_null(strstr(out.data, "bob"));
    assert_null(strstr(out.data, "theirs"));
    buf_free(&out);
}

/* More than are handed over or deleted at a time: the answer says so, and goes on from there. */
static void test_very_many(void **state)
{
    struct visitor visitor = {VISITOR_USER, "crowd"};
    struct conversation_filter filter;
    const char *next, *end;
    size_t n;

    (void)state;
    pg_do(&pg, "INSERT INTO conversations (org_id, session_id, user_identifier)"
               " SELECT '" ORG "', 'crowd-' || n, 'crowd' FROM generate_series(1, 5002) n;"
               "ANALYZE");
    assert_int_equal(visitor_find(db, &arena, ORG, &visitor, NULL, &filter, &n, &next), DB_OK);
    assert_int_equal(n, 5000);
    assert_non_null(next);
    assert_int_equal(visitor_find(db, &arena, ORG, &visitor, next, &filter, &n, &end), DB_OK);
    assert_int_equal(n, 2);
    assert_null(end);
    assert_null(strstr(filter.json, next));
    assert_true(forget(VISITOR_USER, "crowd").more);
    assert_string_equal(count("conversations WHERE user_identifier = 'crowd'"), "2");
    assert_false(forget(VISITOR_USER, "crowd").more);
    assert_string_equal(count("conversations WHERE user_identifier = 'crowd'"), "0");
}

#define EACH(name, test)                                                                           \
    {                                                                                              \
        name, test, plant, NULL, NULL                                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH("ENG-17: a visitor by session, name, e-mail or conversation", test_who),
        EACH("ENG-17: one visitor is deleted, the ledger stays", test_delete),
        EACH("ENG-17: not a word is left in any table", test_nothing_is_left),
        EACH("ENG-17: deleting again changes nothing", test_again),
        EACH("ENG-17: not while an answer is given", test_not_while_it_is_answered),
        EACH("ENG-17: who did it is on record, not who it was about", test_record),
        EACH("ENG-17: all of one visitor is handed over", test_export),
        EACH("ENG-17: of very many it says that there are more", test_very_many),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
