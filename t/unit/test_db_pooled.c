/* db/db.h behind PgBouncer, which has one session of the server for everybody and gives it to
 * another after each transaction (OPS-4). What one organisation set must not be there for the
 * next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <pthread.h>

#include "core/log.h"
#include "db/db.h"
#include "pg_fixture.h"

#define CROWD 6
#define EACH  400

static struct pg_fixture pg;
static char pooled[200];
static const char *const orgs[] = {"alice", "bob"};

/* What the session says of its own, and what row-level security lets through. */
static const struct db_statement look = {
    "t_look",
    "SELECT current_setting('app.org_id', true), (SELECT count(*) FROM things),"
    "       (SELECT count(*) FROM things WHERE org <> $1), current_setting('synchronous_commit'),"
    "       current_setting('statement_timeout'), current_setting('lock_timeout'),"
    "       current_setting('idle_in_transaction_session_timeout'), current_setting('timezone')",
    1};
static const struct db_statement add = {"t_add", "INSERT INTO things VALUES ($1)", 1};
static const struct db_statement divide = {"t_divide", "SELECT 1 / $1::int", 1};
static const struct db_statement echo = {"t_echo", "SELECT $1::text, $2::text", 2};
static const struct db_statement die = {"t_die", "SELECT pg_terminate_backend(pg_backend_pid())",
                                        0};

static bool pooler_start(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/users", pg.dir);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fputs("\"frontdesk_app\" \"\"\n", file);
    fclose(file);
    snprintf(path, sizeof(path), "%s/pgbouncer.ini", pg.dir);
    file = fopen(path, "w");
    if (file == NULL)
        return false;
    fprintf(file,
            "[databases]\nfixture = host=%s\n[pgbouncer]\npool_mode = transaction\n"
            "default_pool_size = 1\nserver_login_retry = 1\nlisten_addr =\nlisten_port = 6432\n"
            "unix_socket_dir = %s\nauth_type = trust\nauth_file = %s/users\n"
            "logfile = %s/pgbouncer.log\npidfile = %s/pgbouncer.pid\n",
            pg.dir, pg.dir, pg.dir, pg.dir, pg.dir);
    fclose(file);
    snprintf(pooled, sizeof(pooled), "%s port=6432", pg.app);
    if (!pg_shell("cd / && PATH=$PATH:/usr/sbin %s pgbouncer -d -q %s/pgbouncer.ini", pg.as,
                  pg.dir))
        return false;
    for (int i = 0; i < 400; i++) {
        if (PQping(pooled) == PQPING_OK)
            return true;
        usleep(50000);
    }
    return false;
}

static int set_up(void **state)
{
    (void)state;
    log_open("test", LOG_ERROR);
    if (!pg_start(&pg))
        return -1;
    pg_do(&pg, "CREATE ROLE frontdesk_app LOGIN; CREATE TABLE things (org text NOT NULL);"
               "ALTER TABLE things ENABLE ROW LEVEL SECURITY;"
               "CREATE POLICY own ON things USING (org = current_setting('app.org_id'));"
               "GRANT SELECT, INSERT ON things TO frontdesk_app;"
               "INSERT INTO things SELECT unnest('{alice,alice,bob,bob,bob}'::text[])");
    return pooler_start() ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    pg_shell("kill -9 $(cat %s/pgbouncer.pid)", pg.dir);
    pg_end(&pg);
    return 0;
}

/* -- six connections to the one session ---------------------------------------------------- */

struct client {
    pthread_t thread;
    struct db *db;
    unsigned seed;
    char wrong[512]; /* what was seen first and should not have been */
};

static void expect(struct client *c, bool good, const char *what, const char *seen)
{
    if (!good && c->wrong[0] == '\0')
        snprintf(c->wrong, sizeof(c->wrong), "%s: %s (%s)", what, seen, db_error(c->db));
}

/* org NULL sees nothing. */
static void check(struct client *c, const char *org, const char *what, PGresult *row)
{
    static const char *const limits[] = {"15s", "5s", "30s", "UTC"};

    if (row == NULL) {
        expect(c, false, what, "no answer");
        return;
    }
    expect(c, strcmp(db_text(row, 0, 0), org != NULL ? org : "") == 0, what, db_text(row, 0, 0));
    expect(c, (db_int(row, 0, 1, 0) > 0) == (org != NULL), what, "rows that it sees");
    expect(c, db_int(row, 0, 2, -1) == 0, what, "rows of another");
    for (int i = 0; i < 4; i++)
        expect(c, strcmp(db_text(row, 0, 4 + i), limits[i]) == 0, what, db_text(row, 0, 4 + i));
    PQclear(row);
}

static void look_as(struct client *c, const char *org, const char *what)
{
    PGresult *row;

    db_query(c->db, org, &look, &org, &row);
    if (row != NULL)
        expect(c, strcmp(db_text(row, 0, 3), "on") == 0, what, "synchronous_commit");
    check(c, org, what, row);
}

static void ask(struct client *c, const char *org, const char *other)
{
    PGresult *row;

    look_as(c, org, "a query");
    db_query_unhurried(c->db, other, &look, &other, &row);
    check(c, other, "an unhurried query", row);
    look_as(c, NULL, "a query for nobody");
}

static void transact(struct client *c, const char *org, bool commits)
{
    PGresult *row;

    expect(c, db_begin(c->db, org) == DB_OK, "begin", org);
    expect(c, db_exec(c->db, &add, &org, NULL) == DB_OK, "insert", org);
    db_exec(c->db, &look, &org, &row);
    check(c, org, "in a transaction", row);
    if (commits)
        expect(c, db_commit(c->db) == DB_OK, "commit", org);
    else
        db_rollback(c->db);
}

