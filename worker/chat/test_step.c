/* What is done for a test run, bit by bit. A result's job has its id before it is asked for: a
 * worker that goes on where another died asks for the same one, which is admitted once. */
#include "chat/test_run.h"

#include "chat/admission.h"
#include "chat/test_case.h"
#include "chat/test_chat.h"
#include "core/buf.h"
#include "core/log.h"
#include "protocol/ids.h"

#include <string.h>

#define TEXT_OF_(value) #value
#define TEXT_OF(value)  TEXT_OF_(value)

#define LOST_AFTER   "'20 minutes'" /* a job lives no longer, whatever became of it */
#define FAILURES_MAX 65536          /* bytes of JSON */

/* -- what was answered ----------------------------------------------------------------------- */

static const struct db_statement answered_statement = {
    "test_run_answered",
    "SELECT r.case_id, r.arm, r.expect::text, m.content, m.tool_calls::text, m.citations::text,"
    "       m.route->>'tier', coalesce(j.outcome->>'detail', j.outcome->>'title', j.reason),"
    "       m.model_id, m.route->>'first_token_ms',"
    "       (extract(epoch FROM j.finished_at - j.accepted_at) * 1000)::int,"
    "       (SELECT CASE WHEN bool_or(l.cost_micro IS NULL) THEN NULL"
    "                    ELSE coalesce(sum(l.cost_micro), 0) END"
    "          FROM usage_ledger l WHERE l.org_id = r.org_id AND l.job_id = r.job_id)"
    "  FROM test_results r"
    "  JOIN jobs j ON j.org_id = r.org_id AND j.id = r.job_id AND j.state <> 'running'"
    "  LEFT JOIN messages m ON m.org_id = r.org_id AND m.job_id = r.job_id"
    "                      AND m.role = 'assistant' AND j.state = 'done'"
    " WHERE r.org_id = $1::uuid AND r.run_id = $2::uuid AND r.status = 'running'",
    2};

static const struct db_statement settle_statement = {
    "test_run_settle",
    "UPDATE test_results SET status = 'done', finished_at = now(), passed = $5::boolean,"
    "       failures = $6::jsonb, response = $7, model = $8, first_token_ms = $9::int,"
    "       ms = $10::int, cost_micro = $11::bigint"
    " WHERE org_id = $1::uuid AND run_id = $2::uuid AND case_id = $3::uuid AND arm = $4::int"
    "   AND status = 'running'",
    11};

static const struct db_statement give_up_statement = {
    "test_run_give_up",
    "UPDATE test_results SET status = 'done', finished_at = now(), passed = false,"
    "       failures = '[\"no answer: none came in time\"]'"
    " WHERE org_id = $1::uuid AND run_id = $2::uuid AND status = 'running'"
    "   AND started_at < now() - interval " LOST_AFTER,
    2};

static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;

    return text != NULL ? fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                        arena_allocator(a), &fault)
                        : NULL;
}

static const char *failures_json(struct arena *a, const char *const *failures, size_t count)
{
    struct fd_json_writer w;
    struct buf json;

    buf_init(&json, FAILURES_MAX);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < count; i++)
        fd_jw_cstring(&w, failures[i]);
    fd_jw_end_array(&w);
    const char *text = buf_json_end(&json, &w) ? arena_strndup(a, json.data, json.len) : "[]";
    buf_free(&json);
    return text;
}

static enum db_status settle(struct db *db, struct arena *a, const char *org, const char *id,
                             const PGresult *rows, int row)
{
    const char *failures[TEST_FAILURES_MAX];
    const struct test_answer answer = {.text = db_text(rows, row, 3),
                                       .why = db_text(rows, row, 7),
                                       .tier = db_text(rows, row, 6),
                                       .calls = parse(a, db_text(rows, row, 4)),
                                       .citations = parse(a, db_text(rows, row, 5))};
    size_t count = test_case_judge(a, parse(a, db_text(rows, row, 2)), &answer, failures);
    const char *params[] = {org,
                            id,
                            db_text(rows, row, 0),
                            db_text(rows, row, 1),
                            count == 0 ? "true" : "false",
                            failures_json(a, failures, count),
                            answer.text,
                            db_text(rows, row, 8),
                            db_text(rows, row, 9),
                            db_text(rows, row, 10),
                            db_text(rows, row, 11)};

    return db_query(db, org, &settle_statement, params, NULL);
}

static enum db_status collect(struct db *db, struct arena *a, const char *org, const char *id)
{
    const char *params[] = {org, id};
    PGresult *rows;
    enum db_status status = db_query(db, org, &answered_statement, params, &rows);

    if (status != DB_OK)
        return status;
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++)
        status = settle(db, a, org, id, rows, row);
    PQclear(rows);
    return status == DB_OK ? db_query(db, org, &give_up_statement, params, NULL) : status;
}

/* -- what is asked next ------------------------------------------------------------------------ */

static const struct db_statement take_statement = {
    "test_run_take",
    "UPDATE test_results SET status = 'running', job_id = $3, started_at = now()"
    " WHERE (run_id, case_id, arm) = (SELECT run_id, case_id, arm FROM test_results"
    "          WHERE org_id = $1::uuid AND run_id = $2::uuid AND status = 'waiting'"
    "          ORDER BY position LIMIT 1)"
    "   AND org_id = $1::uuid AND status = 'waiting'"
    "   AND EXISTS (SELECT FROM test_runs WHERE org_id = $1::uuid AND id = $2::uuid"
    "                  AND status = 'running')"
    "   AND (SELECT count(*) FROM test_results WHERE org_id = $1::uuid AND run_id = $2::uuid"
    "           AND status = 'running') < " TEXT_OF(TEST_RUN_PARALLEL) " RETURNING 1",
    3};

