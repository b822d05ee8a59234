#include "chat/test_run.h"

#include "chat/admission.h"
#include "core/buf.h"
#include "core/reason.h"
#include "protocol/keys.h"

#define TEXT_OF_(value) #value
#define TEXT_OF(value)  TEXT_OF_(value)

#define ARMS_MAX 65536 /* bytes of JSON */

/* -- starting -------------------------------------------------------------------------------- */

static const struct db_statement insert_statement = {
    "test_run_insert",
    "INSERT INTO test_runs (org_id, arms, total, actor)"
    " SELECT $1::uuid, $2::jsonb, 0, $3"
    "  WHERE (SELECT count(*) FROM test_runs WHERE org_id = $1::uuid AND status = 'running') "
    "< " TEXT_OF(TEST_RUNS_OPEN) " RETURNING id",
    3};

/* Two that begin together count each other. */
static const struct db_statement lock_statement = {
    "test_run_lock", "SELECT pg_advisory_xact_lock(hashtextextended($1 || '|test-runs', 0))", 1};

static const struct db_statement fill_statement = {
    "test_run_fill",
    "WITH c AS ("
    "  SELECT * FROM test_cases WHERE org_id = $1::uuid"
    "     AND ($3::uuid[] IS NULL OR id = ANY ($3::uuid[]))"
    "   ORDER BY created_at, id LIMIT " TEXT_OF(
        TEST_RUN_CASES) "), r AS ("
                        "  INSERT INTO test_results (run_id, org_id, case_id, arm, position, name, "
                        "message, language,"
                        "                            model_id, expect)"
                        "  SELECT $2::uuid, c.org_id, c.id, a.arm, row_number() OVER (ORDER BY "
                        "c.created_at, c.id, a.arm),"
                        "         c.name, c.message, c.language, c.model_id, c.expect"
                        "    FROM c CROSS JOIN generate_series(0, $4::int - 1) AS a (arm)"
                        "  RETURNING 1"
                        "), n AS ("
                        "  SELECT count(*)::int AS total FROM r"
                        ") UPDATE test_runs SET total = n.total FROM n WHERE org_id = $1::uuid AND "
                        "id = $2::uuid"
                        " RETURNING n.total",
    4};

static const char *arms_json(struct arena *a, const struct test_run_ask *ask)
{
    struct fd_json_writer w;
    struct buf json;

    buf_init(&json, ARMS_MAX);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < ask->arm_count; i++) {
        fd_jw_object(&w);
        fd_jw_member(&w, "label", ask->arms[i].label);
        fd_jw_member(&w, "model_id", ask->arms[i].model_id);
        fd_jw_member(&w, "prompt", ask->arms[i].prompt);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    const char *text = buf_json_end(&json, &w) ? arena_strndup(a, json.data, json.len) : "[]";
    buf_free(&json);
    return text;
}

static const char *uuid_array(struct arena *a, const struct test_run_ask *ask)
{
    struct buf text;

    if (ask->case_count == 0)
        return NULL;
    buf_init(&text, ask->case_count * 38 + 3);
    for (size_t i = 0; i < ask->case_count; i++)
        buf_printf(&text, "%s%s", i == 0 ? "{" : ",", ask->cases[i]);
    buf_puts(&text, "}");
    const char *copy = arena_strndup(a, text.data, text.len);
    buf_free(&text);
    return copy;
}

static enum db_status insert(struct db *db, struct arena *a, const struct test_run_ask *ask,
                             const char **id)
{
    const char *params[] = {ask->org, arms_json(a, ask), ask->actor};
    PGresult *row;
    enum db_status status = db_exec(db, &insert_statement, params, &row);

    if (status != DB_OK)
        return status;
    *id = PQntuples(row) == 1 ? arena_strdup(a, db_text(row, 0, 0)) : NULL;
    PQclear(row);
    if (*id != NULL)
        return DB_OK;
    db_explain(db, "so many runs already run; one of them has to end first");
    return DB_FAILED;
}

static enum db_status fill(struct db *db, struct arena *a, const struct test_run_ask *ask,
                           const char *id)
{
    char arms[DB_NUMBER_SIZE];
    const char *params[] = {ask->org, id, uuid_array(a, ask),
                            db_number(arms, (int64_t)ask->arm_count)};
    PGresult *row;
    enum db_status status = db_exec(db, &fill_statement, params, &row);

    if (status != DB_OK)
        return status;
    int64_t total = db_int(row, 0, 0, 0);
    PQclear(row);
    if (total == 0 && ask->case_count == 0)
        db_explain(db, "case_ids: there is no case yet");
    else if (total == 0 ||
             (ask->case_count > 0 && total != (int64_t)(ask->case_count * ask->arm_count)))
        db_explain(db, "case_ids: one of these cases is not there, or is named twice");
    else
        return DB_OK;
    return DB_FAILED;
}

