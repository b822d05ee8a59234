#include "tenant/retention.h"

#include "tenant/retention_rows.h"

#include <stdlib.h>
#include <string.h>

static const struct db_statement orgs_statement = {
    "retention_orgs",
    "SELECT org_id, name, message_days, tool_execution_days FROM platform_retention()"
    " WHERE $1::uuid IS NULL OR org_id = $1::uuid",
    1};
static const struct db_statement set_statement = {
    "retention_set",
    "INSERT INTO retention_settings (org_id, message_days, tool_execution_days)"
    " VALUES ($1::uuid, $2::int, $3::int)"
    " ON CONFLICT (org_id) DO UPDATE SET message_days = EXCLUDED.message_days,"
    "   tool_execution_days = EXCLUDED.tool_execution_days, updated_at = now()",
    3};
static const struct db_statement days_statement = {
    "retention_days",
    "SELECT coalesce(r.message_days, 30), coalesce(r.tool_execution_days, 90)"
    "  FROM organizations o LEFT JOIN retention_settings r ON r.org_id = o.id"
    " WHERE o.id = $1::uuid",
    1};
static const struct db_statement drop_statement = {"retention_drop",
                                                   "SELECT platform_drop_messages_partition()", 0};
static const struct db_statement left_statement = {
    "retention_left",
    "SELECT platform_messages_before((SELECT last_day + 1 FROM messages_partitions() LIMIT 1))", 0};

enum db_status retention_orgs(struct db *db, struct arena *a, const char *only,
                              struct retention_org **orgs, size_t *count)
{
    PGresult *rows;

    *count = 0;
    enum db_status status = db_query(db, NULL, &orgs_statement, &only, &rows);
    if (status != DB_OK)
        return status;
    *count = (size_t)PQntuples(rows);
    *orgs = arena_alloc(a, (*count + 1) * sizeof(**orgs));
    for (int row = 0; row < (int)*count; row++)
        (*orgs)[row] = (struct retention_org){.id = arena_strdup(a, db_text(rows, row, 0)),
                                              .name = arena_strdup(a, db_text(rows, row, 1)),
                                              .message_days = (int)db_int(rows, row, 2, 0),
                                              .tool_execution_days = (int)db_int(rows, row, 3, 0)};
    PQclear(rows);
    return DB_OK;
}

enum db_status retention_days(struct db *db, struct retention_org *org, bool *there)
{
    PGresult *row;

    enum db_status status = db_query(db, org->id, &days_statement, &org->id, &row);
    *there = status == DB_OK && PQntuples(row) == 1;
    if (*there) {
        org->message_days = (int)db_int(row, 0, 0, 0);
        org->tool_execution_days = (int)db_int(row, 0, 1, 0);
    }
    PQclear(row);
    return status;
}

static bool days_fit(struct db *db, const char *name, int days)
{
    if (days >= RETENTION_DAYS_MIN && days <= RETENTION_DAYS_MAX)
        return true;
    db_explain(db, "%s: a whole number from %d to %d would be right", name, RETENTION_DAYS_MIN,
               RETENTION_DAYS_MAX);
    return false;
}

enum db_status retention_set(struct db *db, const char *org, int message_days,
                             int tool_execution_days)
{
    char messages[DB_NUMBER_SIZE], tools[DB_NUMBER_SIZE];
    const char *params[] = {org, db_number(messages, message_days),
                            db_number(tools, tool_execution_days)};

    if (!days_fit(db, "message_days", message_days) ||
        !days_fit(db, "tool_execution_days", tool_execution_days))
        return DB_FAILED;
    return db_query(db, org, &set_statement, params, NULL);
}

enum db_status retention_step(struct db *db, const struct turn *turn,
                              const struct archive_place *archive, struct retention_org *org,
                              struct retention_counts *counts, bool *more)
{
    *more = true;
    for (enum retention_kind kind = 0; kind < RETENTION_KINDS; kind++) {
        int64_t *total = retention_total(counts, kind), before = *total;
        bool archived = false;
        enum db_status status = DB_OK;
        if (archive_wanted(archive))
            status = retention_archive(db, turn, archive, org, kind, counts, &archived);
        if (status == DB_OK)
            status = retention_delete(db, turn, org, kind, archive_wanted(archive), total);
        if (status != DB_OK || archived || *total > before)
            return status;
    }
    *more = false;
    return DB_OK;
}

enum db_status retention_drop(struct db *db, const struct turn *turn,
                              const struct archive_place *archive, struct retention_counts *counts,
                              bool *more)
{
    PGresult *row = NULL;
    bool keep = false;

    *more = false;
    enum db_status status = turn_renew(db, turn);
    if (status == DB_OK && archive_wanted(archive)) {
        status = db_query(db, NULL, &left_statement, NULL, &row);
        keep = status == DB_OK && db_true(row, 0, 0);
        PQclear(row);
    }
    if (status != DB_OK || keep)
        return status;
    status = db_query(db, NULL, &drop_statement, NULL, &row);
    *more = status == DB_OK && db_text(row, 0, 0) != NULL;
    counts->partitions += *more;
    PQclear(row);
    return status;
}