static const struct db_statement unasked_statement = {
    "test_run_unasked",
    "SELECT r.case_id, r.arm, r.job_id, r.message, r.language,"
    "       coalesce(u.arms->(r.arm::int)->>'model_id', r.model_id),"
    "       u.arms->(r.arm::int)->>'prompt'"
    "  FROM test_results r JOIN test_runs u ON u.org_id = r.org_id AND u.id = r.run_id"
    " WHERE r.org_id = $1::uuid AND r.run_id = $2::uuid AND r.status = 'running'"
    "   AND r.admitted_at IS NULL AND u.status = 'running' ORDER BY r.position",
    2};

static const struct db_statement admitted_statement = {
    "test_run_admitted",
    "UPDATE test_results SET admitted_at = now()"
    " WHERE org_id = $1::uuid AND run_id = $2::uuid AND case_id = $3::uuid AND arm = $4::int"
    "   AND status = 'running' RETURNING 1",
    4};

static const struct db_statement fail_statement = {
    "test_run_fail",
    "UPDATE test_runs SET status = 'failed', error = $3, finished_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND status = 'running'",
    3};

static const struct db_statement finish_statement = {
    "test_run_finish",
    "UPDATE test_runs SET status = 'done', finished_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND status = 'running'"
    "   AND NOT EXISTS (SELECT FROM test_results WHERE org_id = $1::uuid AND run_id = $2::uuid"
    "                      AND status IN ('waiting', 'running'))",
    2};

static enum db_status take(struct db *db, const char *org, const char *id, bool *taken)
{
    char job[FD_JOB_ID_SIZE];
    const char *params[] = {org, id, job};
    PGresult *row;

    fd_job_id_make(job, 0);
    enum db_status status = db_query(db, org, &take_statement, params, &row);
    *taken = status == DB_OK && PQntuples(row) == 1;
    if (status == DB_OK)
        PQclear(row);
    return status;
}

static struct fd_text text_of(const char *s)
{
    return (struct fd_text){s, s != NULL ? strlen(s) : 0};
}

static void admit(const struct config *config, struct arena *a, const char *org,
                  const PGresult *rows, int row, struct admitted *admitted)
{
    const struct fd_chat_request asked = {.message = text_of(db_text(rows, row, 3)),
                                          .language = text_of(db_text(rows, row, 4)),
                                          .model_id = text_of(db_text(rows, row, 5))};
    const struct test_chat test = {
        .unattended = true, .by = "", .channel = TEST_CHANNEL, .prompt = db_text(rows, row, 6)};
    struct fd_field_fault fault;
    struct buf json;

    *admitted = (struct admitted){.verdict = ADMISSION_AWAY, .error = "the case is not a question"};
    const char *body = test_chat_body(a, &asked, &fault);
    buf_init(&json, 6 * TEST_PROMPT_MAX + 1024);
    if (body != NULL && test_chat_write(&json, &test)) {
        const struct admission ask = {.org = org,
                                      .job = db_text(rows, row, 2),
                                      .vouched = true,
                                      .body = body,
                                      .test = json.data};
        admission_make(config, a, &ask, admitted);
    }
    buf_free(&json);
}

/* What is not admitted now is asked for again the next time, but a month has an end. */
static enum db_status not_admitted(struct db *db, const char *org, const char *id,
                                   const struct admitted *admitted)
{
    const struct log_context ctx = {.org_id = org};
    const char *params[] = {org, id, "the month's messages are used up"};

    if (admitted->verdict == ADMISSION_LIMITED && strcmp(admitted->limit, "quota") == 0)
        return db_query(db, org, &fail_statement, params, NULL);
    if (admitted->error[0] != '\0')
        log_warn(&ctx, "test_run.not_admitted", LOG_STR("error", admitted->error));
    return DB_OK;
}

/* A run that was cancelled meanwhile did not know of this job. */
static enum db_status note_admitted(struct db *db, const struct config *config, struct arena *a,
                                    const char *org, const char *id, const PGresult *rows, int row)
{
    const char *params[] = {org, id, db_text(rows, row, 0), db_text(rows, row, 1)};
    PGresult *noted;
    enum db_status status = db_query(db, org, &admitted_statement, params, &noted);

    if (status != DB_OK)
        return status;
    if (PQntuples(noted) == 0)
        test_run_stop_job(config, a, org, db_text(rows, row, 2));
    PQclear(noted);
    return DB_OK;
}

static enum db_status ask(struct db *db, const struct config *config, struct arena *a,
                          const char *org, const char *id)
{
    const char *params[] = {org, id};
    PGresult *rows;
    enum db_status status = db_query(db, org, &unasked_statement, params, &rows);

    if (status != DB_OK)
        return status;
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        struct admitted admitted;
        admit(config, a, org, rows, row, &admitted);
        if (admitted.verdict != ADMISSION_MADE) {
            status = not_admitted(db, org, id, &admitted);
            break;
        }
        status = note_admitted(db, config, a, org, id, rows, row);
    }
    PQclear(rows);
    return status;
}

enum db_status test_run_step(struct db *db, const struct config *config, struct arena *a,
                             const char *org, const char *id)
{
    const char *params[] = {org, id};
    bool taken = true;
    enum db_status status = collect(db, a, org, id);

    while (status == DB_OK && taken)
        status = take(db, org, id, &taken);
    if (status == DB_OK)
        status = ask(db, config, a, org, id);
    return status == DB_OK ? db_query(db, org, &finish_statement, params, NULL) : status;
}
