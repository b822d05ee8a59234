#include "chat/decision.h"

#include "chat/phrase.h"
#include "core/log.h"

#include <string.h>

#define CONTENT_MAX 8192

static const struct db_statement due_statement = {
    "decisions_due", "SELECT id, org_id FROM platform_due_tools($1::int)", 1};

/* The row's status is the lock: whoever changes it, runs it. */
static const struct db_statement run_statement = {
    "decision_run",
    "UPDATE tool_executions t SET status = 'started', due = false,"
    "       expires_at = now() + interval '10 minutes'"
    "  FROM organizations o"
    " WHERE t.org_id = $1::uuid AND t.id = $2::uuid AND t.status = 'approved' AND t.due"
    "   AND o.id = t.org_id"
    " RETURNING o.name, t.session_id, t.conversation_id, t.job_id, t.call_id, t.tool_name,"
    "           t.parameters::text, coalesce(t.summary, ''), t.language,"
    "           (SELECT verified_id FROM conversations WHERE org_id = t.org_id"
    "               AND id = t.conversation_id),"
    "           (SELECT verified_email FROM conversations WHERE org_id = t.org_id"
    "               AND id = t.conversation_id)",
    2};

static const struct db_statement put_back_statement = {
    "decision_put_back",
    "UPDATE tool_executions SET status = 'approved', due = true"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND status = 'started'",
    2};

static const struct db_statement close_statement = {
    "decision_close",
    "UPDATE tool_executions SET due = false, success = false,"
    "       status = CASE status WHEN 'started' THEN 'unknown' WHEN 'declined' THEN status"
    "                            ELSE 'expired' END,"
    "       finished_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid"
    "   AND (due AND status = 'declined'"
    "        OR status IN ('confirming', 'approving', 'started') AND expires_at < now())"
    " RETURNING status, risk, session_id, conversation_id, coalesce(summary, ''), language",
    2};

static const struct db_statement tell_statement = {
    "decision_tell",
    "WITH m AS ("
    "  INSERT INTO messages (id, org_id, conversation_id, role, content, created_at, finished_at)"
    "  SELECT $4::uuid, $1::uuid, $2::uuid, 'assistant', $3::text, now(), now()"
    "   WHERE NOT EXISTS (SELECT FROM messages WHERE org_id = $1::uuid AND id = $4::uuid"
    "                        AND conversation_id = $2::uuid)"
    "  RETURNING id"
    ") UPDATE conversations SET message_count = message_count + 1, updated_at = now()"
    "   WHERE org_id = $1::uuid AND id = $2::uuid AND EXISTS (SELECT FROM m)",
    4};

/* Once for each outcome of an execution, however often. */
static enum db_status tell(struct db *db, const char *org, const char *conversation_id,
                           const char *execution, enum phrase phrase, const char *language,
                           const char *summary)
{
    struct buf content;
    char message[STORE_UUID_SIZE], outcome[DB_NUMBER_SIZE];
    if (conversation_id == NULL)
        return DB_OK;
    buf_init(&content, CONTENT_MAX);
    buf_printf(&content, "%s\n\n%s", phrase_text(phrase, language), summary);
    store_uuid(message, "decision", execution, db_number(outcome, phrase));
    const char *params[] = {org, conversation_id, content.data, message};
    enum db_status status = db_exec(db, &tell_statement, params, NULL);
    buf_free(&content);
    return status;
}

/* -- what is not run ---------------------------------------------------------------------- */

static enum phrase phrase_of(const char *status)
{
    if (strcmp(status, "declined") == 0)
        return PHRASE_DECLINED;
    return strcmp(status, "unknown") == 0 ? PHRASE_UNCERTAIN : PHRASE_EXPIRED;
}

/* A visitor's own question that expired was told in its answer. */
static enum db_status close_row(struct db *db, struct arena *a, const char *org, const char *id,
                                struct decisions *found)
{
    const char *params[] = {org, id};
    PGresult *row;
    enum db_status status = db_exec(db, &close_statement, params, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 1 && strcmp(db_text(row, 0, 1), "high") == 0) {
        const char *session = db_text(row, 0, 2);
        status = tell(db, org, db_text(row, 0, 3), id, phrase_of(db_text(row, 0, 0)),
                      db_text(row, 0, 5), db_text(row, 0, 4));
        if (session != NULL)
            found->told[found->told_count++] =
                (struct decision_told){arena_strdup(a, org), arena_strdup(a, session)};
    }
    PQclear(row);
    return status;
}