enum db_status test_run_start(struct db *db, struct arena *a, const struct test_run_ask *ask,
                              const char **id)
{
    enum db_status status = db_begin(db, ask->org);

    if (status == DB_OK)
        status = db_exec(db, &lock_statement, &ask->org, NULL);
    if (status == DB_OK)
        status = insert(db, a, ask, id);
    if (status == DB_OK)
        status = fill(db, a, ask, *id);
    if (status == DB_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- stopping -------------------------------------------------------------------------------- */

static const struct db_statement cancel_statement = {
    "test_run_cancel",
    "WITH r AS ("
    "  UPDATE test_runs SET status = 'cancelled', finished_at = now()"
    "   WHERE org_id = $1::uuid AND id = $2::uuid AND status = 'running' RETURNING id"
    "), s AS ("
    "  UPDATE test_results SET status = 'cancelled', finished_at = now()"
    "   WHERE org_id = $1::uuid AND run_id = (SELECT id FROM r) AND status <> 'done'"
    "  RETURNING job_id"
    ") SELECT EXISTS (SELECT FROM r), job_id FROM (SELECT 1) AS one"
    "  LEFT JOIN s ON s.job_id IS NOT NULL",
    2};

void test_run_stop_job(const struct config *config, struct arena *a, const char *org,
                       const char *job)
{
    const struct admission_word word = {.org = org, .job = job};
    char error[256];

    admission_tell_job(config, a, FD_SCRIPT_CANCEL, FD_CONTROL_CANCEL, &word, error);
}

enum db_status test_run_cancel(struct db *db, const struct config *config, struct arena *a,
                               const char *org, const char *id, bool *found)
{
    const char *params[] = {org, db_uuid(id)};
    PGresult *rows;
    enum db_status status = db_query(db, org, &cancel_statement, params, &rows);

    if (status != DB_OK)
        return status;
    *found = db_true(rows, 0, 0);
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *job = db_text(rows, i, 1);
        if (job != NULL)
            test_run_stop_job(config, a, org, job);
    }
    PQclear(rows);
    return DB_OK;
}

/* -- telling --------------------------------------------------------------------------------- */

static const struct db_statement read_statement = {
    "test_run_read",
    "SELECT r.id, r.status, r.total,"
    "       (SELECT count(*) FROM test_results t WHERE t.org_id = r.org_id AND t.run_id = r.id"
    "           AND t.status IN ('done', 'cancelled')),"
    "       r.error, to_json(r.created_at)#>>'{}', to_json(r.finished_at)#>>'{}',"
    "       (SELECT coalesce(json_agg(json_build_object("
    "          'label', a.value->>'label', 'model_id', a.value->>'model_id',"
    "          'prompt', a.value->>'prompt', 'passed', s.passed, 'failed', s.failed,"
    "          'cost_usd', s.cost, 'p50_first_token_ms', s.first_token, 'p50_ms', s.ms)"
    "          ORDER BY a.n), '[]')"
    "          FROM jsonb_array_elements(r.arms) WITH ORDINALITY AS a (value, n)"
    "          CROSS JOIN LATERAL ("
    "            SELECT count(*) FILTER (WHERE passed) AS passed,"
    "                   count(*) FILTER (WHERE NOT passed) AS failed,"
    "                   CASE WHEN bool_or(cost_micro IS NULL) THEN NULL"
    "                        ELSE sum(cost_micro)::float8 / 1e6 END AS cost,"
    "                   percentile_disc(0.5) WITHIN GROUP (ORDER BY first_token_ms) AS first_token,"
    "                   percentile_disc(0.5) WITHIN GROUP (ORDER BY t.ms) AS ms"
    "              FROM test_results t WHERE t.org_id = r.org_id AND t.run_id = r.id"
    "               AND t.arm = a.n - 1 AND t.status = 'done') s),"
    "       (SELECT coalesce(json_agg(json_build_object("
    "          'case_id', t.case_id, 'name', t.name, 'arm', r.arms->(t.arm::int)->>'label',"
    "          'status', t.status, 'passed', t.passed, 'failures', t.failures,"
    "          'message', t.message, 'response', t.response, 'model', t.model,"
    "          'cost_usd', t.cost_micro::float8 / 1e6, 'first_token_ms', t.first_token_ms,"
    "          'ms', t.ms, 'conversation_id', (SELECT j.conversation_id FROM jobs j"
    "             WHERE j.org_id = t.org_id AND j.id = t.job_id)) ORDER BY t.position), '[]')"
    "          FROM test_results t WHERE t.org_id = r.org_id AND t.run_id = r.id)"
    "  FROM test_runs r WHERE r.org_id = $1::uuid AND r.id = $2::uuid",
    2};

enum db_status test_run_write(struct db *db, const char *org, const char *id,
                              struct fd_json_writer *w, bool *found)
{
    const char *params[] = {org, db_uuid(id)};
    PGresult *row;
    enum db_status status = db_query(db, org, &read_statement, params, &row);

    *found = false;
    if (status != DB_OK)
        return status;
    *found = PQntuples(row) == 1;
    if (*found) {
        fd_jw_object(w);
        fd_jw_member(w, "id", db_text(row, 0, 0));
        fd_jw_member(w, "status", db_text(row, 0, 1));
        fd_jw_member_int(w, "done", db_int(row, 0, 3, 0));
        fd_jw_member_int(w, "total", db_int(row, 0, 2, 0));
        reason_member(w, "error", db_text(row, 0, 4));
        fd_jw_member(w, "created_at", db_text(row, 0, 5));
        fd_jw_member(w, "finished_at", db_text(row, 0, 6));
        fd_jw_member_raw(w, "arms", db_text(row, 0, 7));
        fd_jw_key(w, "results");
        reason_write_rows(w, db_text(row, 0, 8), "failures", "failure_reasons");
        fd_jw_end_object(w);
    }
    PQclear(row);
    return DB_OK;
}
