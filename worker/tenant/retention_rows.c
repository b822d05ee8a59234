#include "tenant/retention_rows.h"

#include "tenant/archive.h"

#include <stdlib.h>
#include <string.h>

#define PAGE "1000"

/* Days end at midnight UTC: what is N days old today is N whole days old. */
#define CUTOFF                                                                                     \
    "((date_trunc('day', now() AT TIME ZONE 'UTC') - $2::int * interval '1 day')"                  \
    " AT TIME ZONE 'UTC')"
#define MONTH_START "(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
/* A call that somebody still decides on, or that runs, stays until it has ended. */
#define ENDED "status NOT IN ('confirming', 'approving', 'approved', 'started', 'pending')"
/* Of the oldest day: its end, where only that day may go ($3); else the cutoff. */
#define UNTIL(table, condition)                                                                    \
    "least(" CUTOFF ", CASE WHEN $3::boolean THEN (SELECT (date_trunc('day', min(created_at)"      \
    " AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC' FROM " table                      \
    " WHERE org_id = $1::uuid AND " condition ") END)"

static const struct kind {
    struct db_statement count; /* org, days */
    struct db_statement trim;  /* org, days, only the oldest day; a row: how many */
    /* Of a kind that is archived: the oldest day that is due, and a page of its rows. */
    const char *name;
    struct db_statement day;  /* org, days */
    struct db_statement rows; /* org, day, after: time, id */
} kinds[RETENTION_KINDS] = {
    [RETENTION_MESSAGES] =
        {.count = {"retention_messages_count",
                   "SELECT count(*) FROM messages WHERE org_id = $1::uuid AND created_at < " CUTOFF,
                   2},
         .trim = {"retention_messages",
                  "WITH old AS (SELECT id, created_at FROM messages"
                  "  WHERE org_id = $1::uuid AND created_at < " UNTIL("messages", "true") //
                  "  ORDER BY created_at LIMIT " PAGE "), gone AS ("
                  "  DELETE FROM messages m USING old"
                  "   WHERE m.id = old.id AND m.created_at = old.created_at"
                  "     AND m.org_id = $1::uuid RETURNING 1"
                  ") SELECT count(*) FROM gone",
                  3},
         .name = "messages",
         .day = {"retention_messages_day",
                 "SELECT (min(created_at) AT TIME ZONE 'UTC')::date FROM messages"
                 " WHERE org_id = $1::uuid AND created_at < " CUTOFF,
                 2},
         .rows = {"retention_messages_rows",
                  "SELECT (to_jsonb(m) - 'org_id')::text, created_at, id FROM messages m"
                  " WHERE org_id = $1::uuid"
                  "   AND created_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
                  "   AND created_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'"
                  "   AND ($3::timestamptz IS NULL"
                  "        OR (created_at, id) > ($3::timestamptz, $4::uuid))"
                  " ORDER BY created_at, id LIMIT " PAGE,
                  4}},
    /* What its tools did is kept for longer, and what the month's questions are counted of,
     * to the end of the month; neither names the conversation any more. */
    [RETENTION_CONVERSATIONS] =
        {.count = {"retention_conversations_count",
                   "SELECT count(*) FROM conversations"
                   " WHERE org_id = $1::uuid AND updated_at < " CUTOFF,
                   2},
         .trim = {"retention_conversations",
                  "WITH old AS (SELECT id FROM conversations c"
                  "  WHERE org_id = $1::uuid AND updated_at < " CUTOFF
                  "    AND $3::boolean IS NOT NULL"
                  "    AND NOT EXISTS (SELECT FROM messages m WHERE m.org_id = c.org_id"
                  "                       AND m.conversation_id = c.id)"
                  "  ORDER BY updated_at LIMIT 200"
                  "), tools AS ("
                  "  UPDATE tool_executions t SET conversation_id = NULL, session_id = NULL"
                  "    FROM old WHERE t.org_id = $1::uuid AND t.conversation_id = old.id"
                  "), month AS ("
                  "  UPDATE jobs j SET conversation_id = NULL, session_id = '', body = '{}',"
                  "         outcome = NULL"
                  "    FROM old WHERE j.org_id = $1::uuid AND j.conversation_id = old.id"
                  "     AND j.accepted_at >= " MONTH_START "), told AS ("
                  "  UPDATE alerts a SET detail = a.detail - 'contact' - 'reason'"
                  "    FROM old WHERE a.org_id = $1::uuid AND a.kind = 'handoff.requested'"
                  "     AND a.detail->>'conversation_id' = old.id::text"
                  "), gone AS ("
                  "  DELETE FROM conversations c USING old"
                  "   WHERE c.org_id = $1::uuid AND c.id = old.id RETURNING 1"
                  ") SELECT count(*) FROM gone",
                  3}},
    [RETENTION_JOBS] =
        {.count = {"retention_jobs_count",
                   "SELECT count(*) FROM jobs WHERE org_id = $1::uuid AND accepted_at < " CUTOFF
                   "   AND state <> 'running'"
                   "   AND (accepted_at < " MONTH_START " OR body <> '{}')",
                   2},
         .trim = {"retention_jobs",
                  "WITH old AS (SELECT id, accepted_at < " MONTH_START " AS counted FROM jobs"
                  "  WHERE org_id = $1::uuid AND accepted_at < " CUTOFF
                  "    AND state <> 'running' AND $3::boolean IS NOT NULL"
                  "    AND (accepted_at < " MONTH_START " OR body <> '{}')"
                  "  ORDER BY accepted_at LIMIT " PAGE "), emptied AS ("
                  "  UPDATE jobs j SET body = '{}', outcome = NULL FROM old"
                  "   WHERE j.org_id = $1::uuid AND j.id = old.id AND NOT counted RETURNING 1"
                  "), gone AS ("
                  "  DELETE FROM jobs j USING old"
                  "   WHERE j.org_id = $1::uuid AND j.id = old.id AND counted RETURNING 1"
                  ") SELECT (SELECT count(*) FROM emptied) + (SELECT count(*) FROM gone)",
                  3}},
    /* Counted first; a day whose rows are deleted in part keeps what was counted. */
    [RETENTION_TOOLS] =
        {.count = {"retention_tools_count",
                   "SELECT count(*) FROM tool_executions"
                   " WHERE org_id = $1::uuid AND " ENDED " AND created_at < " CUTOFF,
                   2},
         .trim = {"retention_tools",
                  "WITH old AS (SELECT id FROM tool_executions"
                  "  WHERE org_id = $1::uuid AND " ENDED
                  "    AND created_at < " UNTIL("tool_executions", ENDED) //
                  "  ORDER BY created_at LIMIT " PAGE "), gone AS ("
                  "  DELETE FROM tool_executions t USING old"
                  "   WHERE t.org_id = $1::uuid AND t.id = old.id RETURNING 1"
                  ") SELECT count(*) FROM gone",
                  3},
         .name = "tool-executions",
         .day = {"retention_tools_day",
                 "SELECT (min(created_at) AT TIME ZONE 'UTC')::date FROM tool_executions"
                 " WHERE org_id = $1::uuid AND " ENDED " AND created_at < " CUTOFF,
                 2},
         .rows = {"retention_tools_rows",
                  "SELECT (to_jsonb(t) - 'org_id' - 'session_id')::text, created_at, id"
                  "  FROM tool_executions t"
                  " WHERE org_id = $1::uuid"
                  "   AND created_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
                  "   AND created_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'"
                  "   AND ($3::timestamptz IS NULL"
                  "        OR (created_at, id) > ($3::timestamptz, $4::uuid))"
                  " ORDER BY created_at, id LIMIT " PAGE,
                  4}},
};

