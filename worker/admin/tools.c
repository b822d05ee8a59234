/* Tools (ENG-10): the catalogue, what the organisation enabled, its own tools, test runs and
 * the log of executions; `frontdesk tool` for a program. */
#include "admin/field.h"
#include "admin/page.h"
#include "tool/settings.h"

#include <string.h>

#define TEXT_MAX   4000
#define SECRET_MAX 1024
#define URL_MAX    2048
#define LIST       "tool-executions"

static void member_json(struct fd_json_writer *w, const char *key, const char *json)
{
    fd_jw_key(w, key);
    json != NULL ? fd_jw_raw(w, json, strlen(json)) : fd_jw_null(w);
}

static void write_tool(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "name", db_text(rows, row, TOOLS_NAME));
    fd_jw_member(w, "origin", db_text(rows, row, TOOLS_ORIGIN));
    fd_jw_member(w, "category", db_text(rows, row, TOOLS_CATEGORY));
    fd_jw_member_bool(w, "enabled", db_true(rows, row, TOOLS_ENABLED));
    fd_jw_member(w, "risk", db_text(rows, row, TOOLS_RISK));
    fd_jw_member(w, "description", db_text(rows, row, TOOLS_DESCRIPTION));
    member_json(w, "parameters_schema", db_text(rows, row, TOOLS_SCHEMA));
    fd_jw_member(w, "url", db_text(rows, row, TOOLS_URL));
    member_json(w, "bindings", db_text(rows, row, TOOLS_BINDINGS));
    fd_jw_member_int(w, "timeout_ms", db_int(rows, row, TOOLS_TIMEOUT_MS, 0));
    fd_jw_member(w, "reply", db_true(rows, row, TOOLS_ACKNOWLEDGEMENT) ? "none" : "data");
    fd_jw_member_bool(w, "signed", db_true(rows, row, TOOLS_SIGNED));
    fd_jw_member(w, "token_header", db_text(rows, row, TOOLS_TOKEN_HEADER));
    member_json(w, "config", db_text(rows, row, TOOLS_CONFIG));
    fd_jw_member(w, "updated_at", db_text(rows, row, TOOLS_UPDATED_AT));
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *rows;

    enum db_status status = tools_list(request->db, request->org, NULL, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "tools");
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        fd_jw_object(&w);
        write_tool(&w, rows, row);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(rows);
}

/* `secret` is a signing secret that was made now; "" = none. */
static void reply_tool(const struct admin_request *request, struct admin_reply *reply,
                       const char *name, const char *secret)
{
    struct fd_json_writer w;
    PGresult *rows;

    enum db_status status = tools_list(request->db, request->org, name, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (PQntuples(rows) == 1) {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        write_tool(&w, rows, 0);
        if (secret[0] != '\0')
            fd_jw_member(&w, "signing_secret", secret);
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    } else {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "there is no such tool");
    }
    PQclear(rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    reply_tool(request, reply, request->ids[0], "");
}

/* -- changes ---------------------------------------------------------------------------------- */

/* A member that is an object, as text; NULL where it is absent. */
static bool take_object(const struct admin_request *request, struct admin_reply *reply,
                        const char *name, const char **text)
{
    const struct fd_json *value = fd_json_get(request->body, name);
    struct fd_json_writer w;
    struct buf out;

    if (value == NULL)
        return true;
    if (value->type != FD_JSON_OBJECT) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, name, "an object would be right");
        return false;
    }
    buf_init(&out, 1u << 20);
    buf_json(&out, &w);
    fd_jw_json(&w, value);
    bool fits = buf_json_end(&out, &w);
    *text = fits ? arena_strdup(request->arena, out.data) : NULL;
    buf_free(&out);
    return fits;
}

static bool take_bool(const struct admin_request *request, struct admin_reply *reply,
                      const char *name, int *flag)
{
    const struct fd_json *value = fd_json_get(request->body, name);

    if (value != NULL && value->type != FD_JSON_BOOL) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, name, "true or false would be right");
        return false;
    }
    if (value != NULL)
        *flag = value->boolean;
    return true;
}

