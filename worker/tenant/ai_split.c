/* The arms of a split of models, side by side. */
#include "tenant/ai_models.h"

#include "tenant/tenant.h"

/* An arm without answers has its row as well. */
static const struct db_statement report = {
    "ai_split_report",
    "WITH named AS ("
    "  SELECT coalesce($2, (SELECT ab_split->>'name' FROM org_ai_settings WHERE org_id = $1::uuid),"
    "                  '" TENANT_SPLIT "') AS name"
    "), answers AS ("
    "  SELECT m.route->>'arm' AS arm, m.conversation_id, m.status, m.feedback, m.model_id,"
    "         (m.route->>'first_token_ms')::float8 AS first_ms,"
    "         extract(epoch FROM m.finished_at - m.created_at) * 1000 AS total_ms, c.*"
    "    FROM named, messages m, LATERAL ("
    "         SELECT coalesce(sum(l.cost_micro), 0) AS cost,"
    "                count(*) FILTER (WHERE l.cost_micro IS NULL AND l.id IS NOT NULL) AS unpriced"
    "           FROM usage_ledger l WHERE l.org_id = $1::uuid AND l.job_id = m.job_id) c"
    "   WHERE m.org_id = $1::uuid AND m.role = 'assistant' AND m.route->>'split' = named.name"
    "     AND m.created_at >= now() - $3::int * interval '1 day'"
    "), ratings AS ("
    "  SELECT a.arm, avg(c.rating) AS rating, count(c.rating) AS rated"
    "    FROM (SELECT DISTINCT arm, conversation_id FROM answers) a"
    "    JOIN conversations c ON c.org_id = $1::uuid AND c.id = a.conversation_id GROUP BY a.arm"
    ")"
    "SELECT (SELECT name FROM named), arms.arm, count(DISTINCT a.conversation_id), count(a.arm),"
    "       count(*) FILTER (WHERE a.status <> 'complete'), coalesce(sum(a.cost), 0),"
    "       coalesce(sum(a.unpriced), 0),"
    "       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY a.first_ms)),"
    "       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY a.first_ms)),"
    "       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY a.total_ms)),"
    "       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY a.total_ms)),"
    "       count(*) FILTER (WHERE a.feedback = 1), count(*) FILTER (WHERE a.feedback = -1),"
    "       round(max(r.rating), 2), coalesce(max(r.rated), 0),"
    "       coalesce(jsonb_agg(DISTINCT a.model_id) FILTER (WHERE a.model_id IS NOT NULL), '[]')"
    "  FROM (VALUES ('a'), ('b')) AS arms (arm)"
    "  LEFT JOIN answers a USING (arm) LEFT JOIN ratings r USING (arm)"
    " GROUP BY arms.arm ORDER BY arms.arm",
    3};

enum db_status ai_split_report(struct db *db, const char *org, const char *name, int days,
                               PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, name, db_number(number, days)};

    return db_query(db, org, &report, params, rows);
}

/* A number as PostgreSQL wrote it; null where nothing was counted. */
static void write_cell(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                       int column)
{
    fd_jw_member_raw(w, key, db_text(rows, row, column));
}

static void write_arm(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_object(w);
    fd_jw_member(w, "arm", db_text(rows, row, AI_SPLIT_ARM));
    write_cell(w, "models", rows, row, AI_SPLIT_MODELS);
    write_cell(w, "conversations", rows, row, AI_SPLIT_CONVERSATIONS);
    write_cell(w, "answers", rows, row, AI_SPLIT_ANSWERS);
    write_cell(w, "incomplete", rows, row, AI_SPLIT_FAILED);
    write_cell(w, "cost_micro", rows, row, AI_SPLIT_COST);
    write_cell(w, "unpriced_calls", rows, row, AI_SPLIT_UNPRICED);
    fd_jw_key(w, "first_token_ms");
    fd_jw_object(w);
    write_cell(w, "p50", rows, row, AI_SPLIT_FIRST_P50);
    write_cell(w, "p95", rows, row, AI_SPLIT_FIRST_P95);
    fd_jw_end_object(w);
    fd_jw_key(w, "total_ms");
    fd_jw_object(w);
    write_cell(w, "p50", rows, row, AI_SPLIT_TOTAL_P50);
    write_cell(w, "p95", rows, row, AI_SPLIT_TOTAL_P95);
    fd_jw_end_object(w);
    fd_jw_key(w, "feedback");
    fd_jw_object(w);
    write_cell(w, "up", rows, row, AI_SPLIT_UP);
    write_cell(w, "down", rows, row, AI_SPLIT_DOWN);
    fd_jw_end_object(w);
    fd_jw_key(w, "rating");
    fd_jw_object(w);
    write_cell(w, "average", rows, row, AI_SPLIT_RATING);
    write_cell(w, "count", rows, row, AI_SPLIT_RATED);
    fd_jw_end_object(w);
    fd_jw_end_object(w);
}

enum db_status ai_split_json(struct db *db, const char *org, const char *name, int days,
                             struct buf *out)
{
    struct fd_json_writer w;
    PGresult *rows;

    enum db_status status = ai_split_report(db, org, name, days, &rows);
    if (status != DB_OK) {
        return status;
    }
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "split", db_text(rows, 0, AI_SPLIT_NAME));
    fd_jw_member_int(&w, "days", days);
    fd_jw_key(&w, "arms");
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        write_arm(&w, rows, row);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    PQclear(rows);
    return buf_json_end(out, &w) ? DB_OK : DB_FAILED;
}
