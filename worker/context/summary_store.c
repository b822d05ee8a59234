#include "context/summary_store.h"

#include <string.h>

static const struct db_statement find_statement = {
    "summary_find",
    "SELECT s.content, s.messages FROM conversations c"
    "  JOIN conversation_summaries s ON s.org_id = c.org_id AND s.conversation_id = c.id"
    " WHERE c.org_id = $1::uuid AND c.session_id = $2",
    2};

/* What visitors were shown, never what tools were told or told: that is in other tables. */
static const struct db_statement pending_statement = {
    "summary_pending",
    "SELECT coalesce(s.content, ''), coalesce(s.version, 0), m.role, m.content, m.us, m.id"
    "  FROM conversations c LEFT JOIN conversation_summaries s"
    "       ON s.org_id = c.org_id AND s.conversation_id = c.id"
    "  CROSS JOIN LATERAL ("
    "       SELECT role, left(content, 8192) AS content, id, created_at,"
    "              (extract(epoch FROM created_at) * 1000000)::bigint AS us FROM messages"
    "        WHERE org_id = c.org_id AND conversation_id = c.id"
    "          AND role NOT IN ('system', 'tool')"
    "          AND (s.through_at IS NULL OR (created_at, id) > (s.through_at, s.through_id))"
    "        ORDER BY created_at, id LIMIT $3::int) m"
    " WHERE c.org_id = $1::uuid AND c.id = $2::uuid AND c.status <> 'ended'"
    " ORDER BY m.created_at, m.id",
    3};

static const struct db_statement claim_statement = {
    "summary_claim",
    "INSERT INTO conversation_summaries AS s (conversation_id, org_id, claimed_by, claimed_until)"
    " VALUES ($2::uuid, $1::uuid, $3, now() + $5::bigint * interval '1 millisecond')"
    " ON CONFLICT (conversation_id) DO UPDATE"
    "   SET claimed_by = EXCLUDED.claimed_by, claimed_until = EXCLUDED.claimed_until"
    " WHERE s.version = $4::int AND coalesce(s.claimed_until <= now(), true)"
    " RETURNING version",
    5};

/* The second part answers a caller whose first attempt was committed unheard. */
static const struct db_statement write_statement = {
    "summary_write",
    "WITH w AS ("
    "  UPDATE conversation_summaries"
    "     SET content = $5, messages = messages + $6::int, model_id = $7,"
    "         through_at = timestamptz 'epoch' + $8::bigint * interval '1 microsecond',"
    "         through_id = $9::uuid, version = version + 1, claimed_until = NULL,"
    "         updated_at = now()"
    "   WHERE org_id = $1::uuid AND conversation_id = $2::uuid AND claimed_by = $3"
    "     AND version = $4::int"
    "  RETURNING messages)"
    " SELECT messages FROM w UNION ALL"
    " SELECT messages FROM conversation_summaries"
    "  WHERE org_id = $1::uuid AND conversation_id = $2::uuid AND claimed_by = $3"
    "    AND version = $4::int + 1 AND through_id = $9::uuid",
    9};

enum db_status summary_find(struct db *db, struct arena *a, const char *org, const char *session,
                            struct summary *summary)
{
    const char *params[] = {org, session};
    PGresult *row;

    *summary = (struct summary){.text = ""};
    enum db_status status = db_query(db, org, &find_statement, params, &row);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(row) > 0) {
        summary->text = arena_strdup(a, db_text(row, 0, 0));
        summary->messages = (int)db_int(row, 0, 1, 0);
    }
    PQclear(row);
    return DB_OK;
}

static void read_step(struct arena *a, const PGresult *rows, struct summary_step *step)
{
    size_t count = (size_t)PQntuples(rows) - SUMMARY_KEEP;

    step->count = count < SUMMARY_BATCH ? count : SUMMARY_BATCH;
    step->before = arena_strdup(a, db_text(rows, 0, 0));
    step->version = (int)db_int(rows, 0, 1, 0);
    step->messages = arena_zalloc(a, step->count * sizeof(*step->messages));
    for (size_t i = 0; i < step->count; i++) {
        bool visitor = strcmp(db_text(rows, (int)i, 2), "user") == 0;
        step->messages[i].role = visitor ? LLM_USER : LLM_ASSISTANT;
        step->messages[i].text = arena_strdup(a, db_text(rows, (int)i, 3));
    }
    step->through_us = arena_strdup(a, db_text(rows, (int)step->count - 1, 4));
    step->through_id = arena_strdup(a, db_text(rows, (int)step->count - 1, 5));
}

static enum db_status take(struct db *db, const char *org, const char *conversation,
                           const char *worker, int version, bool *taken)
{
    char n[2][DB_NUMBER_SIZE];
    const char *params[] = {org, conversation, worker, db_number(n[0], version),
                            db_number(n[1], SUMMARY_CLAIM_MS)};
    PGresult *row;

    enum db_status status = db_query(db, org, &claim_statement, params, &row);
    if (status == DB_OK) {
        *taken = PQntuples(row) > 0;
        PQclear(row);
    }
    return status;
}

enum db_status summary_claim(struct db *db, struct arena *a, const char *org,
                             const char *conversation, const char *worker,
                             struct summary_step *step, bool *due)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {org, conversation, db_number(most, SUMMARY_BATCH + SUMMARY_KEEP)};
    PGresult *rows;

    *step = (struct summary_step){.before = ""};
    *due = false;
    enum db_status status = db_query(db, org, &pending_statement, params, &rows);
    if (status != DB_OK) {
        return status;
    }
    bool enough = PQntuples(rows) >= SUMMARY_FROM;
    if (enough) {
        read_step(a, rows, step);
    }
    PQclear(rows);
    return enough ? take(db, org, conversation, worker, step->version, due) : DB_OK;
}

enum db_status summary_write(struct db *db, const char *org, const char *conversation,
                             const char *worker, const struct summary_step *step, const char *text,
                             const char *model, int *messages)
{
    char n[2][DB_NUMBER_SIZE];
    const char *params[] = {org,
                            conversation,
                            worker,
                            db_number(n[0], step->version),
                            text,
                            db_number(n[1], (int64_t)step->count),
                            model,
                            step->through_us,
                            step->through_id};
    PGresult *row;

    enum db_status status = db_query(db, org, &write_statement, params, &row);
    if (status == DB_OK) {
        *messages = PQntuples(row) > 0 ? (int)db_int(row, 0, 0, 0) : -1;
        PQclear(row);
    }
    return status;
}
