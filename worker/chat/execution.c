#include "chat/execution.h"

#include "core/buf.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_MAX     512 /* bytes */
#define RESPONSE_DEPTH 30
#define RESPONSE_NODES 16384

/* The row of the job is locked against a claim meanwhile: a worker that lost its job
 * begins nothing. Nor does anybody once a person has the conversation. */
#define OWNED                                                                                      \
    "WITH o AS (SELECT j.conversation_id, j.session_id,"                                           \
    "                  coalesce(c.status IN ('waiting_human', 'human'), false) AS human"           \
    "             FROM jobs j LEFT JOIN conversations c"                                           \
    "                    ON c.org_id = j.org_id AND c.id = j.conversation_id"                      \
    "            WHERE j.org_id = $1::uuid AND j.id = $2::text AND j.epoch = $3::int"              \
    "              AND j.owner = $4::text AND j.state = 'running' FOR SHARE OF j)"

static const struct db_statement begin_statement = {
    "execution_begin",
    OWNED
    ", n AS ("
    "  INSERT INTO tool_executions (id, org_id, conversation_id, session_id, job_id, epoch,"
    "    call_id, tool_name, risk, step, parameters, status, success, failure, response,"
    "    summary, language, expires_at)"
    "  SELECT $5::uuid, $1::uuid, conversation_id, session_id, $2::text, $3::int, $6::text,"
    "         $7::text, $8::text, $9::int, $10::jsonb, $11::text,"
    "         CASE WHEN $11::text = 'failed' THEN false END, $12::text, $13::jsonb,"
    "         $14::text, $15::text, timestamptz 'epoch' + $16::bigint * interval '1 millisecond'"
    "    FROM o WHERE NOT human ON CONFLICT (job_id, call_id) DO NOTHING RETURNING id"
    ") SELECT EXISTS (SELECT FROM o), EXISTS (SELECT FROM n), (SELECT human FROM o)",
    16};

static const struct db_statement find_statement = {
    "execution_find",
    "SELECT status, response::text, failure, execution_time_ms, epoch,"
    "       (extract(epoch FROM expires_at) * 1000)::bigint"
    "  FROM tool_executions WHERE org_id = $1::uuid AND id = $2::uuid",
    2};

static const struct db_statement accept_statement = {
    "execution_accept",
    OWNED ", n AS ("
          "  UPDATE tool_executions SET status = 'started', epoch = $3::int, decided_at = now(),"
          "         approved_by = $7::text,"
          "         expires_at = timestamptz 'epoch' + $6::bigint * interval '1 millisecond'"
          "   WHERE org_id = $1::uuid AND id = $5::uuid AND status = 'confirming'"
          "     AND EXISTS (SELECT FROM o WHERE NOT human) RETURNING id"
          ") SELECT EXISTS (SELECT FROM o), EXISTS (SELECT FROM n), (SELECT human FROM o)",
    7};

/* An outcome that the callback brought first stands. */
static const struct db_statement end_statement = {
    "execution_end",
    "UPDATE tool_executions SET status = $3::text, success = $3::text = 'done',"
    "       failure = $4::text, response = $5::jsonb, detail = $6::text, http_status = $7::int,"
    "       execution_time_ms = $8::int, finished_at = now(),"
    "       decided_at = CASE WHEN $3::text IN ('declined', 'expired') THEN now()"
    "                         ELSE decided_at END"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND status IN ('confirming', 'started', 'unknown')"
    " RETURNING id",
    8};

static const struct db_statement abandon_statement = {
    "execution_abandon",
    "UPDATE tool_executions SET finished_at = now(), success = false,"
    "       status = CASE status WHEN 'started' THEN 'unknown' ELSE 'expired' END"
    " WHERE org_id = $1::uuid AND job_id = $2::text AND epoch = $3::int"
    "   AND status IN ('started', 'confirming')",
    3};

static const struct db_statement acted_statement = {
    "execution_acted",
    "SELECT DISTINCT tool_name FROM tool_executions"
    " WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    "   AND risk <> 'read' AND status IN ('done', 'pending') LIMIT $3::int",
    3};
static const struct db_statement informed_statement = {
    "execution_informed",
    "SELECT EXISTS (SELECT FROM tool_executions"
    "                WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    "                  AND risk = 'read' AND status = 'done')"
    "    OR EXISTS (SELECT FROM messages"
    "                WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    "                  AND role = 'assistant'"
    "                  AND jsonb_path_exists(citations,"
    "                                        '$[*].id ? (@ starts with \"order:\")'))",
    2};

