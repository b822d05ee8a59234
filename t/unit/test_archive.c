/* ENG-17: tenant/archive.h - what is deleted is in the archive first, whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "retention_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH("ENG-17: calls that are open stay", test_open_calls_stay),
        EACH("ENG-17: archived before it is deleted", test_archived_first),
        EACH("ENG-17: no archive, no deletion", test_no_archive_no_deletion),
        EACH("ENG-17: a file of the archive is whole or absent", test_archive_is_whole_or_absent),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