static void go_wrong(struct client *c, const char *org, const char *other)
{
    const char *zero = "0";

    expect(c, db_query(c->db, org, &divide, &zero, NULL) == DB_FAILED, "a failure", org);
    expect(c, db_query(c->db, org, &add, &other, NULL) == DB_FAILED, "a row of another", other);
    expect(c, db_begin(c->db, org) == DB_OK, "begin", org);
    expect(c, db_exec(c->db, &divide, &zero, NULL) == DB_FAILED, "a failure", org);
    db_rollback(c->db);
}

static void unite(struct client *c, const char *org, const char *other)
{
    expect(c, db_unit_begin(c->db, org) == DB_OK, "a unit", org);
    look_as(c, org, "in a unit");
    look_as(c, other, "in a unit, for another");
    go_wrong(c, other, org);
    transact(c, org, true);
    look_as(c, org, "after a failure in a unit");
    expect(c, db_unit_commit(c->db) == DB_OK, "the end of a unit", org);
}

/* With its transaction open; the server's session is not given on as it is. */
static void vanish(struct client *c, const char *org)
{
    expect(c, db_begin(c->db, org) == DB_OK, "begin", org);
    expect(c, db_exec(c->db, &add, &org, NULL) == DB_OK, "insert", org);
    db_free(c->db);
    c->db = db_new(pooled, "test");
}

static void *hammer(void *arg)
{
    struct client *c = arg;

    for (int i = 0; i < EACH && c->wrong[0] == '\0'; i++) {
        int which = rand_r(&c->seed) % 2;
        const char *org = orgs[which], *other = orgs[!which];
        int what = rand_r(&c->seed) % 32;
        if (what == 0)
            vanish(c, org);
        else if (what < 4)
            go_wrong(c, org, other);
        else if (what < 8)
            unite(c, org, other);
        else if (what < 16)
            transact(c, org, what < 12);
        else
            ask(c, org, other);
    }
    return NULL;
}

static void test_two_organisations_share_a_session(void **state)
{
    struct client clients[CROWD] = {0};

    (void)state;
    for (int i = 0; i < CROWD; i++) {
        clients[i].seed = (unsigned)i + 1;
        clients[i].db = db_new(pooled, "test");
        assert_int_equal(pthread_create(&clients[i].thread, NULL, hammer, &clients[i]), 0);
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(clients[i].thread, NULL);
    const char *sessions =
        pg_do(&pg, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'frontdesk_app'");
    assert_string_equal(sessions, "1");
    for (int i = 0; i < CROWD; i++) {
        assert_string_equal(clients[i].wrong, "");
        db_free(clients[i].db);
    }
}

/* Whoever else comes by the pooler finds the session as the server made it. */
static void test_nothing_is_left_in_the_session(void **state)
{
    static const char *const sql =
        "SELECT concat_ws(' ', current_setting('statement_timeout'), "
        "current_setting('lock_timeout'),"
        " coalesce(nullif(current_setting('app.org_id', true), ''), 'nobody'),"
        " (SELECT count(*) FROM pg_prepared_statements WHERE name <> ''))";
    struct db *db = db_new(pooled, "test");
    PGresult *row;

    (void)state;
    assert_int_equal(db_query(db, "alice", &look, &orgs[0], NULL), DB_OK);
    PGconn *stranger = PQconnectdb(pooled);
    row = PQexec(stranger, sql);
    assert_int_equal(PQresultStatus(row), PGRES_TUPLES_OK);
    assert_string_equal(PQgetvalue(row, 0, 0), "0 0 nobody 0");
    PQclear(row);
    PQfinish(stranger);
    db_free(db);
}

static void test_it_is_noticed(void **state)
{
    struct db *through = db_new(pooled, "test"), *direct = db_new(pg.app, "test");

    (void)state;
    assert_int_equal(db_connect(through), DB_OK);
    assert_true(db_is_pooled(through));
    assert_int_equal(db_connect(direct), DB_OK);
    assert_false(db_is_pooled(direct));
    db_free(through);
    db_free(direct);
}

static void test_values(void **state)
{
    const char *params[] = {"a 'quoted' \xd7\xa9", NULL};
    struct db *db = db_new(pooled, "test");
    PGresult *row;

    (void)state;
    for (int i = 0; i < 100; i++) { /* over the transaction at which plans are made anew */
        assert_int_equal(db_query(db, NULL, &echo, params, &row), DB_OK);
        assert_string_equal(db_text(row, 0, 0), params[0]);
        assert_null(db_text(row, 0, 1));
        PQclear(row);
    }
    db_free(db);
}

/* What was open is gone with the server's session, and goes on nowhere else. */
static void test_loss(void **state)
{
    struct db *db = db_new(pooled, "test");
    const char *alice = orgs[0];

    (void)state;
    assert_int_equal(db_begin(db, alice), DB_OK);
    assert_int_equal(db_exec(db, &die, NULL, NULL), DB_LOST);
    assert_int_equal(db_exec(db, &add, &alice, NULL), DB_LOST);
    assert_int_equal(db_commit(db), DB_LOST);
    enum db_status status = DB_LOST;
    for (int i = 0; i < 200 && status != DB_OK; i++) { /* the pooler opens another */
        status = db_query(db, alice, &look, &alice, NULL);
        usleep(status != DB_OK ? 50000 : 0);
    }
    assert_int_equal(status, DB_OK);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_noticed),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_two_organisations_share_a_session),
        cmocka_unit_test(test_nothing_is_left_in_the_session),
        cmocka_unit_test(test_loss),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
