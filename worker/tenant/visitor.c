#include "tenant/visitor.h"

#include "core/buf.h"
#include "net/redis_sync.h"
#include "protocol/ids.h"
#include "protocol/keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST         5000 /* conversations of one visitor, at a time */
#define FILTER_MAX   262144
#define REPORT_MAX   4096
#define REDIS_MS     1000
#define MONTH_START  "(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
#define NUMBER_OF(x) #x
#define TEXT_OF(x)   NUMBER_OF(x)

static const char *const names[VISITOR_NAMES] = {
    [VISITOR_SESSION] = "session",
    [VISITOR_USER] = "user_identifier",
    [VISITOR_EMAIL] = "email",
    [VISITOR_CONVERSATION] = "conversation",
};

/* org, how it is named, name, after an id; a union, so that each has its index. One more than
 * a page tells that there are more. */
static const struct db_statement find_statement = {
    "visitor_find",
    "WITH c AS ("
    "  SELECT id, session_id FROM conversations"
    "   WHERE org_id = $1::uuid AND $2::text = 'session' AND session_id = $3::text"
    "  UNION SELECT id, session_id FROM conversations"
    "   WHERE org_id = $1::uuid AND id = $5::uuid"
    "  UNION SELECT id, session_id FROM conversations"
    "   WHERE org_id = $1::uuid AND $2::text IN ('user_identifier', 'email')"
    "     AND user_identifier IS NOT NULL AND lower(user_identifier) = lower($3::text)"
    "  UNION SELECT id, session_id FROM conversations"
    "   WHERE org_id = $1::uuid AND $2::text = 'user_identifier'"
    "     AND verified_id IS NOT NULL AND lower(verified_id) = lower($3::text)"
    "  UNION SELECT id, session_id FROM conversations"
    "   WHERE org_id = $1::uuid AND $2::text = 'email'"
    "     AND verified_email IS NOT NULL AND lower(verified_email) = lower($3::text)"
    "  UNION SELECT id, session_id FROM conversations"
    "   WHERE org_id = $1::uuid AND $2::text = 'email'"
    "     AND contact ? 'email' AND lower(contact->>'email') = lower($3::text)"
    ") SELECT c.id, c.session_id,"
    "         EXISTS (SELECT FROM jobs j WHERE j.org_id = $1::uuid AND j.conversation_id = c.id"
    "                    AND j.state = 'running'"
    "                    AND j.accepted_at > now() - interval '15 minutes')"
    "    FROM c WHERE $4::uuid IS NULL OR c.id > $4::uuid"
    "   ORDER BY c.id LIMIT " TEXT_OF(MOST) " + 1",
    5};
/* org, conversation. The month's questions are counted of jobs: those stay, empty. */
static const struct db_statement delete_statement = {
    "visitor_delete",
    "WITH m AS ("
    "  DELETE FROM messages WHERE org_id = $1::uuid AND conversation_id = $2::uuid RETURNING 1"
    "), t AS ("
    "  DELETE FROM tool_executions WHERE org_id = $1::uuid"
    "     AND (conversation_id = $2::uuid OR job_id IN (SELECT id FROM jobs"
    "           WHERE org_id = $1::uuid AND conversation_id = $2::uuid)) RETURNING 1"
    "), month AS ("
    "  UPDATE jobs SET conversation_id = NULL, session_id = '', body = '{}', outcome = NULL,"
    "         reason = NULL, request_id = NULL"
    "   WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    "     AND accepted_at >= " MONTH_START " RETURNING 1"
    "), j AS ("
    "  DELETE FROM jobs WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    "     AND accepted_at < " MONTH_START " RETURNING 1"
    "), l AS ("
    "  UPDATE usage_ledger SET user_ref = NULL, user_id = NULL, conversation_id = NULL"
    "   WHERE org_id = $1::uuid AND conversation_id = $2::uuid RETURNING 1"
    "), o AS ("
    "  DELETE FROM conversation_outcomes"
    "   WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    "), a AS ("
    "  UPDATE alerts SET detail = detail - 'contact' - 'reason'"
    "   WHERE org_id = $1::uuid AND kind = 'handoff.requested'"
    "     AND detail->>'conversation_id' = $2::uuid::text"
    "), c AS ("
    "  DELETE FROM conversations WHERE org_id = $1::uuid AND id = $2::uuid RETURNING 1"
    ") SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM m), (SELECT count(*) FROM t),"
    "         (SELECT count(*) FROM j) + (SELECT count(*) FROM month), (SELECT count(*) FROM l)",
    2};
