/* ENG-17: tenant/retention.h, housekeeping.h, archive.h, db/turn.h - what is old goes, what
 * is counted of it stays, whoever does it and wherever it was broken off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/archive.h"
#include "tenant/housekeeping.h"

#include <sys/stat.h>

#define ORG   "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER "5eed0000-0000-4000-8000-0000000000a2"
#define C1    "c0000000-0000-4000-8000-000000000001"
#define C2    "c0000000-0000-4000-8000-000000000002"
#define C3    "c0000000-0000-4000-8000-000000000003"
#define C4    "c0000000-0000-4000-8000-000000000004"

static struct pg_fixture pg;
static struct db *db;
static char archive_dir[96];

/* C1 is old altogether, C2 began long ago and goes on, C3 is new, C4 another's. */
/* clang-format off */
static const char *const seed =
    "SET client_min_messages = warning;"
    " TRUNCATE organizations, marks, leases CASCADE;"
    " TRUNCATE messages;"
    "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine'), ('" OTHER "', 'Other');"
    "INSERT INTO conversations (id, org_id, session_id, started_at, updated_at) VALUES "
    "('" C1 "', '" ORG "', 's1', now() - interval '50 days', now() - interval '50 days'), "
    "('" C2 "', '" ORG "', 's2', now() - interval '50 days', now()), ('" C3 "', '" ORG "', 's3', "
    "now() - interval '2 days', now() - interval '2 days'), ('" C4 "', '" OTHER "', 's4', now() "
    "- interval '50 days', now() - interval '50 days');"
    "INSERT INTO messages (org_id, conversation_id, role, content, created_at) SELECT '" ORG "', "
    "'" C1 "', 'user', 'old ' || n, now() - interval '50 days' + n * interval '1 s'   FROM "
    "generate_series(1, 1200) n;"
    "INSERT INTO messages (org_id, conversation_id, role, content, created_at) VALUES "
    "('" ORG "', '" C2 "', 'user', 'old', now() - interval '49 days'), ('" ORG "', '" C2 "', "
    "'user', 'new', now()), ('" ORG "', '" C3 "', 'user', 'new', now() - interval '2 days'), "
    "('" OTHER "', '" C4 "', 'user', 'theirs', now() - interval '50 days');"
    "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, state, body, "
    "accepted_at) VALUES ('0-a', '" ORG "', 's1', '" C1 "', 1, 'w', 'done', '{\"m\": 1}', now() "
    "- interval '50 days'),        ('0-b', '" ORG "', 's2', '" C2 "', 1, 'w', 'done', '{\"m\": "
    "1}', now() - interval '49 days'),        ('0-c', '" ORG "', 's2', '" C2 "', 1, 'w', 'done', "
    "'{\"m\": 1}', now());"
    "INSERT INTO tool_executions (org_id, conversation_id, job_id, call_id, tool_name, success, "
    "status, execution_time_ms, created_at) SELECT '" ORG "', '" C1 "', NULL, NULL, 'look', n % "
    "4 > 0,        CASE WHEN n % 4 > 0 THEN 'done' ELSE 'failed' END, n, now() - interval '100 "
    "days'   FROM generate_series(1, 40) n;"
    "INSERT INTO tool_executions (org_id, conversation_id, job_id, call_id, tool_name, success, "
    "status, execution_time_ms, created_at) VALUES ('" ORG "', '" C1 "', '0-a', 'k', 'look', "
    "true, 'done', 5, now() - interval '50 days')";
/* clang-format on */

static int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    snprintf(archive_dir, sizeof(archive_dir), "%s/archive", pg.dir);
    return mkdir(archive_dir, 0755);
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
    pg_do(&pg, seed);
    return 0;
}

static const char *count(const char *what)
{
    char sql[512];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", what);
    return pg_do(&pg, sql);
}

static struct retention_counts run(const char *only, const char *directory)
{
    struct turn turn = {.name = RETENTION_TURN};
    struct housekeeping pass = {.only = only, .archive = {.directory = directory}};
    bool mine, done = false;

    assert_int_equal(turn_take(db, &turn, &mine), DB_OK);
    assert_true(mine);
    for (int steps = 0; !done && steps < 200; steps++) {
        if (housekeeping_step(db, &turn, &pass, &done) != DB_OK)
            fail_msg("%s", db_error(db));
    }
    assert_true(done);
    turn_give(db, &turn);
    struct retention_counts counts = pass.counts;
    housekeeping_free(&pass);
    return counts;
}

static struct retention_counts due(void)
{
    struct retention_counts counts = {0};
    struct retention_org *orgs;
    struct arena a;
    size_t n;

    arena_init(&a);
    assert_int_equal(retention_orgs(db, &a, ORG, &orgs, &n), DB_OK);
    assert_int_equal(n, 1);
    assert_int_equal(retention_count(db, &orgs[0], &counts), DB_OK);
    arena_free(&a);
    return counts;
}

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

/* Rows that are older than anybody's days. */
static void assert_nothing_is_gone(void)
{
    assert_string_equal(count("messages"), "1204");
    assert_string_equal(count("conversations"), "4");
    assert_string_equal(count("tool_executions"), "41");
    assert_string_equal(count("jobs"), "3");
}

#define OLD_MESSAGES "messages WHERE created_at < now() - interval '31 days' AND org_id "

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

