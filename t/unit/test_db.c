/* db/db.h against a real server: states, transactions, losses (OPS-4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "db/db.h"
#include "pg_fixture.h"

static struct pg_fixture pg;

static const struct db_statement echo = {"t_echo", "SELECT $1::text, $2::text", 2};
static const struct db_statement org_now = {"t_org", "SELECT current_setting('app.org_id', true)",
                                            0};
static const struct db_statement add = {"t_add", "INSERT INTO t (id) VALUES ($1)", 1};
static const struct db_statement count = {"t_count", "SELECT count(*) FROM t", 0};
static const struct db_statement all = {"t_all", "SELECT * FROM t", 0};
static const struct db_statement wrong = {"t_wrong", "SELECT no_such_column", 0};
static const struct db_statement raise_code = {"t_raise", "SELECT fixture_raise($1)", 1};
static const struct db_statement die = {"t_die", "SELECT pg_terminate_backend(pg_backend_pid())",
                                        0};
static const struct db_statement length = {"t_length", "SELECT length($1)", 1};

static int set_up(void **state)
{
    (void)state;
    if (!pg_start(&pg))
        return -1;
    pg_do(&pg, "CREATE TABLE t (id int PRIMARY KEY);"
               "CREATE TABLE later (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);"
               "CREATE FUNCTION fixture_raise(code text) RETURNS int LANGUAGE plpgsql AS"
               " $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = code; END $$");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_end(&pg);
    return 0;
}

static int open_db(void **state)
{
    pg_do(&pg, "TRUNCATE t");
    *state = db_new(pg.super, "test");
    return 0;
}

static int close_db(void **state)
{
    db_free(*state);
    return 0;
}

static int64_t rows(struct db *db)
{
    PGresult *result;
    assert_int_equal(db_query(db, NULL, &count, NULL, &result), DB_OK);
    int64_t n = db_int(result, 0, 0, -1);
    PQclear(result);
    return n;
}

static void test_values(void **state)
{
    const char *params[] = {"a 'quoted' \xd7\xa9", NULL};
    PGresult *result;

    for (int i = 0; i < 3; i++) { /* prepared by the first */
        assert_int_equal(db_query(*state, NULL, &echo, params, &result), DB_OK);
        assert_string_equal(db_text(result, 0, 0), params[0]);
        assert_null(db_text(result, 0, 1));
        assert_int_equal(db_int(result, 0, 1, -7), -7);
        PQclear(result);
    }
}

/* Reliability, tenant isolation: 10,000 alternating organisations on one connection. */
static void test_org_does_not_leak(void **state)
{
    static const char *const orgs[] = {"org-a", NULL, "org-b"};
    PGresult *result;

    for (int i = 0; i < 10000; i++) {
        const char *org = orgs[i % 3];
        assert_int_equal(db_query(*state, org, &org_now, NULL, &result), DB_OK);
        assert_string_equal(db_text(result, 0, 0), org != NULL ? org : "");
        PQclear(result);
    }
    assert_int_equal(db_begin(*state, "org-c"), DB_OK);
    assert_int_equal(db_exec(*state, &org_now, NULL, &result), DB_OK);
    assert_string_equal(db_text(result, 0, 0), "org-c");
    PQclear(result);
    db_rollback(*state);
    assert_int_equal(db_query(*state, NULL, &org_now, NULL, &result), DB_OK);
    assert_string_equal(db_text(result, 0, 0), "");
    PQclear(result);
}

static void test_states(void **state)
{
    static const struct {
        const char *code;
        enum db_status status;
    } cases[] = {{"40001", DB_BUSY},     {"40P01", DB_BUSY},     {"55P03", DB_BUSY},
                 {"57014", DB_BUSY},     {"53100", DB_BUSY},     {"53300", DB_BUSY},
                 {"23505", DB_CONFLICT}, {"23503", DB_CONFLICT}, {"23514", DB_CONFLICT},
                 {"57P01", DB_LOST},     {"57P03", DB_LOST},     {"08006", DB_LOST},
                 {"25006", DB_LOST},     {"42501", DB_FAILED},   {"22P02", DB_FAILED},
                 {"P0001", DB_FAILED}};
    PGresult *result;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        result = (PGresult *)-1;
        assert_int_equal(db_query(*state, NULL, &raise_code, &cases[i].code, &result),
                         cases[i].status);
        assert_null(result);
        assert_string_equal(db_sqlstate(*state), cases[i].code);
        assert_string_equal(db_error(*state), "raised");
        assert_int_equal(rows(*state), 0); /* and it goes on */
    }
    assert_int_equal(db_query(*state, NULL, &wrong, NULL, NULL), DB_FAILED);
    assert_string_equal(db_sqlstate(*state), "42703");
    assert_int_equal(db_query(*state, NULL, &wrong, NULL, NULL), DB_FAILED);
}