/* org, session: dry runs belong to no conversation. */
static const struct db_statement apart_statement = {
    "visitor_delete_apart",
    "WITH j AS ("
    "  UPDATE jobs SET session_id = '', body = '{}', outcome = NULL, reason = NULL,"
    "         request_id = NULL"
    "   WHERE org_id = $1::uuid AND session_id = $2::text AND state <> 'running' RETURNING 1"
    "), r AS ("
    "  DELETE FROM budget_reservations WHERE org_id = $1::uuid AND session_id = $2::text"
    ") SELECT count(*) FROM j",
    2};
static const struct db_statement ledger_statement = {
    "visitor_delete_ledger",
    "UPDATE usage_ledger SET user_ref = NULL, user_id = NULL, conversation_id = NULL"
    " WHERE org_id = $1::uuid AND user_ref = $2::text",
    2};
static const struct db_statement note_statement = {
    "visitor_note",
    "INSERT INTO visitor_requests (org_id, action, named_by, name_sha256, actor, report)"
    " VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::jsonb)",
    6};
static const struct db_statement requests_statement = {
    "visitor_requests",
    "SELECT id, action, named_by, name_sha256, actor, report,"
    "       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM visitor_requests"
    " WHERE org_id = $1::uuid AND ($2::bigint IS NULL OR id < $2::bigint)"
    " ORDER BY id DESC LIMIT $3::int",
    3};

const char *visitor_named_by(enum visitor_named_by named_by)
{
    return names[named_by];
}

static enum db_status find(struct db *db, const char *org, const struct visitor *visitor,
                           const char *after, PGresult **rows)
{
    char id[37];
    bool is_id = visitor->named_by == VISITOR_CONVERSATION && strlen(visitor->name) == 36;

    for (size_t i = 0; is_id && i <= 36; i++)
        id[i] = (char)tolower((unsigned char)visitor->name[i]);
    const char *params[] = {org, names[visitor->named_by], visitor->name, after,
                            db_uuid(is_id ? id : NULL)};

    return db_query(db, org, &find_statement, params, rows);
}

static int page_of(const PGresult *rows)
{
    return PQntuples(rows) < MOST ? PQntuples(rows) : MOST;
}

/* -- handing over -------------------------------------------------------------------------------
 */

static const char *filter_of(struct arena *a, const PGresult *rows)
{
    struct fd_json_writer w;
    struct buf json;

    buf_init(&json, FILTER_MAX);
    buf_json(&json, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "ids");
    fd_jw_array(&w);
    for (int row = 0; row < page_of(rows); row++)
        fd_jw_cstring(&w, db_text(rows, row, 0));
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    if (!buf_json_end(&json, &w))
        abort(); /* MOST ids are less */
    const char *text = arena_strndup(a, json.data, json.len);
    buf_free(&json);
    return text;
}

enum db_status visitor_find(struct db *db, struct arena *a, const char *org,
                            const struct visitor *visitor, const char *after,
                            struct conversation_filter *filter, size_t *count, const char **next)
{
    PGresult *rows;

    enum db_status status = find(db, org, visitor, after, &rows);
    if (status == DB_OK) {
        *filter = (struct conversation_filter){.json = filter_of(a, rows)};
        *count = (size_t)page_of(rows);
        *next = PQntuples(rows) > MOST ? arena_strdup(a, db_text(rows, MOST - 1, 0)) : NULL;
    }
    PQclear(rows);
    return status;
}

/* -- the record ----------------------------------------------------------------------------------
 */

void visitor_write_report(struct fd_json_writer *w, const struct visitor_report *report)
{
    fd_jw_object(w);
    fd_jw_member_int(w, "conversations", report->conversations);
    fd_jw_member_int(w, "messages", report->messages);
    fd_jw_member_int(w, "tool_executions", report->tool_executions);
    fd_jw_member_int(w, "jobs", report->jobs);
    fd_jw_member_int(w, "ledger_rows_anonymised", report->ledger_rows);
    fd_jw_member_bool(w, "cache_cleared", report->cache_cleared);
    fd_jw_member_bool(w, "more", report->more);
    fd_jw_end_object(w);
}

static enum db_status note(struct db *db, const char *org, const char *action,
                           const struct visitor *visitor, const char *actor, const char *report)
{
    char sha256[FD_SHA256_HEX_SIZE];
    const char *params[] = {org, action, names[visitor->named_by], sha256, actor, report};

    fd_sha256_hex(sha256, visitor->name, strlen(visitor->name));
    return db_query(db, org, &note_statement, params, NULL);
}

