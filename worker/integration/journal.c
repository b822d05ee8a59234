#include "integration/journal.h"
#include "integration/listing.h"
#include "core/utf8.h"

#include <string.h>

#define PRUNE_EVERY 256

static const struct db_statement insert = {
    "journal_insert",
    "INSERT INTO integration_calls (org_id, integration_id, endpoint, job_id, failure, status, ms,"
    "                               bytes, cached, detail)"
    "  SELECT org_id, id, $3, $4, $5, $6, $7, $8, $9, $10 FROM client_integrations"
    "   WHERE org_id = $1 AND id::text = $2"
    "  RETURNING id",
    10};
static const struct db_statement prune = {"journal_prune",
                                          "DELETE FROM integration_calls WHERE org_id = $1 AND "
                                          "created_at < now() - $2 * interval '1 day'",
                                          2};
static const struct db_statement list = {
    "journal_list",
    "SELECT c.id, i.name, c.endpoint, c.job_id, c.failure, c.status, c.ms, c.bytes, c.cached,"
    "       c.detail, to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    "  FROM integration_calls c"
    "  JOIN client_integrations i ON i.org_id = c.org_id AND i.id = c.integration_id"
    " WHERE c.org_id = $1 AND ($2::text IS NULL OR c.integration_id::text = $2)"
    "   AND ($3::bigint = 0 OR c.id < $3) ORDER BY c.id DESC LIMIT $4",
    4};

enum db_status journal_write(struct db *db, const struct journal_entry *entry)
{
    char status_text[DB_NUMBER_SIZE], ms[DB_NUMBER_SIZE], bytes[DB_NUMBER_SIZE];
    char days[DB_NUMBER_SIZE], detail[512];
    const char *params[] = {entry->org,
                            entry->integration_id,
                            entry->endpoint,
                            entry->job_id,
                            entry->failure,
                            db_number(status_text, entry->status),
                            db_number(ms, entry->ms),
                            db_number(bytes, (int64_t)entry->bytes),
                            entry->cached ? "true" : "false",
                            detail};
    const char *old[] = {entry->org, db_number(days, JOURNAL_DAYS)};
    const char *told = entry->detail != NULL ? entry->detail : "";
    PGresult *result = NULL;
    enum db_status status;
    int64_t id;

    (void)utf8_line(detail, sizeof(detail), &told, told + strlen(told));
    status = db_query_unhurried(db, entry->org, &insert, params, &result);
    id = status == DB_OK && PQntuples(result) == 1 ? db_int(result, 0, 0, 0) : 0;
    PQclear(result);
    if (status == DB_OK && id > 0 && id % PRUNE_EVERY == 0)
        status = db_query_unhurried(db, entry->org, &prune, old, NULL);
    return status;
}

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    int at = 0;

    fd_jw_member_int(w, "id", db_int(rows, row, at++, 0));
    fd_jw_member(w, "integration", db_text(rows, row, at++));
    fd_jw_member(w, "endpoint", db_text(rows, row, at++));
    fd_jw_member(w, "job_id", db_text(rows, row, at++));
    fd_jw_member(w, "outcome", db_text(rows, row, at++));
    fd_jw_member_int(w, "status", db_int(rows, row, at++, 0));
    fd_jw_member_int(w, "ms", db_int(rows, row, at++, 0));
    fd_jw_member_int(w, "bytes", db_int(rows, row, at++, 0));
    fd_jw_member_bool(w, "cached", db_true(rows, row, at++));
    fd_jw_member(w, "detail", db_text(rows, row, at++));
    fd_jw_member(w, "created_at", db_text(rows, row, at));
}

enum db_status journal_list(struct db *db, const char *org, const char *integration_id,
                            int64_t before, int most, struct buf *json)
{
    char from[DB_NUMBER_SIZE], limit[DB_NUMBER_SIZE];
    const char *params[] = {org, integration_id, db_number(from, before), db_number(limit, most)};

    return listing_write(db, org, &list, params, write_row, json);
}
