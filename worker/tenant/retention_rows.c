#include "tenant/retention_rows.h"

#include "tenant/archive.h"

#include <string.h>

int64_t *retention_total(struct retention_counts *counts, enum retention_kind kind)
{
    switch (kind) {
    case RETENTION_MESSAGES: return &counts->messages;
    case RETENTION_CONVERSATIONS: return &counts->conversations;
    case RETENTION_JOBS: return &counts->jobs;
    case RETENTION_TOOLS: return &counts->tool_executions;
    case RETENTION_TEST_RUNS: return &counts->test_runs;
    default: return &counts->records;
    }
}

static int days_of(const struct retention_org *org, enum retention_kind kind)
{
    if (retention_sql[kind].days > 0)
        return retention_sql[kind].days;
    return kind == RETENTION_TOOLS ? org->tool_execution_days : org->message_days;
}

enum db_status retention_count(struct db *db, const struct retention_org *org,
                               struct retention_counts *counts)
{
    enum db_status status = DB_OK;
    char days[DB_NUMBER_SIZE];
    PGresult *row;

    for (enum retention_kind kind = 0; kind < RETENTION_KINDS && status == DB_OK; kind++) {
        const char *params[] = {org->id, db_number(days, days_of(org, kind))};
        status = db_query(db, org->id, &retention_sql[kind].count, params, &row);
        if (status == DB_OK)
            *retention_total(counts, kind) += db_int(row, 0, 0, 0);
        PQclear(row);
    }
    return status;
}

/* -- deleting --------------------------------------------------------------------------------- */

/* Each day once, however many pages it has: its calls ended long ago. */
static enum db_status count_first(struct db *db, const struct retention_org *org,
                                  char counted[RETENTION_DAY_SIZE])
{
    char days[DB_NUMBER_SIZE];
    const char *params[] = {org->id, db_number(days, org->tool_execution_days),
                            counted[0] != '\0' ? counted : NULL};
    PGresult *row;

    enum db_status status = db_exec(db, &retention_count_tools, params, &row);
    if (status == DB_OK && PQntuples(row) == 1)
        snprintf(counted, RETENTION_DAY_SIZE, "%s", db_text(row, 0, 0));
    PQclear(row);
    return status;
}

static enum db_status delete_some(struct db *db, const struct turn *turn,
                                  const struct retention_org *org, enum retention_kind kind,
                                  bool one_day, char counted[RETENTION_DAY_SIZE], int64_t *deleted)
{
    char days[DB_NUMBER_SIZE];
    const char *params[] = {org->id, db_number(days, days_of(org, kind)),
                            one_day ? "true" : "false"};
    PGresult *row = NULL;

    enum db_status status = turn_hold(db, turn);
    if (status == DB_OK && kind == RETENTION_TOOLS)
        status = count_first(db, org, counted);
    if (status == DB_OK)
        status = db_exec(db, &retention_sql[kind].trim, params, &row);
    if (status == DB_OK)
        *deleted = db_int(row, 0, 0, 0);
    PQclear(row);
    return status;
}

enum db_status retention_delete(struct db *db, const struct turn *turn, struct retention_org *org,
                                enum retention_kind kind, bool one_day, int64_t *total)
{
    char counted[RETENTION_DAY_SIZE];
    int64_t deleted = 0;

    memcpy(counted, org->tools_counted, sizeof(counted));
    enum db_status status = db_begin(db, org->id);
    if (status == DB_OK)
        status = delete_some(db, turn, org, kind, one_day, counted, &deleted);
    status = db_end(db, status);
    if (status != DB_OK)
        return status;
    memcpy(org->tools_counted, counted, sizeof(counted));
    *total += deleted;
    return DB_OK;
}

/* -- archiving -------------------------------------------------------------------------------- */

static enum db_status broken(struct db *db, const char *error)
{
    db_explain(db, "%s", error);
    return DB_FAILED;
}

/* A page of the day; *count how many there were, `after` where it ended. */
static enum db_status archive_page(struct db *db, const struct retention_org *org,
                                   enum retention_kind kind, const char *day,
                                   struct archive *archive, char after[2][64], int *count)
{
    const char *params[] = {org->id, day, after[0][0] != '\0' ? after[0] : NULL,
                            after[0][0] != '\0' ? after[1] : NULL};
    PGresult *rows;

    enum db_status status = db_query(db, org->id, &retention_sql[kind].rows, params, &rows);
    if (status != DB_OK)
        return status;
    *count = PQntuples(rows);
    bool written = true;
    for (int row = 0; row < *count && written; row++)
        written = archive_line(archive, db_text(rows, row, 0));
    for (int i = 0; i < 2 && *count > 0; i++)
        snprintf(after[i], 64, "%s", db_text(rows, *count - 1, i + 1));
    PQclear(rows);
    return written ? DB_OK : broken(db, "the archive cannot be written");
}

static enum db_status archive_day(struct db *db, const struct turn *turn,
                                  const struct retention_org *org, enum retention_kind kind,
                                  const char *day, struct archive *archive, int64_t *lines)
{
    char after[2][64] = {"", ""};
    char error[256];
    int count = RETENTION_PAGE;

    while (count == RETENTION_PAGE) {
        enum db_status status = turn_renew(db, turn);
        if (status == DB_OK)
            status = archive_page(db, org, kind, day, archive, after, &count);
        if (status != DB_OK)
            return status;
        *lines += count;
    }
    return archive_end(archive, error) ? DB_OK : broken(db, error);
}

enum db_status retention_archive(struct db *db, const struct turn *turn,
                                 const struct archive_place *place, const struct retention_org *org,
                                 enum retention_kind kind, struct retention_counts *counts,
                                 bool *archived)
{
    char days[DB_NUMBER_SIZE], error[256];
    const char *params[] = {org->id, db_number(days, days_of(org, kind))};
    struct archive archive;
    PGresult *row;
    bool there;

    *archived = false;
    if (retention_sql[kind].name == NULL)
        return DB_OK;
    enum db_status status = db_query(db, org->id, &retention_sql[kind].day, params, &row);
    const char *day = status == DB_OK ? db_text(row, 0, 0) : NULL;
    if (day != NULL &&
        !archive_begin(&archive, place, org->id, retention_sql[kind].name, day, &there, error)) {
        status = broken(db, error);
    } else if (day != NULL && !there) {
        int64_t lines = 0;
        status = archive_day(db, turn, org, kind, day, &archive, &lines);
        archive_drop(&archive);
        *archived = status == DB_OK;
        counts->archived += *archived ? lines : 0;
    }
    PQclear(row);
    return status;
}