enum db_status visitor_note_export(struct db *db, const char *org, const struct visitor *visitor,
                                   const char *actor, size_t conversations)
{
    char report[64];

    snprintf(report, sizeof(report), "{\"conversations\": %zu}", conversations);
    return note(db, org, "export", visitor, actor, report);
}

enum db_status visitor_requests(struct db *db, const char *org, const char *before, int most,
                                PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, before, db_number(number, most)};

    return db_query(db, org, &requests_statement, params, rows);
}

/* -- deleting
 * -------------------------------------------------------------------------------------- */

/* What Redis remembers of the sessions. */
static bool clear_cache(const char *live, const char *org, const PGresult *rows)
{
    char error[256];
    redisContext *redis = redis_sync_connect(live, REDIS_MS, error);
    bool ok = redis != NULL;

    for (int row = 0; ok && row < page_of(rows); row++) {
        const char *session = db_text(rows, row, 1);
        redisReply *reply = redisCommand(redis,
                                         "DEL " FD_KEY_HISTORY " " FD_KEY_SUMMARY
                                         " " FD_KEY_SESSION_EVENTS " " FD_KEY_ORG_EVENTS,
                                         org, session, org, session, session, org);
        ok = reply != NULL && reply->type == REDIS_REPLY_INTEGER;
        if (reply != NULL)
            freeReplyObject(reply);
    }
    if (redis != NULL)
        redisFree(redis);
    return ok;
}

static enum db_status delete_one(struct db *db, const char *org, const char *conversation,
                                 const char *session, struct visitor_report *report)
{
    const char *params[] = {org, conversation}, *apart[] = {org, session};
    PGresult *counts = NULL, *more = NULL;

    enum db_status status = db_query(db, org, &delete_statement, params, &counts);
    if (status == DB_OK)
        status = db_query(db, org, &apart_statement, apart, &more);
    if (status == DB_OK) {
        report->conversations += db_int(counts, 0, 0, 0);
        report->messages += db_int(counts, 0, 1, 0);
        report->tool_executions += db_int(counts, 0, 2, 0);
        report->jobs += db_int(counts, 0, 3, 0) + db_int(more, 0, 0, 0);
        report->ledger_rows += db_int(counts, 0, 4, 0);
    }
    PQclear(counts);
    PQclear(more);
    return status;
}

static enum db_status delete_all(struct db *db, const char *org, const struct visitor *visitor,
                                 const PGresult *rows, struct visitor_report *report)
{
    const char *params[] = {org, visitor->name};
    enum db_status status = DB_OK;
    PGresult *result = NULL;

    for (int row = 0; status == DB_OK && row < page_of(rows); row++)
        status = delete_one(db, org, db_text(rows, row, 0), db_text(rows, row, 1), report);
    if (status == DB_OK && visitor->named_by == VISITOR_SESSION && PQntuples(rows) == 0)
        status = db_query(db, org, &apart_statement, params, NULL);
    if (status == DB_OK &&
        (visitor->named_by == VISITOR_USER || visitor->named_by == VISITOR_EMAIL))
        status = db_query(db, org, &ledger_statement, params, &result);
    if (result != NULL)
        report->ledger_rows += strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return status;
}

static bool is_answered(struct db *db, const PGresult *rows)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        if (db_true(rows, row, 2)) {
            db_explain(db, "an answer is being given to this visitor; come again in a moment");
            return true;
        }
    }
    return false;
}

static enum db_status note_delete(struct db *db, const char *org, const struct visitor *visitor,
                                  const char *actor, const struct visitor_report *report)
{
    struct fd_json_writer w;
    struct buf json;

    buf_init(&json, REPORT_MAX);
    buf_json(&json, &w);
    visitor_write_report(&w, report);
    buf_json_end(&json, &w);
    enum db_status status = note(db, org, "delete", visitor, actor, json.data);
    buf_free(&json);
    return status;
}

enum db_status visitor_delete(struct db *db, const char *live, const char *org,
                              const struct visitor *visitor, const char *actor,
                              struct visitor_report *report)
{
    PGresult *rows;

    *report = (struct visitor_report){0};
    enum db_status status = find(db, org, visitor, NULL, &rows);
    if (status == DB_OK && is_answered(db, rows))
        status = DB_CONFLICT;
    if (status == DB_OK)
        status = delete_all(db, org, visitor, rows, report);
    if (status == DB_OK) {
        report->cache_cleared = clear_cache(live, org, rows);
        report->more = PQntuples(rows) > MOST;
        status = note_delete(db, org, visitor, actor, report);
    }
    PQclear(rows);
    return status;
}