/* org, days, a day: the days of the page that goes next, but those up to that day. */
static const struct db_statement count_tools = {
    "retention_count_tools",
    "SELECT last, count_tools(greatest(first, $3::date + 1), last + 1)"
    "  FROM (SELECT min(day) AS first, max(day) AS last"
    "          FROM (SELECT (created_at AT TIME ZONE 'UTC')::date AS day FROM tool_executions"
    "                 WHERE org_id = $1::uuid AND " ENDED " AND created_at < " CUTOFF
    "                 ORDER BY created_at LIMIT " PAGE ") page) days"
    " WHERE last > coalesce($3::date, '-infinity')",
    3};

int64_t *retention_total(struct retention_counts *counts, enum retention_kind kind)
{
    switch (kind) {
    case RETENTION_MESSAGES: return &counts->messages;
    case RETENTION_CONVERSATIONS: return &counts->conversations;
    case RETENTION_JOBS: return &counts->jobs;
    default: return &counts->tool_executions;
    }
}

static int days_of(const struct retention_org *org, enum retention_kind kind)
{
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
        status = db_query(db, org->id, &kinds[kind].count, params, &row);
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

    enum db_status status = db_exec(db, &count_tools, params, &row);
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
        status = db_exec(db, &kinds[kind].trim, params, &row);
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
    if (status == DB_OK)
        status = db_commit(db);
    if (status != DB_OK) {
        db_rollback(db);
        return status;
    }
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

    enum db_status status = db_query(db, org->id, &kinds[kind].rows, params, &rows);
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
    const int page = (int)strtol(PAGE, NULL, 10);
    char after[2][64] = {"", ""};
    char error[256];
    int count = page;

    while (count == page) {
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
    if (kinds[kind].name == NULL)
        return DB_OK;
    enum db_status status = db_query(db, org->id, &kinds[kind].day, params, &row);
    const char *day = status == DB_OK ? db_text(row, 0, 0) : NULL;
    if (day != NULL &&
        !archive_begin(&archive, place, org->id, kinds[kind].name, day, &there, error)) {
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