/* Once: the row's status is the lock. */
static const struct db_statement late_statement = {
    "execution_late",
    "WITH t AS ("
    "  UPDATE tool_executions SET status = $3::text, success = $3::text = 'done',"
    "         failure = CASE WHEN $3::text = 'failed' THEN 'failed' END, response = $4::jsonb,"
    "         finished_at = now()"
    "   WHERE org_id = $1::uuid AND id = $2::uuid AND status IN ('pending', 'unknown', 'started')"
    "  RETURNING id, conversation_id, session_id, tool_name"
    "), m AS ("
    "  INSERT INTO messages (id, org_id, conversation_id, role, content, created_at, finished_at)"
    "  SELECT id, $1::uuid, conversation_id, 'tool',"
    "         left('Outcome of ' || tool_name || ', which came in later: ' || $4::text, 16000),"
    "         now(), now()"
    "    FROM t WHERE conversation_id IS NOT NULL"
    ") SELECT (SELECT session_id FROM t),"
    "         EXISTS (SELECT FROM tool_executions WHERE org_id = $1::uuid AND id = $2::uuid)",
    4};

static const char *const status_names[EXECUTION_STATUSES] = {
    [EXECUTION_CONFIRMING] = "confirming",
    [EXECUTION_APPROVING] = "approving",
    [EXECUTION_APPROVED] = "approved",
    [EXECUTION_STARTED] = "started",
    [EXECUTION_PENDING] = "pending",
    [EXECUTION_UNKNOWN] = "unknown",
    [EXECUTION_DONE] = "done",
    [EXECUTION_FAILED] = "failed",
    [EXECUTION_DECLINED] = "declined",
    [EXECUTION_EXPIRED] = "expired",
};

const char *execution_status_name(enum execution_status status)
{
    return status_names[status];
}

enum execution_status execution_status_of(enum tool_risk risk, const struct tool_result *result)
{
    if (result->failure == TOOL_OK)
        return result->pending ? EXECUTION_PENDING : EXECUTION_DONE;
    bool unclear = result->failure == TOOL_TIMEOUT || result->failure == TOOL_RESPONSE ||
                   (result->failure == TOOL_HTTP && result->status >= 500);
    return unclear && risk != TOOL_READ ? EXECUTION_UNKNOWN : EXECUTION_FAILED;
}

static enum execution_status status_named(const char *name)
{
    for (int i = 0; i < EXECUTION_STATUSES; i++) {
        if (strcmp(status_names[i], name) == 0)
            return (enum execution_status)i;
    }
    return EXECUTION_UNKNOWN;
}

/* -- names ------------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct fd_json *const *)a)->key,
                  (*(const struct fd_json *const *)b)->key);
}

static void write_canonical(struct fd_json_writer *w, const struct fd_json *value);

static void write_sorted(struct fd_json_writer *w, const struct fd_json *object)
{
    const struct fd_json *members[FD_JSON_KEYS_MAX];
    size_t count = 0;
    for (const struct fd_json *at = object->child; at != NULL && count < FD_JSON_KEYS_MAX;
         at = at->next)
        members[count++] = at;
    qsort(members, count, sizeof(members[0]), by_key);
    fd_jw_object(w);
    for (size_t i = 0; i < count; i++) {
        fd_jw_key(w, members[i]->key);
        write_canonical(w, members[i]);
    }
    fd_jw_end_object(w);
}

/* As deep as the parser let it be. */
static void write_canonical(struct fd_json_writer *w, const struct fd_json *value)
{
    switch (value->type) {
    case FD_JSON_OBJECT: write_sorted(w, value); break;
    case FD_JSON_ARRAY:
        fd_jw_array(w);
        for (const struct fd_json *at = value->child; at != NULL; at = at->next)
            write_canonical(w, at);
        fd_jw_end_array(w);
        break;
    default: fd_jw_json(w, value); break;
    }
}

