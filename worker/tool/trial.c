#include "tool/trial.h"

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

enum db_status trial_note(struct db *db, const char *org, const struct tool *tool,
                          const char *arguments, const struct trial *test)
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

static void make_request_id(char out[48])
{
    unsigned char bytes[12];
    char hex[2 * sizeof(bytes) + 1];

    randombytes_buf(bytes, sizeof(bytes));
    snprintf(out, 48, "test-%s", sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes)));
}

/* What an operator who tries it out is: somebody who is signed in. */
struct tool_context trial_context(const char *org, struct trial *test)
{
    make_request_id(test->request_id);
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

bool trial_arguments(const struct tool *tool, const char *arguments,
                     const struct tool_context *context, struct arena *a, const char **complete,
                     struct tool_problem *problem)
{
    char why[TOOL_WHY_SIZE];
    struct line line;

    if (tool_arguments(tool, arguments, context, a, complete, why) == TOOL_OK)
        return true;
    problem->field = "arguments";
    line_init(&line, problem->text, sizeof(problem->text));
    line_add(&line, "%s", why);
    return false;
}

/* -- of a webhook ----------------------------------------------------------------------------- */

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

enum db_status tools_test(struct db *db, struct arena *a, const char *org, const char *name,
                          const char *arguments, struct trial *test, struct tool_problem *problem)
{
    const struct tool_context context = trial_context(org, test);
    const char *complete;
    struct tool tool;

    enum db_status status = load(db, a, org, name, &tool, problem);
    if (status != DB_OK || problem->field != NULL)
        return status;
    if (tool.name == NULL) {
        problem->field = "name";
        snprintf(problem->text, sizeof(problem->text), "the organisation has no such tool");
        return DB_OK;
    }
    if (!trial_arguments(&tool, arguments, &context, a, &complete, problem))
        return DB_OK;
    webhook_perform(test->allow, &tool, complete, &context, a, &test->result, &test->wire);
    return trial_note(db, org, &tool, complete, test);
}