static enum db_status close_one(struct db *db, struct arena *a, const char *org, const char *id,
                                struct decisions *found)
{
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = close_row(db, a, org, id, found);
    if (status == DB_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- what is run ------------------------------------------------------------------------------ */

static enum db_status run_one(struct db *db, struct arena *a, const char *org, const char *id,
                              struct decisions *found)
{
    const char *params[] = {org, id};
    struct toolbox *box;
    PGresult *row;
    enum db_status status = toolbox_load(db, org, &box);
    if (status != DB_OK)
        return status;
    status = db_query(db, org, &run_statement, params, &row);
    if (status != DB_OK || PQntuples(row) == 0) {
        toolbox_unref(box);
        if (status == DB_OK)
            PQclear(row);
        return status;
    }
    found->runs[found->run_count++] =
        (struct decision_run){.id = arena_strdup(a, id),
                              .org = arena_strdup(a, org),
                              .org_name = arena_strdup(a, db_text(row, 0, 0)),
                              .session = arena_strdup(a, db_text(row, 0, 1)),
                              .conversation_id = arena_strdup(a, db_text(row, 0, 2)),
                              .job_id = arena_strdup(a, db_text(row, 0, 3)),
                              .call_id = arena_strdup(a, db_text(row, 0, 4)),
                              .tool = arena_strdup(a, db_text(row, 0, 5)),
                              .arguments = arena_strdup(a, db_text(row, 0, 6)),
                              .summary = arena_strdup(a, db_text(row, 0, 7)),
                              .language = arena_strdup(a, db_text(row, 0, 8)),
                              .user_id = arena_strdup(a, db_text(row, 0, 9)),
                              .user_email = arena_strdup(a, db_text(row, 0, 10)),
                              .box = box};
    PQclear(row);
    return DB_OK;
}

enum db_status decisions_take(struct db *db, struct arena *a, size_t runs, struct decisions *found)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {db_number(most, DECISIONS_MAX / 2)};
    PGresult *due;
    enum db_status status = db_query(db, NULL, &due_statement, params, &due);
    if (status != DB_OK)
        return status;
    for (int i = 0; i < PQntuples(due) && i < DECISIONS_MAX; i++) {
        const char *id = db_text(due, i, 0), *org = db_text(due, i, 1);
        status = close_one(db, a, org, id, found);
        if (status == DB_OK && found->run_count < runs)
            status = run_one(db, a, org, id, found);
        if (status == DB_LOST || status == DB_BUSY)
            break;
        if (status != DB_OK) { /* of this organisation; the others' are due all the same */
            log_error(&(struct log_context){.org_id = org}, "decision.failed", LOG_STR("call", id));
            status = DB_OK;
        }
    }
    PQclear(due);
    return status;
}

enum db_status decision_put_back(struct db *db, const struct decision_run *run)
{
    const char *params[] = {run->org, run->id};
    return db_query(db, run->org, &put_back_statement, params, NULL);
}

static enum phrase phrase_of_end(enum execution_status status)
{
    switch (status) {
    case EXECUTION_DONE: return PHRASE_APPROVED;
    case EXECUTION_PENDING:
    case EXECUTION_UNKNOWN: return PHRASE_UNCERTAIN;
    default: return PHRASE_FAILED;
    }
}

enum db_status decision_end(struct db *db, struct arena *a, const struct decision_run *run,
                            const struct execution_end *end, enum execution_status *stands)
{
    struct execution row;
    enum db_status status = execution_end(db, a, run->org, run->id, end, &row);
    if (status == DB_OK)
        status = db_begin(db, run->org);
    if (status != DB_OK)
        return status;
    *stands = row.status;
    status = tell(db, run->org, run->conversation_id, run->id, phrase_of_end(row.status),
                  run->language, run->summary);
    if (status == DB_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}