void execution_name(char call_id[EXECUTION_CALL_ID_SIZE], struct buf *canonical, int step,
                    const char *tool, const struct fd_json *arguments)
{
    struct fd_json_writer w;
    struct buf seed;
    char hex[FD_SHA256_HEX_SIZE];
    buf_reset(canonical);
    buf_json(canonical, &w);
    write_canonical(&w, arguments);
    if (!buf_json_end(canonical, &w)) {
        buf_reset(canonical);
        buf_puts(canonical, "{}");
    }
    buf_init(&seed, canonical->len + 1024);
    buf_printf(&seed, "%d %s ", step < 0 ? -1 : step, tool);
    buf_append(&seed, canonical->data, canonical->len);
    fd_sha256_hex(hex, seed.data, seed.len);
    snprintf(call_id, EXECUTION_CALL_ID_SIZE, "c_%.24s", hex);
    buf_free(&seed);
}

void execution_uuid(char out[STORE_UUID_SIZE], const char *job, const char *call_id)
{
    store_uuid(out, "tool call", job, call_id);
}

/* -- while the job runs -------------------------------------------------------------------------
 */

static enum db_status find(struct db *db, struct arena *a, const char *org, int epoch,
                           const char *id, struct execution *execution)
{
    const char *params[] = {org, id};
    PGresult *result;
    enum db_status status = db_query(db, org, &find_statement, params, &result);
    if (status != DB_OK)
        return status;
    execution->status = EXECUTION_UNKNOWN;
    if (PQntuples(result) > 0) {
        execution->status = status_named(db_text(result, 0, 0));
        execution->response = a != NULL ? arena_strdup(a, db_text(result, 0, 1)) : NULL;
        execution->failure = a != NULL ? arena_strdup(a, db_text(result, 0, 2)) : NULL;
        execution->ms = db_int(result, 0, 3, 0);
        execution->expires_ms = db_int(result, 0, 5, 0);
        /* Our own word, whose acknowledgement was lost. */
        execution->made =
            execution->status == EXECUTION_STARTED && db_int(result, 0, 4, -1) == epoch;
    }
    PQclear(result);
    return DB_OK;
}

/* A write must not be forgotten by a server that crashes; a read may be. */
enum db_status execution_begin(struct db *db, struct arena *a, const struct store_job *job,
                               const struct execution_call *call, struct execution *execution)
{
    char n[3][DB_NUMBER_SIZE];
    const char *params[] = {job->entry->org,
                            job->entry->id,
                            db_number(n[0], job->epoch),
                            job->owner,
                            call->id,
                            call->call_id,
                            call->tool,
                            tool_risk_name(call->risk),
                            db_number(n[1], call->step),
                            call->arguments,
                            execution_status_name(call->status),
                            call->failure,
                            call->response,
                            call->summary,
                            job->language,
                            db_number(n[2], call->expires_ms)};
    PGresult *result;
    enum db_status status =
        call->risk == TOOL_READ
            ? db_query_unhurried(db, job->entry->org, &begin_statement, params, &result)
            : db_query(db, job->entry->org, &begin_statement, params, &result);
    if (status != DB_OK)
        return status;
    *execution = (struct execution){.mine = db_true(result, 0, 0),
                                    .made = db_true(result, 0, 1),
                                    .human = db_true(result, 0, 2),
                                    .status = call->status,
                                    .expires_ms = call->expires_ms};
    PQclear(result);
    if (execution->made || execution->human || !execution->mine)
        return DB_OK;
    return find(db, a, job->entry->org, job->epoch, call->id, execution);
}

enum db_status execution_accept(struct db *db, const struct store_job *job, const char *id,
                                int64_t expires_ms, struct execution *execution)
{
    const struct test_chat *test = job->entry->test;
    char n[2][DB_NUMBER_SIZE];
    const char *params[] = {job->entry->org,
                            job->entry->id,
                            db_number(n[0], job->epoch),
                            job->owner,
                            id,
                            db_number(n[1], expires_ms),
                            test != NULL ? test->by : "visitor"};
    PGresult *result;
    enum db_status status = db_query(db, job->entry->org, &accept_statement, params, &result);
    if (status != DB_OK)
        return status;
    *execution = (struct execution){.mine = db_true(result, 0, 0),
                                    .made = db_true(result, 0, 1),
                                    .human = db_true(result, 0, 2),
                                    .status = EXECUTION_STARTED};
    PQclear(result);
    if (execution->made || execution->human || !execution->mine)
        return DB_OK;
    return find(db, NULL, job->entry->org, job->epoch, id, execution);
}

