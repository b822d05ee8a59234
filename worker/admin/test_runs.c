/* Test runs (ADM-4): cases asked in the background, with one or two arms. */
#include "admin/field.h"
#include "admin/list.h"
#include "admin/resources.h"
#include "chat/test_chat.h"
#include "chat/test_run.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

#include <string.h>

static const struct db_statement list_statement = {
    "test_runs_list",
    "SELECT r.id, r.status, r.total, s.done, s.passed,"
    "       (SELECT coalesce(json_agg(a.value->>'label' ORDER BY a.n), '[]')"
    "          FROM jsonb_array_elements(r.arms) WITH ORDINALITY AS a (value, n)),"
    "       to_json(r.created_at)#>>'{}', to_json(r.finished_at)#>>'{}'"
    "  FROM test_runs r CROSS JOIN LATERAL ("
    "    SELECT count(*) FILTER (WHERE t.status IN ('done', 'cancelled')) AS done,"
    "           count(*) FILTER (WHERE t.passed) AS passed"
    "      FROM test_results t WHERE t.org_id = r.org_id AND t.run_id = r.id) s"
    " WHERE r.org_id = $1::uuid"
    "   AND ($2::timestamptz IS NULL OR (r.created_at, r.id) < ($2::timestamptz, $3::uuid))"
    " ORDER BY r.created_at DESC, r.id DESC LIMIT $4::int",
    4};

/* -- POST test-runs ------------------------------------------------------------------------------
 */

static bool read_cases(const struct admin_request *request, struct admin_reply *reply,
                       struct test_run_ask *ask)
{
    ask->case_count = field_texts(request, "case_ids", &ask->cases);
    for (size_t i = 0; i < ask->case_count; i++) {
        if (!fd_uuid_valid(ask->cases[i], strlen(ask->cases[i]))) {
            admin_problem(reply, request, FD_PROBLEM_FIELD, "case_ids", "ids of cases are wanted");
            return false;
        }
    }
    return true;
}

static bool read_arms(const struct admin_request *request, struct admin_reply *reply,
                      struct test_arm arms[TEST_ARMS_MAX], size_t *count)
{
    const struct fd_json *list = fd_json_get(request->body, "arms");

    *count = 0;
    if (list == NULL || list->count == 0)
        arms[(*count)++] = (struct test_arm){.label = "now"};
    for (const struct fd_json *arm = list != NULL ? list->child : NULL; arm != NULL;
         arm = arm->next) {
        if (*count == TEST_ARMS_MAX) {
            admin_problem(reply, request, FD_PROBLEM_FIELD, "arms", "one or two are compared");
            return false;
        }
        arms[(*count)++] = (struct test_arm){.label = fd_json_string(arm, "label"),
                                             .model_id = fd_json_string(arm, "model_id"),
                                             .prompt = fd_json_string(arm, "prompt")};
    }
    if (*count == 2 && strcmp(arms[0].label, arms[1].label) == 0) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "arms", "two arms have two labels");
        return false;
    }
    return true;
}

static void start(const struct admin_request *request, struct admin_reply *reply)
{
    struct test_arm arms[TEST_ARMS_MAX];
    struct test_run_ask ask = {.org = request->org, .actor = request->actor, .arms = arms};
    const char *id;

    if (!read_cases(request, reply, &ask) || !read_arms(request, reply, arms, &ask.arm_count))
        return;
    enum db_status status = test_run_start(request->db, request->arena, &ask, &id);
    if (status == DB_OK)
        admin_reply_id(reply, 202, id);
    else
        field_refuse(request, reply, status);
}

/* -- reading and stopping
 * -------------------------------------------------------------------------- */

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, 0));
    fd_jw_member(w, "status", db_text(rows, row, 1));
    fd_jw_member_int(w, "done", db_int(rows, row, 3, 0));
    fd_jw_member_int(w, "total", db_int(rows, row, 2, 0));
    fd_jw_member_int(w, "passed", db_int(rows, row, 4, 0));
    fd_jw_member_raw(w, "arms", db_text(rows, row, 5));
    fd_jw_member(w, "created_at", db_text(rows, row, 6));
    fd_jw_member(w, "finished_at", db_text(rows, row, 7));
}

