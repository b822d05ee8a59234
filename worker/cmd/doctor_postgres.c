#include "cmd/doctor.h"

#include "db/migrate.h"

#include <inttypes.h>

#define LEAST_VERSION 150000

static const struct db_statement server = {
    "doctor_server",
    "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
    "       current_user, r.rolsuper OR r.rolbypassrls,"
    "       (SELECT count(*) FROM pg_class WHERE relowner = r.oid"
    "           AND relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')),"
    "       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'"
    "         AND current_setting('synchronous_commit') <> 'off'"
    "  FROM pg_roles r WHERE r.rolname = current_user",
    0};
/* A tenant's table is one with an org_id, and organizations itself. */
static const struct db_statement unprotected = {
    "doctor_unprotected",
    "SELECT count(*), coalesce(string_agg(c.relname, ', '), '') FROM pg_class c"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    "   AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    "   AND (c.relname = 'organizations' OR EXISTS (SELECT FROM pg_attribute a"
    "         WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped))",
    0};
static const struct db_statement visible = {"doctor_visible", "SELECT count(*) FROM organizations",
                                            0};
static const struct db_statement partition = {
    "doctor_partition",
    "SELECT to_regclass('messages_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')) IS NOT NULL",
    0};

static void database_fault(struct findings *findings, struct db *db, const char *check)
{
    findings_add(findings, FINDING_FAIL, check, "see the message; then run the doctor again", "%s",
                 db_error(db));
}

static void check_server(struct findings *findings, struct db *db)
{
    PGresult *row;

    if (db_query(db, NULL, &server, NULL, &row) != DB_OK) {
        database_fault(findings, db, "postgresql.server");
        return;
    }
    FINDINGS_CHECK(findings, db_int(row, 0, 0, 0) >= LEAST_VERSION, FINDING_FAIL,
                   "postgresql.version", "use PostgreSQL 15 or later", "PostgreSQL %s",
                   db_text(row, 0, 1));
    FINDINGS_CHECK(findings, !db_true(row, 0, 3), FINDING_FAIL, "postgresql.role",
                   "sign in as frontdesk_app: neither SUPERUSER nor BYPASSRLS",
                   "%s %s row-level security", db_text(row, 0, 2),
                   db_true(row, 0, 3) ? "passes by" : "is under");
    FINDINGS_CHECK(findings, db_int(row, 0, 4, 0) == 0, FINDING_FAIL, "postgresql.owner",
                   "sign in as frontdesk_app, not as the role that runs migrations",
                   "%s owns %" PRId64 " tables", db_text(row, 0, 2), db_int(row, 0, 4, 0));
    FINDINGS_CHECK(findings, db_true(row, 0, 5), FINDING_WARN, "postgresql.durable",
                   "switch fsync, full_page_writes and synchronous_commit on",
                   "a committed answer %s a power cut",
                   db_true(row, 0, 5) ? "survives" : "may not survive");
    findings_add(findings, FINDING_OK, "postgresql.sessions", NULL, "%s",
                 db_is_pooled(db) ? "dealt out by a pooler: statements are planned each time"
                                  : "our own: statements are prepared once");
    PQclear(row);
}

static bool check_migrations(struct findings *findings, struct db *db, const struct config *config)
{
    struct arena a;
    struct migration_list list;
    char error[256];
    bool current = false;

    arena_init(&a);
    if (!migrate_read(&a, config->migrations_dir, &list, error)) {
        findings_add(findings, FINDING_FAIL, "postgresql.migrations",
                     "point FRONTDESK_MIGRATIONS_DIR to the migrations", "%s", error);
    } else if (migrate_compare(db, &a, &list) != DB_OK) {
        database_fault(findings, db, "postgresql.migrations");
    } else {
        current = list.pending == 0;
        FINDINGS_CHECK(findings, current, FINDING_FAIL, "postgresql.migrations",
                       "run frontdesk migrate up", "%zu of %zu applied", list.count - list.pending,
                       list.count);
    }
    arena_free(&a);
    return current;
}

/* Not fd:dead: what was retried or dropped stays written there. */
static const struct db_statement dead_letters = {
    "doctor_dead_letters", "SELECT count(*) FROM platform_dead_jobs(2147483647)", 0};

static void check_dead_letters(struct findings *findings, struct db *db)
{
    PGresult *row;

    if (db_query(db, NULL, &dead_letters, NULL, &row) != DB_OK) {
        database_fault(findings, db, "dead_letters");
        return;
    }
    FINDINGS_CHECK(findings, db_int(row, 0, 0, 1) == 0, FINDING_WARN, "dead_letters",
                   "see frontdesk jobs list; retry or drop them",
                   "%" PRId64 " jobs failed for good", db_int(row, 0, 0, 0));
    PQclear(row);
}

static void check_isolation(struct findings *findings, struct db *db)
{
    PGresult *tables = NULL, *rows = NULL, *month = NULL;

    if (db_query(db, NULL, &unprotected, NULL, &tables) == DB_OK &&
        db_query(db, NULL, &visible, NULL, &rows) == DB_OK &&
        db_query(db, NULL, &partition, NULL, &month) == DB_OK) {
        FINDINGS_CHECK(findings, db_int(tables, 0, 0, 1) == 0, FINDING_FAIL, "postgresql.isolation",
                       "run frontdesk migrate up; FORCE ROW LEVEL SECURITY was taken off by hand",
                       "%" PRId64 " tables without forced row-level security %s",
                       db_int(tables, 0, 0, 0), db_text(tables, 0, 1));
        FINDINGS_CHECK(findings, db_int(rows, 0, 0, 1) == 0, FINDING_FAIL, "postgresql.blind",
                       "another role or policy lets this role see every organisation",
                       "%" PRId64 " organisations visible without naming one",
                       db_int(rows, 0, 0, 0));
        FINDINGS_CHECK(findings, db_true(month, 0, 0), FINDING_WARN, "postgresql.partition",
                       "a worker makes it when it starts and every FRONTDESK_SYNC_MS",
                       "this month's partition of messages is %s",
                       db_true(month, 0, 0) ? "there" : "missing");
    } else {
        database_fault(findings, db, "postgresql.isolation");
    }
    PQclear(tables);
    PQclear(rows);
    PQclear(month);
}

static void check_owner(struct findings *findings, const struct config *config)
{
    if (config->owner_database_url == NULL) {
        return; /* a host that only runs workers has none */
    }
    struct db *db = db_new(config->owner_database_url, "frontdesk doctor");
    bool ok = db_connect(db) == DB_OK;
    FINDINGS_CHECK(findings, ok, FINDING_WARN, "postgresql.owner_url",
                   "migrations need it: check FRONTDESK_OWNER_DATABASE_URL", "%s",
                   ok ? "reachable" : db_error(db));
    db_free(db);
}

void doctor_postgres(struct findings *findings, const struct config *config)
{
    struct db *db = db_new(config->database_url, "frontdesk doctor");

    if (db_connect(db) != DB_OK) {
        findings_add(findings, FINDING_FAIL, "postgresql.reachable",
                     "start PostgreSQL, or check FRONTDESK_DATABASE_URL", "%s", db_error(db));
    } else {
        check_server(findings, db);
        if (check_migrations(findings, db, config)) {
            check_isolation(findings, db);
            check_dead_letters(findings, db);
        }
    }
    db_free(db);
    check_owner(findings, config);
}
