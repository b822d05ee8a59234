#include "tenant/alert.h"

#include "core/reason.h"

#include <string.h>

#define WHEN(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

static const struct db_statement sweep = {"alert_sweep", "SELECT platform_raise_alerts()", 0};
static const struct db_statement pending_count = {"alert_pending",
                                                  "SELECT platform_pending_alerts()", 0};
static const struct db_statement announce = {
    "alert_announce", "SELECT org_id, facts FROM platform_announce_alerts($1::int)", 1};
static const struct db_statement claim = {
    "alert_claim",
    "SELECT id, org_id, kind, subject, to_char(month, 'YYYY-MM'), detail, " WHEN(
        "created_at") ","
                      "       attempts, url, sealed_secret"
                      "  FROM platform_claim_alerts($1::int, $2::int, $3::int) ORDER BY "
                      "created_at, id",
    3};
static const struct db_statement settle = {
    "alert_settle",
    "UPDATE alerts SET delivery = $3, last_error = $4,"
    "       delivered_at = CASE WHEN $3 = 'delivered' THEN now() END"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND delivery = 'pending'",
    4};
static const struct db_statement list = {
    "alert_list",
    "SELECT id, kind, subject, to_char(month, 'YYYY-MM'), detail, " WHEN(
        "created_at") ","
                      "       delivery, attempts, " WHEN(
                          "delivered_at") ", last_error"
                                          "  FROM alerts WHERE org_id = $1::uuid ORDER BY "
                                          "created_at DESC, id LIMIT $2::int",
    2};

static enum db_status ask_number(struct db *db, const struct db_statement *statement,
                                 int64_t *number)
{
    PGresult *result;
    enum db_status status = db_query(db, NULL, statement, NULL, &result);
    if (status == DB_OK) {
        *number = db_int(result, 0, 0, 0);
        PQclear(result);
    }
    return status;
}

enum db_status alert_sweep(struct db *db, int64_t *raised)
{
    return ask_number(db, &sweep, raised);
}

enum db_status alert_pending(struct db *db, int64_t *pending)
{
    return ask_number(db, &pending_count, pending);
}

enum db_status alert_announce(struct db *db, int most, PGresult **alerts)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {db_number(number, most)};
    return db_query(db, NULL, &announce, params, alerts);
}

enum db_status alert_claim(struct db *db, struct arena *a, int most, struct alert **alerts,
                           size_t *count)
{
    char n[3][DB_NUMBER_SIZE];
    const char *params[] = {db_number(n[0], most), db_number(n[1], ALERT_FIRST_PAUSE_S),
                            db_number(n[2], ALERT_LAST_PAUSE_S)};
    PGresult *result;

    *count = 0;
    enum db_status status = db_query(db, NULL, &claim, params, &result);
    if (status != DB_OK) {
        return status;
    }
    *count = (size_t)PQntuples(result);
    *alerts = arena_zalloc(a, (*count + 1) * sizeof(**alerts));
    for (int row = 0; row < (int)*count; row++) {
        (*alerts)[row] = (struct alert){.id = arena_strdup(a, db_text(result, row, 0)),
                                        .org = arena_strdup(a, db_text(result, row, 1)),
                                        .kind = arena_strdup(a, db_text(result, row, 2)),
                                        .subject = arena_strdup(a, db_text(result, row, 3)),
                                        .month = arena_strdup(a, db_text(result, row, 4)),
                                        .detail = arena_strdup(a, db_text(result, row, 5)),
                                        .created_at = arena_strdup(a, db_text(result, row, 6)),
                                        .attempts = (int)db_int(result, row, 7, 0),
                                        .url = arena_strdup(a, db_text(result, row, 8)),
                                        .sealed_secret = arena_strdup(a, db_text(result, row, 9))};
    }
    PQclear(result);
    return DB_OK;
}

enum db_status alert_settle(struct db *db, const struct alert *alert, const char *error)
{
    const char *delivery = error == NULL                           ? "delivered"
                           : alert->url == NULL                    ? "none"
                           : alert->attempts >= ALERT_ATTEMPTS_MAX ? "failed"
                                                                   : "pending";
    const char *params[] = {alert->org, alert->id, delivery, error};
    return db_query(db, alert->org, &settle, params, NULL);
}

static void write_facts(struct fd_json_writer *w, const char *subject, const char *detail)
{
    if (subject[0] != '\0') {
        fd_jw_member(w, "subject", subject);
    }
    fd_jw_member_raw(w, "detail", detail);
}

bool alert_body(const struct alert *alert, struct buf *out)
{
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", alert->id);
    fd_jw_member(&w, "event", strncmp(alert->kind, "handoff.", 8) == 0 ? alert->kind : "alert");
    fd_jw_member(&w, "kind", alert->kind);
    fd_jw_member(&w, "org_id", alert->org);
    fd_jw_member(&w, "month", alert->month);
    write_facts(&w, alert->subject, alert->detail);
    fd_jw_member(&w, "created_at", alert->created_at);
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(rows, row, 0));
    fd_jw_member(w, "kind", db_text(rows, row, 1));
    fd_jw_member(w, "month", db_text(rows, row, 3));
    write_facts(w, db_text(rows, row, 2), db_text(rows, row, 4));
    fd_jw_member(w, "created_at", db_text(rows, row, 5));
    fd_jw_member(w, "delivery", db_text(rows, row, 6));
    fd_jw_member_int(w, "attempts", db_int(rows, row, 7, 0));
    fd_jw_member(w, "delivered_at", db_text(rows, row, 8));
    reason_member(w, "last_error", db_text(rows, row, 9));
    fd_jw_end_object(w);
}

enum db_status alert_list(struct db *db, const char *org, struct buf *out)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {org, db_number(most, ALERT_LIST_MAX)};
    struct fd_json_writer w;
    PGresult *rows;

    enum db_status status = db_query(db, org, &list, params, &rows);
    if (status != DB_OK) {
        return status;
    }
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "alerts");
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        write_row(&w, rows, row);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    PQclear(rows);
    return buf_json_end(out, &w) ? DB_OK : DB_FAILED;
}