/* A call that waits for somebody's word, or runs, is not deleted, and is in nobody's way. */
static void test_open_calls_stay(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO tool_executions (org_id, tool_name, status, created_at)"
               " SELECT '" ORG "', 'look', s, now() - interval '120 days' FROM"
               "  unnest(ARRAY['confirming', 'approving', 'approved', 'started', 'pending']) s");
    assert_int_equal(due().tool_executions, 40);
    assert_int_equal(run(NULL, archive_dir).tool_executions, 40);
    assert_string_equal(count("tool_executions WHERE status <> 'done'"), "5");
    pg_do(&pg, "UPDATE tool_executions SET status = 'expired' WHERE tool_name = 'look'");
    assert_int_equal(run(NULL, NULL).tool_executions, 5);
    assert_true(pg_shell("rm -rf %s && mkdir %s", archive_dir, archive_dir));
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

/* -- months ---------------------------------------------------------------------------------------
 */

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

/* -- the archive
 * ------------------------------------------------------------------------------------ */

static long lines_of(const char *org, const char *kind)
{
    char command[512], text[32] = "";
    snprintf(command, sizeof(command), "cat %s/%s/%s-*.jsonl 2>/dev/null | wc -l", archive_dir, org,
             kind);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL || fgets(text, sizeof(text), pipe) == NULL)
        fail();
    pclose(pipe);
    return strtol(text, NULL, 10);
}

static void test_archived_first(void **state)
{
    struct retention_counts counts = run(NULL, archive_dir);

    (void)state;
    assert_int_equal(counts.archived, 1242);
    assert_int_equal(counts.messages, 1202);
    assert_int_equal(lines_of(ORG, "messages"), 1201);
    assert_int_equal(lines_of(OTHER, "messages"), 1);
    assert_int_equal(lines_of(ORG, "tool-executions"), 40);
    assert_true(
        pg_shell("cd %s && ! grep -rqE 'org_id|\"s1\"' . && [ -z \"$(find . -name '.*.part')\" ]",
                 archive_dir));
    assert_true(pg_shell("[ $(stat -c %%a %s/" ORG ") = 700 ]", archive_dir));
    assert_int_equal(run(NULL, archive_dir).archived, 0);
    assert_int_equal(lines_of(ORG, "messages"), 1201); /* once */
}

/* What cannot be archived is not deleted. */
static void test_no_archive_no_deletion(void **state)
{
    struct turn turn = {.name = RETENTION_TURN};
    struct housekeeping pass = {.archive = {.directory = "/proc/nowhere"}};
    bool mine, done = false;
    enum db_status status = DB_OK;

    (void)state;
    assert_int_equal(turn_take(db, &turn, &mine), DB_OK);
    for (int steps = 0; status == DB_OK && !done && steps < 200; steps++)
        status = housekeeping_step(db, &turn, &pass, &done);
    assert_true(done);
    assert_int_equal(pass.failed, 2);
    assert_non_null(strstr(pass.error, "/proc/nowhere"));
    assert_string_equal(count("messages"), "1204");
    housekeeping_free(&pass);
    turn_give(db, &turn);
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

static void test_archive_is_whole_or_absent(void **state)
{
    const struct archive_place place = {.directory = archive_dir};
    struct archive archive;
    char error[256];
    bool there;

    (void)state;
    assert_true(archive_begin(&archive, &place, "org", "messages", "2026-01-01", &there, error));
    assert_false(there);
    assert_true(archive_line(&archive, "{}"));
    archive_drop(&archive); /* broken off */
    assert_int_equal(lines_of("org", "messages"), 0);
    assert_true(archive_begin(&archive, &place, "org", "messages", "2026-01-01", &there, error));
    assert_true(archive_line(&archive, "{}") && archive_end(&archive, error));
    archive_drop(&archive);
    assert_int_equal(lines_of("org", "messages"), 1);
    assert_true(archive_begin(&archive, &place, "org", "messages", "2026-01-01", &there, error));
    assert_true(there);
}

/* -- whose turn it is
 * --------------------------------------------------------------------------------- */

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

#define EACH(name, test)                                                                           \
    {                                                                                              \
        name, test, plant, NULL, NULL                                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH("ENG-17: what is old goes, and nothing else", test_old_rows_go),
        EACH("ADM-8: idempotency keys go after a day, whoever stops", test_idempotency_keys_go),
        EACH("ENG-17: nothing is deleted before it is counted", test_counted_first),
        EACH("ENG-17: counted, then deleted one after the other, months last", test_in_order),
        EACH("ENG-17: requests for a person lose their contact", test_alerts_forget),
        EACH("ENG-17: what is deleted of a conversation that goes on stays counted",
             test_goes_on_counting),
        EACH("ENG-17: a session's second conversation is counted apart", test_second_life),
        EACH("ENG-17: words are in no index or summary any more", test_words_go_too),
        EACH("ENG-17: calls that are open stay", test_open_calls_stay),
        EACH("ENG-17: days of many calls are counted whole", test_days_of_many_calls),
        EACH("ENG-17: each organisation has days of its own", test_days_are_an_organisations),
        EACH("ENG-17: the month's quota is counted all the same", test_month_is_still_counted),
        EACH("ENG-17: a month nobody keeps is a dropped partition", test_months_are_dropped),
        EACH("ENG-17: today's month is never dropped", test_today_is_never_dropped),
        EACH("ENG-17: days may change while it runs", test_days_change_meanwhile),
        EACH("ENG-17: what fails with one organisation is done for the others",
             test_failure_of_one),
        EACH("ENG-17: archived before it is deleted", test_archived_first),
        EACH("ENG-17: no archive, no deletion", test_no_archive_no_deletion),
        EACH("ENG-17: a file of the archive is whole or absent", test_archive_is_whole_or_absent),
        EACH("ENG-17: one process at a time, fenced", test_turns),
        EACH("ENG-17: a take-over waits for the step that runs", test_take_over_waits),
        EACH("ENG-17: a pass an hour", test_due_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