static void test_one_statement_is_a_transaction(void **state)
{
    static const struct db_statement deferred = {"t_deferred", "INSERT INTO later VALUES (1), (1)",
                                                 0};
    static const struct db_statement later = {"t_later", "SELECT count(*) FROM later", 0};
    PGresult *result;

    /* fails only when it commits */
    assert_int_equal(db_query(*state, NULL, &deferred, NULL, NULL), DB_CONFLICT);
    assert_int_equal(db_query(*state, NULL, &later, NULL, &result), DB_OK);
    assert_int_equal(db_int(result, 0, 0, -1), 0);
    PQclear(result);
}

static void test_transaction(void **state)
{
    const char *one = "1", *two = "2";

    assert_int_equal(db_begin(*state, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_OK);
    db_rollback(*state);
    assert_int_equal(rows(*state), 0);

    assert_int_equal(db_begin(*state, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &two, NULL), DB_OK);
    assert_int_equal(db_commit(*state), DB_OK);
    assert_int_equal(rows(*state), 2);
}

/* Only that transaction does not wait for the disk. */
static void test_unhurried(void **state)
{
    static const struct db_statement mode = {"t_mode",
                                             "SELECT current_setting('synchronous_commit')", 0};
    static const struct db_statement wal = {"t_wal", "SELECT pg_current_wal_insert_lsn()", 0};
    const char *one = "1";
    char sql[128];
    PGresult *result;

    assert_int_equal(db_query_unhurried(*state, "org-a", &mode, NULL, &result), DB_OK);
    assert_string_equal(db_text(result, 0, 0), "off");
    PQclear(result);
    assert_int_equal(db_query_unhurried(*state, "org-a", &org_now, NULL, &result), DB_OK);
    assert_string_equal(db_text(result, 0, 0), "org-a");
    PQclear(result);
    assert_int_equal(db_query_unhurried(*state, NULL, &add, &one, NULL), DB_OK);
    assert_int_equal(db_query_unhurried(*state, NULL, &wal, NULL, &result), DB_OK);
    assert_int_equal(db_settle(*state), DB_OK);
    snprintf(sql, sizeof(sql), "SELECT pg_current_wal_flush_lsn() >= '%s'", db_text(result, 0, 0));
    PQclear(result);
    assert_string_equal(pg_do(&pg, sql), "t");
    assert_int_equal(db_query(*state, NULL, &mode, NULL, &result), DB_OK);
    assert_string_equal(db_text(result, 0, 0), "on");
    PQclear(result);
}

static bool scans_all(struct db *db)
{
    static const struct db_statement explain = {"t_explain", "EXPLAIN EXECUTE t_grown(7)", 0};
    PGresult *result;
    assert_int_equal(db_query(db, NULL, &explain, NULL, &result), DB_OK);
    bool all_of_it = strstr(db_text(result, 0, 0), "Seq Scan") != NULL;
    PQclear(result);
    return all_of_it;
}

/* A plan that was best for a table of one row is not kept for one of thousands. */
static void test_plans_are_made_anew(void **state)
{
    static const struct db_statement grown = {"t_grown", "SELECT id FROM grown WHERE id = $1", 1};
    const char *seven = "7";

    pg_do(&pg, "CREATE TABLE grown (id int PRIMARY KEY); INSERT INTO grown VALUES (1)");
    pg_do(&pg, "VACUUM ANALYZE grown");
    for (int i = 0; i < 20; i++)
        assert_int_equal(db_query(*state, NULL, &grown, &seven, NULL), DB_OK);
    assert_true(scans_all(*state));
    pg_do(&pg, "INSERT INTO grown SELECT generate_series(2, 50000)");
    assert_true(scans_all(*state));
    for (int i = 0; i < 50; i++)
        assert_int_equal(db_query(*state, NULL, &grown, &seven, NULL), DB_OK);
    assert_false(scans_all(*state));
}

/* PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error. */
static void test_commit_of_a_failed_transaction(void **state)
{
    const char *one = "1", *two = "2";

    assert_int_equal(db_begin(*state, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_CONFLICT);
    assert_int_equal(db_exec(*state, &add, &two, NULL), DB_FAILED);
    assert_int_equal(db_commit(*state), DB_FAILED);
    db_rollback(*state);
    assert_int_equal(rows(*state), 0);
}

static void test_rollback_keeps_the_reason(void **state)
{
    const char *one = "1";

    assert_int_equal(db_query(*state, NULL, &add, &one, NULL), DB_OK);
    assert_int_equal(db_begin(*state, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_CONFLICT);
    db_rollback(*state);
    assert_string_equal(db_sqlstate(*state), "23505");
    assert_non_null(strstr(db_error(*state), "duplicate key"));
}

static void test_loss(void **state)
{
    const char *one = "1";

    assert_int_equal(rows(*state), 0);
    assert_int_equal(db_query(*state, NULL, &die, NULL, NULL), DB_LOST);
    assert_int_equal(rows(*state), 0); /* reopened, prepared again */

    /* cut while idle: noticed before it is used */
    pg_do(&pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
               " WHERE application_name = 'test'");
    usleep(100000);
    assert_int_equal(rows(*state), 0);

    /* what was open is gone, and is not taken up by a new connection */
    assert_int_equal(db_begin(*state, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_OK);
    assert_int_equal(db_exec(*state, &die, NULL, NULL), DB_LOST);
    assert_int_equal(db_exec(*state, &add, &one, NULL), DB_LOST);
    assert_int_equal(db_commit(*state), DB_LOST);
    db_rollback(*state);
    assert_int_equal(rows(*state), 0);
}

static void test_migration_under_a_prepared_statement(void **state)
{
    PGresult *result;

    assert_int_equal(db_query(*state, NULL, &all, NULL, NULL), DB_OK);
    pg_do(&pg, "ALTER TABLE t ADD COLUMN IF NOT EXISTS more text");
    assert_int_equal(db_query(*state, NULL, &all, NULL, NULL), DB_BUSY);
    assert_int_equal(db_query(*state, NULL, &all, NULL, &result), DB_OK);
    assert_int_equal(PQnfields(result), 2);
    PQclear(result);
}

static void test_large_value(void **state)
{
    size_t size = 8u << 20;
    char *big = malloc(size + 1);
    const char *param = big;
    PGresult *result;

    assert_non_null(big);
    memset(big, 'x', size);
    big[size] = '\0';
    assert_int_equal(db_query(*state, NULL, &length, &param, &result), DB_OK);
    assert_int_equal(db_int(result, 0, 0, 0), size);
    PQclear(result);
    free(big);
}

static void test_unreachable(void **state)
{
    struct db *db = db_new("host=/nonexistent dbname=x password=hunter2", "test");

    (void)state;
    assert_int_equal(db_query(db, NULL, &count, NULL, NULL), DB_LOST);
    assert_int_equal(db_begin(db, NULL), DB_LOST);
    assert_int_equal(db_exec(db, &count, NULL, NULL), DB_LOST);
    assert_null(strchr(db_error(db), '\n'));
    assert_null(strstr(db_error(db), "hunter2"));
    db_free(db);
}

/* -- one transaction around others ------------------------------------------------------ */

static int add_one(struct db *db, const char *id)
{
    return db_query(db, NULL, &add, &id, NULL);
}

static void test_unit_commits_as_one(void **state)
{
    struct db *db = *state, *witness = db_new(pg.super, "witness");
    const char *three = "3";

    assert_int_equal(db_unit_begin(db, NULL), DB_OK);
    assert_int_equal(add_one(db, "1"), DB_OK);
    assert_int_equal(db_begin(db, NULL), DB_OK);
    assert_int_equal(db_exec(db, &add, &three, NULL), DB_OK);
    assert_int_equal(db_commit(db), DB_OK);
    assert_int_equal(rows(db), 2);
    assert_int_equal(rows(witness), 0);
    assert_int_equal(db_settle(db), DB_OK);
    assert_int_equal(rows(witness), 0);
    assert_int_equal(db_unit_commit(db), DB_OK);
    assert_int_equal(rows(witness), 2);
    assert_int_equal(add_one(db, "4"), DB_OK); /* by itself again */
    assert_int_equal(rows(witness), 3);
    db_free(witness);
}

static void test_unit_rolls_back_as_one(void **state)
{
    struct db *db = *state;
    const char *two = "2";

    assert_int_equal(db_unit_begin(db, NULL), DB_OK);
    assert_int_equal(db_begin(db, NULL), DB_OK);
    assert_int_equal(db_exec(db, &add, &two, NULL), DB_OK);
    assert_int_equal(db_commit(db), DB_OK);
    db_rollback(db); /* of nothing: what was committed stays so */
    assert_int_equal(rows(db), 1);
    db_unit_rollback(db);
    assert_int_equal(rows(db), 0);
}

/* What fails takes only itself along, as it would without the unit. */
static void test_failures_within_a_unit(void **state)
{
    struct db *db = *state;
    const char *one = "1", *five = "5";

    assert_int_equal(db_unit_begin(db, NULL), DB_OK);
    assert_int_equal(add_one(db, "1"), DB_OK);
    assert_int_equal(add_one(db, "1"), DB_CONFLICT);
    assert_string_equal(db_sqlstate(db), "23505");
    assert_int_equal(rows(db), 1);
    assert_int_equal(db_begin(db, NULL), DB_OK);
    assert_int_equal(db_exec(db, &add, &five, NULL), DB_OK);
    assert_int_equal(db_exec(db, &add, &one, NULL), DB_CONFLICT);
    db_rollback(db);
    assert_string_equal(db_sqlstate(db), "23505");
    assert_int_equal(rows(db), 1);
    assert_int_equal(db_begin(db, NULL), DB_OK);
    assert_int_equal(db_exec(db, &add, &one, NULL), DB_CONFLICT);
    assert_int_equal(db_commit(db), DB_FAILED); /* as outside: it had failed */
    db_rollback(db);
    assert_int_equal(db_query(db, NULL, &wrong, NULL, NULL), DB_FAILED);
    assert_int_equal(add_one(db, "7"), DB_OK);
    assert_int_equal(db_unit_commit(db), DB_OK);
    assert_int_equal(rows(db), 2);
}

/* The connection must not come back by itself and write what comes later alone. */
static void test_loss_within_a_unit(void **state)
{
    struct db *db = *state;

    assert_int_equal(db_unit_begin(db, NULL), DB_OK);
    assert_int_equal(add_one(db, "1"), DB_OK);
    assert_int_equal(db_query(db, NULL, &die, NULL, NULL), DB_LOST);
    assert_int_equal(add_one(db, "2"), DB_LOST);
    assert_int_equal(db_begin(db, NULL), DB_LOST);
    assert_int_equal(db_unit_commit(db), DB_LOST);
    assert_int_equal(rows(db), 0);
    assert_int_equal(add_one(db, "3"), DB_OK);
}

/* Each statement of it is for the organisation that it names. */
static void test_organisations_within_a_unit(void **state)
{
    static const char *const orgs[] = {"5eed0000-0000-4000-8000-000000000001",
                                       "5eed0000-0000-4000-8000-000000000002"};
    PGresult *result;

    assert_int_equal(db_unit_begin(*state, orgs[0]), DB_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(db_query(*state, orgs[i % 2], &org_now, NULL, &result), DB_OK);
        assert_string_equal(db_text(result, 0, 0), orgs[i % 2]);
        PQclear(result);
    }
    assert_int_equal(db_query(*state, NULL, &org_now, NULL, &result), DB_OK);
    assert_string_equal(db_text(result, 0, 0), "");
    PQclear(result);
    assert_int_equal(db_unit_commit(*state), DB_OK);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, open_db, close_db)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(test_values),
        WITH_DB(test_org_does_not_leak),
        WITH_DB(test_states),
        WITH_DB(test_one_statement_is_a_transaction),
        WITH_DB(test_transaction),
        WITH_DB(test_unhurried),
        WITH_DB(test_plans_are_made_anew),
        WITH_DB(test_commit_of_a_failed_transaction),
        WITH_DB(test_rollback_keeps_the_reason),
        WITH_DB(test_loss),
        WITH_DB(test_migration_under_a_prepared_statement),
        WITH_DB(test_large_value),
        WITH_DB(test_unit_commits_as_one),
        WITH_DB(test_unit_rolls_back_as_one),
        WITH_DB(test_failures_within_a_unit),
        WITH_DB(test_loss_within_a_unit),
        WITH_DB(test_organisations_within_a_unit),
        cmocka_unit_test(test_unreachable),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