/* A text sets it, null removes it; true makes one, where that is possible. */
static bool take_secret(const struct admin_request *request, struct admin_reply *reply,
                        const char *name, bool can_be_made, enum tool_secret *what,
                        const char **text)
{
    const struct fd_json *value = fd_json_get(request->body, name);

    if (value == NULL)
        return true;
    if (value->type == FD_JSON_NULL) {
        *what = TOOL_SECRET_REMOVE;
        return true;
    }
    if (can_be_made && value->type == FD_JSON_BOOL && value->boolean) {
        *what = TOOL_SECRET_MAKE;
        return true;
    }
    *what = TOOL_SECRET_SET;
    return field_text(request, reply, name, true, SECRET_MAX, text);
}

static bool take_reply(const struct admin_request *request, struct admin_reply *reply, int *none)
{
    const char *kind;

    if (!field_text(request, reply, "reply", false, 8, &kind))
        return false;
    if (kind != NULL && strcmp(kind, "none") != 0 && strcmp(kind, "data") != 0) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "reply", "data or none would be right");
        return false;
    }
    if (kind != NULL)
        *none = strcmp(kind, "none") == 0;
    return true;
}

static bool take_change(const struct admin_request *request, struct admin_reply *reply,
                        struct tool_change *c)
{
    static const char *const known[] = {"name",       "enabled",
                                        "risk",       "description",
                                        "url",        "bindings",
                                        "timeout_ms", "parameters_schema",
                                        "reply",      "token_header",
                                        "token",      "signing_secret",
                                        "config",     NULL};
    int64_t timeout;

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "risk", false, 8, &c->risk) ||
        !field_text(request, reply, "description", false, TEXT_MAX, &c->description) ||
        !field_text(request, reply, "url", false, URL_MAX, &c->url) ||
        !field_text(request, reply, "token_header", false, 64, &c->token_header) ||
        !field_int(request, reply, "timeout_ms", 100, 30000, -1, &timeout))
        return false;
    c->timeout_ms = (int)timeout;
    return take_bool(request, reply, "enabled", &c->enabled) &&
           take_reply(request, reply, &c->acknowledgement) &&
           take_object(request, reply, "parameters_schema", &c->parameters) &&
           take_object(request, reply, "bindings", &c->bindings) &&
           take_object(request, reply, "config", &c->config) &&
           take_secret(request, reply, "signing_secret", true, &c->secret, &c->secret_value) &&
           take_secret(request, reply, "token", false, &c->token, &c->token_value);
}

static void save(const struct admin_request *request, struct admin_reply *reply,
                 const struct tool_change *change, int success)
{
    char made[TOOL_SECRET_SIZE];
    struct tool_problem problem;

    enum db_status status = tools_change(request->db, request->org, request->config->vault_keys,
                                         change, &problem, made);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (problem.field != NULL) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, problem.field, problem.text);
    } else {
        admin_settings_changed(request);
        reply->status = success;
        reply_tool(request, reply, change->name, made);
    }
}

/* False: the reply says what is wrong. taken_up: the organisation has a row of its own. */
static bool look_up(const struct admin_request *request, struct admin_reply *reply,
                    const char *name, bool *known, bool *taken_up)
{
    PGresult *rows;

    enum db_status status = tools_list(request->db, request->org, name, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return false;
    }
    *known = PQntuples(rows) == 1;
    *taken_up = *known && db_text(rows, 0, TOOLS_UPDATED_AT) != NULL;
    PQclear(rows);
    return true;
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    struct tool_change change = tool_unchanged;
    bool known, taken_up;

    change.secret = TOOL_SECRET_MAKE;
    change.enabled = 1;
    if (!field_text(request, reply, "name", true, 64, &change.name) ||
        !take_change(request, reply, &change) ||
        !look_up(request, reply, change.name, &known, &taken_up))
        return;
    if (taken_up)
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "name",
                      "the organisation has this tool: PATCH it");
    else
        save(request, reply, &change, 201);
}

static void change_tool(const struct admin_request *request, struct admin_reply *reply)
{
    struct tool_change change = tool_unchanged;
    bool known, taken_up;

    change.name = request->ids[0];
    if (fd_json_get(request->body, "name") != NULL) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "name", "a tool keeps its name");
        return;
    }
    if (!take_change(request, reply, &change) ||
        !look_up(request, reply, change.name, &known, &taken_up))
        return;
    if (known)
        save(request, reply, &change, 200);
    else
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "there is no such tool");
}

static void drop(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;

    enum db_status status = tools_remove(request->db, request->org, request->ids[0], &found);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (!found) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "there is no such tool");
    } else {
        admin_settings_changed(request);
        reply->status = 204;
    }
}

/* -- test runs and the log -------------------------------------------------------------------- */

