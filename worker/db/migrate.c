#include "db/migrate.h"

#include "core/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATION_BYTES_MAX (4u << 20)
#define MIGRATIONS_MAX      9999

/* One lock for all of it, so that two hosts that start together take turns. */
#define PROLOGUE                                                                                   \
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s';"                             \
    "SELECT pg_advisory_xact_lock(hashtext('frontdesk_migrate'));"                                 \
    "CREATE TABLE IF NOT EXISTS schema_migrations ("                                               \
    " version int PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"                          \
    " applied_at timestamptz NOT NULL DEFAULT now())"

static const struct db_statement find_table = {
    "migrate_find_table", "SELECT to_regclass('schema_migrations') IS NOT NULL", 0};
static const struct db_statement list_applied = {
    "migrate_list",
    "SELECT version, name, sha256, to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM schema_migrations ORDER BY version",
    0};
static const struct db_statement is_applied = {
    "migrate_is_applied", "SELECT EXISTS (SELECT FROM schema_migrations WHERE version = $1)", 1};
static const struct db_statement remember = {
    "migrate_remember", "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
    3};

/* -- files ----------------------------------------------------------------------- */

static bool is_sql_file(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".sql") == 0;
}

/* "0007_name.sql" is 7; 0 for any other shape. */
static int version_of(const char *name)
{
    for (int i = 0; i < 4; i++) {
        if (!isdigit((unsigned char)name[i])) {
            return 0;
        }
    }
    return name[4] == '_' && strlen(name) > strlen("0000_.sql") ? atoi(name) : 0;
}

static bool read_sql(struct arena *a, const char *directory, struct migration *m, char error[256])
{
    size_t len;
    const char *path = arena_printf(a, "%s/%s", directory, m->name);

    m->sql = file_read(a, path, MIGRATION_BYTES_MAX, &len, error);
    if (m->sql == NULL) {
        return false;
    }
    if (strlen(m->sql) != len || !fd_utf8_valid(m->sql, len)) {
        snprintf(error, 256, "%.200s: not UTF-8 text", path);
        return false;
    }
    fd_sha256_hex(m->sha256, m->sql, len);
    return true;
}

static bool in_sequence(const struct dirent *const *entries, size_t count, const char *directory,
                        char error[256])
{
    for (size_t i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        int version = version_of(name);
        if (version == 0) {
            snprintf(error, 256, "%s/%.100s: a migration is named NNNN_name.sql, from 0001",
                     directory, name);
            return false;
        }
        if (version != (int)i + 1) {
            snprintf(error, 256,
                     "%s/%.100s: expected number %04zu here; there is a gap or a double", directory,
                     name, i + 1);
            return false;
        }
    }
    return true;
}

bool migrate_read(struct arena *a, const char *directory, struct migration_list *list,
                  char error[256])
{
    struct dirent **entries = NULL;
    *list = (struct migration_list){0};
    int found = scandir(directory, &entries, NULL, alphasort);
    if (found < 0) {
        snprintf(error, 256, "%s: %s (FRONTDESK_MIGRATIONS_DIR)", directory, strerror(errno));
        return false;
    }
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        if (is_sql_file(entries[i]->d_name)) {
            struct dirent *entry = entries[i];
            entries[i] = entries[count];
            entries[count++] = entry; /* keeps the order: what moves back is no migration */
        }
    }
    bool ok = in_sequence((const struct dirent *const *)entries, count, directory, error);
    if (ok && (count == 0 || count > MIGRATIONS_MAX)) {
        snprintf(error, 256, "%s: no migrations there (FRONTDESK_MIGRATIONS_DIR)", directory);
        ok = false;
    }
    list->items = arena_zalloc(a, (count + 1) * sizeof(*list->items));
    for (; ok && list->count < count; list->count++) {
        struct migration *m = &list->items[list->count];
        m->version = (int)list->count + 1;
        m->name = arena_strdup(a, entries[list->count]->d_name);
        ok = read_sql(a, directory, m, error);
    }
    list->pending = list->count;
    for (int i = 0; i < found; i++) {
        free(entries[i]);
    }
    free(entries);
    return ok;
}

/* -- the database ---------------------------------------------------------------- */

static enum db_status mark_applied(struct db *db, struct arena *a, struct migration_list *list,
                                   const PGresult *applied)
{
    for (int row = 0; row < PQntuples(applied); row++) {
        size_t version = (size_t)db_int(applied, row, 0, 0);
        const char *name = db_text(applied, row, 1);
        if (version != (size_t)row + 1) {
            db_explain(db, "schema_migrations has number %zu where %d is due: a row is missing",
                       version, row + 1);
            return DB_FAILED;
        }
        if (version > list->count) {
            db_explain(db,
                       "the database has applied %s, which is not among the files: this program is "
                       "older than the database, or the file was removed",
                       name);
            return DB_FAILED;
        }
        struct migration *m = &list->items[version - 1];
        if (strcmp(m->sha256, db_text(applied, row, 2)) != 0) {
            db_explain(db,
                       "%s was changed after it was applied: restore it and put the change into "
                       "a new migration",
                       m->name);
            return DB_FAILED;
        }
        m->applied_at = arena_strdup(a, db_text(applied, row, 3));
        list->pending--;
    }
    return DB_OK;
}

enum db_status migrate_compare(struct db *db, struct arena *a, struct migration_list *list)
{
    PGresult *result;

    list->pending = list->count;
    enum db_status status = db_query(db, NULL, &find_table, NULL, &result);
    if (status != DB_OK) {
        return status;
    }
    bool exists = db_true(result, 0, 0);
    PQclear(result);
    if (!exists) {
        return DB_OK;
    }
    status = db_query(db, NULL, &list_applied, NULL, &result);
    if (status == DB_OK) {
        status = mark_applied(db, a, list, result);
        PQclear(result);
    }
    return status;
}

static enum db_status apply_in_transaction(struct db *db, const struct migration *m, bool *applied)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {db_number(number, m->version), m->name, m->sha256};
    PGresult *result;

    enum db_status status = db_script(db, PROLOGUE);
    if (status == DB_OK) {
        status = db_exec(db, &is_applied, params, &result);
    }
    if (status != DB_OK) {
        return status;
    }
    *applied = !db_true(result, 0, 0);
    PQclear(result);
    if (!*applied) {
        return db_commit(db); /* another host was faster */
    }
    status = db_script(db, m->sql);
    if (status == DB_OK) {
        status = db_exec(db, &remember, params, NULL);
    }
    return status == DB_OK ? db_commit(db) : status;
}

enum db_status migrate_up(struct db *db, struct arena *a, struct migration_list *list,
                          void (*done)(const struct migration *migration))
{
    enum db_status status = migrate_compare(db, a, list);

    for (size_t i = list->count - list->pending; status == DB_OK && i < list->count; i++) {
        struct migration *m = &list->items[i];
        bool applied = false;
        status = db_begin(db, NULL);
        if (status == DB_OK) {
            status = apply_in_transaction(db, m, &applied);
        }
        if (status != DB_OK) {
            db_rollback(db);
            char why[400];
            snprintf(why, sizeof(why), "%s", db_error(db));
            db_explain(db, "%s: %s", m->name, why);
            return status;
        }
        if (applied && done != NULL) {
            done(m);
        }
    }
    return status == DB_OK ? migrate_compare(db, a, list) : status;
}