static const struct list runs = {"test_runs", write_row, 2, {6, 0}}; /* created_at, id */

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &runs, &page))
        return;
    const char *params[] = {request->org, page.after[0], page.after[1], page.rows};
    enum db_status status = db_query(request->db, request->org, &list_statement, params, &rows);
    list_reply(request, reply, &runs, &page, status, rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    bool found;

    buf_json(&reply->body, &w);
    enum db_status status = test_run_write(request->db, request->org, request->ids[0], &w, &found);
    if (admin_found(reply, request, status, found, NULL) && !buf_json_end(&reply->body, &w))
        admin_problem(reply, request, FD_PROBLEM_INTERNAL, NULL, NULL);
}

static void cancel(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status = test_run_cancel(request->db, request->config, request->arena,
                                            request->org, request->ids[0], &found);

    if (admin_found(reply, request, status, found, "no such run is running"))
        show(request, reply);
}

/* -- routes --------------------------------------------------------------------------------------
 */

static const struct admin_field arm_fields[] = {
    {.name = "label", .kind = ADMIN_TEXT, .required = true, .max = TEST_LABEL_MAX},
    {.name = "model_id", .kind = ADMIN_TEXT | ADMIN_NULL, .max = FD_MODEL_ID_MAX},
    {.name = "prompt", .kind = ADMIN_TEXT | ADMIN_NULL, .empty = true, .max = TEST_PROMPT_MAX},
};
static const struct admin_field start_fields[] = {
    {.name = "case_ids",
     .kind = ADMIN_TEXTS,
     .max = TEST_RUN_CASES,
     .note = "absent or empty: all cases"},
    {.name = "arms",
     .kind = ADMIN_LIST,
     .max = TEST_ARMS_MAX,
     .members = ADMIN_BODY(arm_fields),
     .note = "one or two, each a model or a prompt; absent: as visitors are answered now"},
};

#define STATUS "running|done|failed|cancelled"
#define RUN                                                                                        \
    "{id: uuid, status: " STATUS                                                                   \
    ", done: int, total: int, error: text|null, error_reason: " ADMIN_REASON ", created_at: time," \
    " finished_at: time|null, arms: [{label: text, model_id: text|null, prompt: text|null,"        \
    " passed: int, failed: int, cost_usd: number|null, p50_first_token_ms: int|null,"              \
    " p50_ms: int|null}], results: [{case_id: uuid, name: text, arm: text,"                        \
    " status: waiting|running|done|cancelled, passed: bool|null, failures: [text], "               \
    "failure_reasons: [" ADMIN_REASON "], message: text,"                                          \
    " response: text|null, model: text|null, cost_usd: number|null, first_token_ms: int|null,"     \
    " ms: int|null, conversation_id: uuid|null}]}"

static const struct admin_route routes[] = {
    {"POST", "test-runs", ADMIN_STAFF, 0, start, .summary = "Asks the cases, in the background",
     .body = ADMIN_BODY(start_fields), .status = 202, .answer = "{id: uuid}"},
    {"GET", "test-runs", ADMIN_STAFF, 0, list, .summary = "Runs, newest first",
     .query = "{" PAGE_QUERY "}",
     .answer = "{test_runs: [{id: uuid, status: " STATUS ", done: int, total: int, passed: int,"
               " arms: [text], created_at: time, finished_at: time|null}], " PAGE_ANSWER "}"},
    {"GET", "test-runs/:id", ADMIN_STAFF, 0, show, .summary = "What came of one", .answer = RUN},
    {"POST", "test-runs/:id/cancel", ADMIN_STAFF, ADMIN_STEPS, cancel,
     .summary = "Stops it; what was answered stays", .answer = RUN},
};

const struct admin_resource admin_test_runs = {routes, sizeof(routes) / sizeof(routes[0])};
