#include "integration/endpoint_trial.h"

#include "core/clock.h"
#include "integration/integration.h"
#include "integration/journal.h"
#include "integration/oauth.h"
#include "integration/query.h"
#include "integration/query_text.h"
#include "integration/request.h"
#include "integration/shape.h"
#include "tool/result.h"
#include "tool/webhook_message.h"

#include <stdio.h>
#include <string.h>

#define ARGUMENTS_DEPTH 24

struct run {
    struct arena *a;
    const struct config *config;
    const struct tool *tool;
    struct integration integration;
    struct endpoint endpoint;
    const struct fd_json *arguments;
    const char *token;
    enum outbound_failure token_failure;
    char error[256];
    struct trial *test;
};

/* What is wrong with its arguments the model is told, the rest is for the operator. */
static void fail(struct run *run, enum tool_failure failure, const char *detail)
{
    struct tool_result *result = &run->test->result;

    tool_result_fail(result, run->a, failure, run->tool->risk, NULL,
                     failure == TOOL_ARGUMENTS ? detail : NULL);
    result->operator_detail = arena_strdup(run->a, detail);
}

/* -- an endpoint ------------------------------------------------------------------------------ */

static void take_token(void *arg, const struct outbound_response *response)
{
    struct run *run = arg;
    int64_t lifetime_s;

    run->token_failure = response->failure;
    run->token = oauth_token(run->a, response, &lifetime_s, run->error);
}

/* False: there is none, which is the result. */
static bool request_token(struct run *run)
{
    struct outbound_options options;

    run->token_failure = OUTBOUND_BLOCKED;
    if (oauth_request(run->a, &run->integration, &options, run->error))
        outbound_perform(run->config->outbound_allow, &options, take_token, run);
    if (run->token == NULL)
        fail(run, run->token_failure == OUTBOUND_BLOCKED ? TOOL_BLOCKED : TOOL_UNREACHABLE,
             run->error);
    return run->token != NULL;
}

static void take_answer(void *arg, const struct outbound_response *response)
{
    struct run *run = arg;

    wire_came(&run->test->wire, run->a, response);
    shape_response(run->a, &run->integration, &run->endpoint, run->arguments, response,
                   &run->test->result);
}

static void call(struct run *run, const struct tool_context *context)
{
    const char *key = run->endpoint.writes ? webhook_idempotency_key(run->a, context) : NULL;
    struct outbound_options options;

    if (run->integration.auth == AUTH_OAUTH2 && !request_token(run))
        return;
    if (!endpoint_request(run->a, &run->integration, &run->endpoint, run->arguments, run->token,
                          key, &options, run->error)) {
        fail(run, TOOL_ARGUMENTS, run->error);
        return;
    }
    wire_sent(&run->test->wire, run->a, &options,
              fd_json_string(run->integration.settings, "header"));
    outbound_perform(run->config->outbound_allow, &options, take_answer, run);
}

/* -- a query ---------------------------------------------------------------------------------- */

static void query(struct run *run)
{
    const char *values[QUERY_PARAMS_MAX];
    struct query_result result;
    struct query_text text;

    if (!query_text_read(run->a, run->endpoint.query, &text, run->error) ||
        !query_text_bind(run->a, &text, run->arguments, values, run->error)) {
        fail(run, TOOL_ARGUMENTS, run->error);
        return;
    }
    wire_asked(&run->test->wire, run->a, run->integration.base_url, text.sql, values, text.count);
    query_run(run->a, &run->integration, run->config->outbound_allow, text.sql, values, text.count,
              &result);
    if (result.failure != TOOL_OK) {
        fail(run, result.failure, result.error);
        return;
    }
    wire_rows(&run->test->wire, run->a, result.json, result.len);
    shape_rows(run->a, result.json, result.len, &run->test->result);
}

/* -- a trial ---------------------------------------------------------------------------------- */

static void perform(struct run *run, const char *arguments, const struct tool_context *context)
{
    int64_t started = clock_mono_ms();
    struct fd_json_fault fault;

    run->arguments = fd_json_parse(arguments, strlen(arguments),
                                   (struct fd_json_limits){.depth = ARGUMENTS_DEPTH},
                                   arena_allocator(run->a), &fault);
    if (run->arguments == NULL)
        fail(run, TOOL_ARGUMENTS, "the arguments are not JSON");
    else if (run->endpoint.kind == ENDPOINT_QUERY)
        query(run);
    else
        call(run, context);
    run->test->result.ms = clock_mono_ms() - started;
}

static enum db_status note(struct db *db, const char *org, const struct run *run,
                           const char *arguments)
{
    const struct tool_result *result = &run->test->result;
    const struct journal_entry entry = {.org = org,
                                        .integration_id = run->integration.id,
                                        .endpoint = run->endpoint.name,
                                        .job_id = run->test->request_id,
                                        .failure = tool_failure_name(result->failure),
                                        .status = result->status,
                                        .ms = result->ms,
                                        .detail = result->operator_detail};

    enum db_status status = journal_write(db, &entry);
    return status == DB_OK ? trial_note(db, org, run->tool, arguments, run->test) : status;
}

enum db_status endpoints_test(struct db *db, const struct config *config, struct arena *a,
                              const char *org, const char *name, const char *arguments,
                              struct trial *test, struct tool_problem *problem)
{
    const struct tool_context context = trial_context(org, test);
    const char *complete;
    struct tool tool;
    struct run run = {.a = a, .config = config, .tool = &tool, .test = test};

    enum db_status status = tool_load_endpoint(db, a, org, name, &tool, problem);
    if (status != DB_OK || problem->field != NULL)
        return status;
    if (tool.name == NULL) {
        problem->field = "name";
        snprintf(problem->text, sizeof(problem->text), "there is no such endpoint");
        return DB_OK;
    }
    if (!trial_arguments(&tool, arguments, &context, a, &complete, problem))
        return DB_OK;
    status = integration_load_switched_off(db, a, org, tool.id, config->vault_keys,
                                           &run.integration, &run.endpoint);
    if (status == DB_OK) {
        perform(&run, complete, &context);
        status = note(db, org, &run, complete);
    }
    integration_wipe(&run.integration);
    return status;
}
