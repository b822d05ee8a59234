/* Two organisations with old and new rows, planted for each test, and passes of housekeeping over
 * them. For after cmocka.h. */
#ifndef T_UNIT_RETENTION_FIXTURE_H
#define T_UNIT_RETENTION_FIXTURE_H

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

static inline int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    snprintf(archive_dir, sizeof(archive_dir), "%s/archive", pg.dir);
    return mkdir(archive_dir, 0755);
}

static inline int tear_down(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    return 0;
}

static inline int plant(void **state)
{
    (void)state;
    pg_do(&pg, seed);
    return 0;
}

static inline const char *count(const char *what)
{
    char sql[512];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", what);
    return pg_do(&pg, sql);
}

static inline struct retention_counts run(const char *only, const char *directory)
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

static inline struct retention_counts due(void)
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

#define EACH(name, test)                                                                           \
    {                                                                                              \
        name, test, plant, NULL, NULL                                                              \
    }

#endif