static void write_test(struct fd_json_writer *w, const struct tool_test *test)
{
    const struct tool_result *r = &test->result;

    fd_jw_object(w);
    fd_jw_member(w, "request_id", test->request_id);
    fd_jw_member_bool(w, "ok", r->failure == TOOL_OK);
    fd_jw_member(w, "failure", r->failure == TOOL_OK ? NULL : tool_failure_name(r->failure));
    fd_jw_member_int(w, "http_status", r->status);
    fd_jw_member_int(w, "ms", r->ms);
    fd_jw_member(w, "detail", r->operator_detail);
    fd_jw_key(w, "result");
    fd_jw_raw(w, r->json, r->len);
    fd_jw_end_object(w);
}

static void test(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"arguments", "language", NULL};
    struct tool_test run = {.allow = request->config->outbound_allow};
    struct tool_problem problem = {0};
    const char *arguments = "{}";
    struct fd_json_writer w;

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "language", false, 35, &run.language) ||
        !take_object(request, reply, "arguments", &arguments))
        return;
    enum db_status status = tools_test(request->db, request->arena, request->org, request->ids[0],
                                       arguments, &run, &problem);
    if (problem.field != NULL && strcmp(problem.field, "name") == 0) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, problem.text);
    } else if (problem.field != NULL) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, problem.field, problem.text);
    } else if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else {
        buf_json(&reply->body, &w);
        write_test(&w, &run);
        buf_json_end(&reply->body, &w);
    }
}

static void write_execution(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(rows, row, EXECUTIONS_ID));
    fd_jw_member(w, "created_at", db_text(rows, row, EXECUTIONS_CREATED_AT));
    fd_jw_member(w, "tool", db_text(rows, row, EXECUTIONS_TOOL));
    fd_jw_member(w, "status", db_text(rows, row, EXECUTIONS_STATUS));
    fd_jw_member(w, "failure", db_text(rows, row, EXECUTIONS_FAILURE));
    fd_jw_member_int(w, "http_status", db_int(rows, row, EXECUTIONS_HTTP_STATUS, 0));
    fd_jw_member_int(w, "ms", db_int(rows, row, EXECUTIONS_MS, 0));
    fd_jw_member(w, "detail", db_text(rows, row, EXECUTIONS_DETAIL));
    fd_jw_member(w, "conversation_id", db_text(rows, row, EXECUTIONS_CONVERSATION));
    fd_jw_member(w, "job_id", db_text(rows, row, EXECUTIONS_JOB));
    fd_jw_member(w, "approved_by", db_text(rows, row, EXECUTIONS_APPROVED_BY));
    member_json(w, "arguments", db_text(rows, row, EXECUTIONS_PARAMETERS));
    member_json(w, "response", db_text(rows, row, EXECUTIONS_RESPONSE));
    fd_jw_end_object(w);
}

static void executions(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    struct fd_json_writer w;
    PGresult *rows;

    if (!page_read(request, reply, LIST, 2, &page))
        return;
    enum db_status status =
        tools_executions(request->db, request->org, admin_query(request, "tool"), page.after[0],
                         page.after[1], page.limit + 1, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    int count = PQntuples(rows), shown = count < page.limit ? count : page.limit;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "executions");
    fd_jw_array(&w);
    for (int row = 0; row < shown; row++)
        write_execution(&w, rows, row);
    fd_jw_end_array(&w);
    const char *last[] = {shown > 0 ? db_text(rows, shown - 1, EXECUTIONS_CURSOR) : NULL,
                          shown > 0 ? db_text(rows, shown - 1, EXECUTIONS_ID) : NULL};
    page_next(&w, request, LIST, &page, count, last, 2);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(rows);
}

static const struct admin_route routes[] = {
    {"GET", "tools", ADMIN_STAFF, 0, list},
    {"POST", "tools", ADMIN_ADMIN, 0, create},
    {"GET", "tools/:name", ADMIN_STAFF, 0, show},
    {"PATCH", "tools/:name", ADMIN_ADMIN, 0, change_tool},
    {"DELETE", "tools/:name", ADMIN_ADMIN, 0, drop},
    {"POST", "tools/:name/test", ADMIN_ADMIN, 0, test},
    {"GET", "tool-executions", ADMIN_STAFF, 0, executions},
};

const struct admin_resource admin_tools = {routes, sizeof(routes) / sizeof(routes[0])};