/* jsonb takes JSON alone; what a tool said may be anything. */
static void put_json(struct buf *out, const char *text, size_t len)
{
    struct arena a;
    struct fd_json_fault fault;
    struct fd_json_writer w;
    arena_init(&a);
    const struct fd_json *value =
        fd_json_parse(text, len, (struct fd_json_limits){RESPONSE_DEPTH, RESPONSE_NODES},
                      arena_allocator(&a), &fault);
    buf_json(out, &w);
    if (value != NULL)
        fd_jw_json(&w, value);
    else
        fd_jw_string(&w, text, len);
    if (!buf_json_end(out, &w)) {
        buf_reset(out);
        buf_puts(out, "null");
    }
    arena_free(&a);
}

static const char *line_of(struct arena *a, const char *text)
{
    if (text == NULL)
        return NULL;
    char *line = arena_strndup(a, text, strnlen(text, DETAIL_MAX));
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    size_t len = strlen(line);
    while (len > 0 && !fd_utf8_valid(line, len))
        line[--len] = '\0';
    return line;
}

/* Asked on its own: the statement's snapshot may be older than the row that it met. */
enum db_status execution_end(struct db *db, struct arena *a, const char *org, const char *id,
                             const struct execution_end *end, struct execution *stands)
{
    char n[2][DB_NUMBER_SIZE];
    struct buf response;
    PGresult *result;
    buf_init(&response, 8 * end->response_len + 64);
    if (end->response != NULL)
        put_json(&response, end->response, end->response_len);
    const char *params[] = {org,
                            id,
                            execution_status_name(end->status),
                            end->failure,
                            end->response != NULL ? response.data : NULL,
                            line_of(a, end->detail),
                            db_number(n[0], end->http_status),
                            db_number(n[1], end->ms < INT32_MAX ? end->ms : INT32_MAX)};
    enum db_status status = db_query(db, org, &end_statement, params, &result);
    buf_free(&response);
    if (status != DB_OK)
        return status;
    bool written = PQntuples(result) > 0;
    PQclear(result);
    *stands = (struct execution){.status = end->status};
    return written ? DB_OK : find(db, a, org, -1, id, stands);
}

enum db_status execution_abandon(struct db *db, const struct store_job *job)
{
    char epoch[DB_NUMBER_SIZE];
    const char *params[] = {job->entry->org, job->entry->id, db_number(epoch, job->epoch)};
    return db_query(db, job->entry->org, &abandon_statement, params, NULL);
}

enum db_status execution_past(struct db *db, struct arena *a, const char *org,
                              const char *conversation_id, struct execution_past *past)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {org, conversation_id, db_number(most, EXECUTION_PAST_MAX)};
    PGresult *result;
    *past = (struct execution_past){.acted_count = 0};
    enum db_status status = db_query(db, org, &acted_statement, params, &result);
    if (status != DB_OK)
        return status;
    for (int row = 0; row < PQntuples(result); row++)
        past->acted[past->acted_count++] = arena_strdup(a, db_text(result, row, 0));
    PQclear(result);
    status = db_query(db, org, &informed_statement, params, &result);
    if (status != DB_OK)
        return status;
    past->informed = db_true(result, 0, 0);
    PQclear(result);
    return DB_OK;
}

/* -- afterwards ---------------------------------------------------------------------------------
 */

/* {"ok": false, ...} and {"error": ...} say that it failed; all else that it happened. */
static bool says_failure(const struct fd_json *outcome)
{
    const struct fd_json *error = fd_json_get(outcome, "error");
    return !fd_json_bool(outcome, "ok", true) || (error != NULL && error->type != FD_JSON_NULL);
}

enum db_status execution_late(struct db *db, struct arena *a, const char *org, const char *id,
                              const struct fd_json *outcome, bool *found, const char **session)
{
    struct buf json;
    struct fd_json_writer w;
    buf_init(&json, (size_t)8 * FD_BODY_MAX);
    buf_json(&json, &w);
    fd_jw_json(&w, outcome);
    if (!buf_json_end(&json, &w)) {
        buf_free(&json);
        return DB_FAILED;
    }
    const char *params[] = {org, id, says_failure(outcome) ? "failed" : "done", json.data};
    PGresult *result;
    enum db_status status = db_query(db, org, &late_statement, params, &result);
    buf_free(&json);
    if (status != DB_OK)
        return status;
    *session = arena_strdup(a, db_text(result, 0, 0));
    *found = db_true(result, 0, 1);
    PQclear(result);
    return DB_OK;
}
