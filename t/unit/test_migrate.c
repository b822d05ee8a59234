/* OPS-2: db/migrate.h - files, and the project's own migrations on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "db/migrate.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static struct arena arena;
static char dir[64];

static int start_server(void **state)
{
    (void)state;
    return pg_start(&pg) ? 0 : -1;
}

static int end_server(void **state)
{
    (void)state;
    pg_end(&pg);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    snprintf(dir, sizeof(dir), "/tmp/fd-migrate-XXXXXX");
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return pg_shell("rm -rf %s", dir) ? 0 : -1;
}

static void file(const char *name, const char *sql)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(sql, out);
    assert_int_equal(fclose(out), 0);
}

static void refuse(const char *why)
{
    struct migration_list list;
    char error[256] = "";
    assert_false(migrate_read(&arena, dir, &list, error));
    if (strstr(error, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static void test_files(void **state)
{
    struct migration_list list;
    char error[256];

    (void)state;
    refuse("no migrations");
    file("0001_a.sql", "SELECT 1");
    file("0002_b.sql", "SELECT 2");
    file("README.md", "not one");
    file(".0003_hidden.sql", "not one");
    assert_true(migrate_read(&arena, dir, &list, error));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.pending, 2);
    assert_string_equal(list.items[1].name, "0002_b.sql");
    assert_string_equal(list.items[1].sql, "SELECT 2");
    assert_int_equal(strlen(list.items[0].sha256), 64);

    file("0004_d.sql", "SELECT 4");
    refuse("0003");
    file("0003_c.sql", "SELECT 3");
    file("0003_other.sql", "SELECT 3");
    refuse("0004");
    assert_true(pg_shell("rm %s/0003_other.sql", dir));
    file("5_e.sql", "");
    refuse("NNNN_name.sql");
    assert_true(pg_shell("rm %s/5_e.sql; printf 'a\\0b' > %s/0005_e.sql", dir, dir));
    refuse("UTF-8");
    assert_true(pg_shell("rm %s/0005_e.sql; mkdir %s/0005_e.sql", dir, dir));
    refuse("not a file");
    assert_false(migrate_read(&arena, "/nonexistent", &list, error));
    assert_non_null(strstr(error, "FRONTDESK_MIGRATIONS_DIR"));
}

static enum db_status up(struct db *db, const char *from, size_t *pending)
{
    struct migration_list list;
    char error[256];

    if (!migrate_read(&arena, from, &list, error))
        fail_msg("%s", error);
    enum db_status status = migrate_up(db, &arena, &list, NULL);
    *pending = list.pending;
    return status;
}

static const char *tables(void)
{
    return pg_do(&pg, "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class"
                      " WHERE relkind = 'r' AND relname LIKE 'fx_%'");
}

static void test_up(void **state)
{
    struct db *db = db_new(pg.owner, "test");
    size_t pending;

    (void)state;
    file("0001_a.sql", "CREATE TABLE fx_a (i int); INSERT INTO fx_a VALUES (1);");
    assert_int_equal(up(db, dir, &pending), DB_OK);
    assert_int_equal(pending, 0);
    file("0002_b.sql", "CREATE TABLE fx_b (i int); SELECT no_such_thing;");
    assert_int_equal(up(db, dir, &pending), DB_FAILED);
    assert_non_null(strstr(db_error(db), "0002_b.sql: column \"no_such_thing\""));
    assert_string_equal(tables(), "fx_a"); /* all or nothing */
    file("0002_b.sql", "CREATE TABLE fx_b (i int);");
    assert_int_equal(up(db, dir, &pending), DB_OK);
    assert_int_equal(up(db, dir, &pending), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM fx_a"), "1");

    file("0001_a.sql", "CREATE TABLE fx_a (i int); INSERT INTO fx_a VALUES (2);");
    assert_int_equal(up(db, dir, &pending), DB_FAILED);
    assert_non_null(strstr(db_error(db), "0001_a.sql was changed"));
    file("0001_a.sql", "CREATE TABLE fx_a (i int); INSERT INTO fx_a VALUES (1);");
    assert_true(pg_shell("rm %s/0002_b.sql", dir));
    assert_int_equal(up(db, dir, &pending), DB_FAILED);
    assert_non_null(strstr(db_error(db), "0002_b.sql"));
    file("0002_b.sql", "CREATE TABLE fx_b (i int);");

    /* hosts that start together */
    file("0003_c.sql", "CREATE TABLE fx_c (i int); SELECT pg_sleep(0.2);");
    pid_t pids[4];
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct db *own = db_new(pg.owner, "test");
            _exit(up(own, dir, &pending) == DB_OK && pending == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    pg_do(&pg, "DROP TABLE fx_a, fx_b, fx_c, schema_migrations");
    db_free(db);
}

/* OPS-2: the single model becomes a list of one; repeated, it changes nothing. */
static void test_single_model_to_list(void **state)
{
    struct db *db = db_new(pg.owner, "test");
    struct migration_list list;
    char error[256];
    size_t pending;

    (void)state;
    assert_true(migrate_read(&arena, "migrations", &list, error));
    assert_true(pg_shell("cp migrations/000[1-4]_*.sql %s", dir));
    assert_int_equal(up(db, dir, &pending), DB_OK);
    pg_do(&pg,
          "INSERT INTO organizations (id, name) SELECT gen_random_uuid(), n"
          "  FROM unnest('{old,unset,new}'::text[]) n;"
          "INSERT INTO org_ai_settings (org_id, model, enabled_models, default_model_id)"
          " SELECT id, CASE name WHEN 'old' THEN 'm/old' END,"
          "        CASE name WHEN 'new' THEN '[{\"model_id\":\"m/new\"}]' ELSE '[]' END::jsonb,"
          "        CASE name WHEN 'new' THEN 'm/new' END FROM organizations");
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            assert_int_equal(up(db, "migrations", &pending), DB_OK);
        } else { /* as its owner, under forced row-level security */
            assert_int_equal(db_begin(db, NULL), DB_OK);
            assert_int_equal(db_script(db, list.items[4].sql), DB_OK);
            assert_int_equal(db_commit(db), DB_OK);
        }
        assert_string_equal(
            pg_do(&pg, "SELECT string_agg(concat_ws('|', o.name, s.model, default_model_id,"
                       "  enabled_models->0->>'model_id', enabled_models->0->>'is_default',"
                       "  jsonb_array_length(enabled_models)), ' ' ORDER BY o.name)"
                       "  FROM org_ai_settings s JOIN organizations o ON o.id = org_id"),
            "new|m/new|m/new|1 old|m/old|m/old|m/old|true|1 "
            "unset|anthropic/claude-3-5-sonnet|anthropic/claude-3-5-sonnet|true|1");
    }
    db_free(db);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_files),
        FRESH(test_up),
        FRESH(test_single_model_to_list),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
