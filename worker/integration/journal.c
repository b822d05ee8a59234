#include "integration/journal.h"
#include "core/reason.h"
#include "core/utf8.h"

#include <string.h>

static const struct db_statement insert = {
    "journal_insert",
    "INSERT INTO integration_calls (org_id, integration_id, endpoint, job_id, failure, status, ms,"
    "                               bytes, cached, detail)"
    "  SELECT org_id, id, $3, $4, $5, $6, $7, $8, $9, $10 FROM client_integrations"
    "   WHERE org_id = $1 AND id = $2::uuid",
    10};
static const struct db_statement list = {
    "journal_list",
    "SELECT c.id, i.name, c.endpoint, c.job_id, c.failure, c.status, c.ms, c.bytes, c.cached,"
    "       c.detail, to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    "  FROM integration_calls c"
    "  JOIN client_integrations i ON i.org_id = c.org_id AND i.id = c.integration_id"
    " WHERE c.org_id = $1 AND ($2::text IS NULL OR c.integration_id ="
    "   (SELECT o.id FROM client_integrations o"
    "     WHERE o.org_id = $1 AND (o.id::text = lower($2) OR o.name = $2) LIMIT 1))"
    "   AND ($3::bigint IS NULL OR c.id < $3::bigint) ORDER BY c.id DESC LIMIT $4",
    4};

enum db_status journal_write(struct db *db, const struct journal_entry *entry)
{
    char status_text[DB_NUMBER_SIZE], ms[DB_NUMBER_SIZE], bytes[DB_NUMBER_SIZE];
    char detail[512];
    const char *params[] = {entry->org,
                            db_uuid(entry->integration_id),
                            entry->endpoint,
                            entry->job_id,
                            entry->failure,
                            db_number(status_text, entry->status),
                            db_number(ms, entry->ms),
                            db_number(bytes, (int64_t)entry->bytes),
                            entry->cached ? "true" : "false",
                            detail};
    const char *told = entry->detail != NULL ? entry->detail : "";

    (void)utf8_line(detail, sizeof(detail), &told, told + strlen(told));
    return db_query_unhurried(db, entry->org, &insert, params, NULL);
}

void journal_write_entry(struct fd_json_writer *w, const PGresult *rows, int row)
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
    reason_member(w, "detail", db_text(rows, row, at++));
    fd_jw_member(w, "created_at", db_text(rows, row, at));
}

enum db_status journal_list(struct db *db, const char *org, const char *integration,
                            const char *before, int most, PGresult **rows)
{
    char limit[DB_NUMBER_SIZE];
    const char *params[] = {org, integration, before, db_number(limit, most)};

    return db_query(db, org, &list, params, rows);
}
