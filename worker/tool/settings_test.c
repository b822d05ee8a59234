/* A test run: an operator's, against the real webhook. */
#include "tool/settings.h"

#include "core/clock.h"
#include "tool/line.h"
#include "tool/webhook.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

static const struct db_statement note = {
    "tools_note_test",
    "INSERT INTO tool_executions (org_id, job_id, call_id, tool_name, parameters, response,"
    "                             success, execution_time_ms, risk, status, failure, http_status,"
    "                             detail, finished_at)"
    " VALUES ($1, $2, 'test', $3, $4::jsonb, $5::jsonb, $6::bool, $7::int, $8, $9, $10,"
    "         nullif($11::int, 0), $12, now())",
    12};

static enum db_status note_test(struct db *db, const char *org, const struct tool *tool,
                                const char *arguments, const struct tool_test *test)
{
    const struct tool_result *r = &test->result;
    bool ok = r->failure == TOOL_OK;
    char ms[DB_NUMBER_SIZE], status[DB_NUMBER_SIZE];
    const char *params[] = {org,
                            test->request_id,
                            tool->name,
                            arguments,
                            r->json,
                            ok ? "true" : "false",
                            db_number(ms, r->ms),
                            tool_risk_name(tool->risk),
                            ok ? "done" : "failed",
                            ok ? NULL : tool_failure_name(r->failure),
                            db_number(status, r->status),
                            r->operator_detail};

    return db_query(db, org, &note, params, NULL);
}

static enum db_status load(struct db *db, struct arena *a, const char *org, const char *name,
                           struct tool *tool, struct tool_problem *problem)
{
    enum db_status status = db_begin(db, org);

    if (status == DB_OK)
        status = tool_load_named(db, a, org, name, tool, problem);
    if (status == DB_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}

static void make_request_id(char out[48])
{
    unsigned char bytes[12];
    char hex[2 * sizeof(bytes) + 1];

    randombytes_buf(bytes, sizeof(bytes));
    snprintf(out, 48, "test-%s", sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes)));
}

/* What an operator who tries it out is: somebody who is signed in. */
static struct tool_context context_of(const char *org, const struct tool_test *test)
{
    return (struct tool_context){.org = org,
                                 .org_name = org,
                                 .session = test->request_id,
                                 .conversation_id = test->request_id,
                                 .job_id = test->request_id,
                                 .call_id = "test",
                                 .language = test->language != NULL ? test->language : "en",
                                 .channel = "test",
                                 .user_id = "test-user",
                                 .user_verified = true,
                                 .user_email = "test@example.com",
                                 .deadline_ms = clock_wall_ms() + WEBHOOK_MS};
}

enum db_status tools_test(struct db *db, struct arena *a, const char *org, const char *name,
                          const char *arguments, struct tool_test *test,
                          struct tool_problem *problem)
{
    const char *complete;
    char why[TOOL_WHY_SIZE];
    struct line line;
    struct tool tool;

    make_request_id(test->request_id);
    enum db_status status = load(db, a, org, name, &tool, problem);
    if (status != DB_OK || problem->field != NULL)
        return status;
    if (tool.name == NULL) {
        problem->field = "name";
        snprintf(problem->text, sizeof(problem->text), "the organisation has no such tool");
        return DB_OK;
    }
    const struct tool_context context = context_of(org, test);
    if (tool_arguments(&tool, arguments, &context, a, &complete, why) != TOOL_OK) {
        problem->field = "arguments";
        line_init(&line, problem->text, sizeof(problem->text));
        line_add(&line, "%s", why);
        return DB_OK;
    }
    webhook_perform(test->allow, &tool, complete, &context, a, &test->result);
    return note_test(db, org, &tool, complete, test);
}
