/* Tools (ENG-10): the catalogue, what the organisation enabled, its own tools, test runs and
 * the log of executions; `frontdesk tool` for a program. */
#include "admin/field.h"
#include "admin/page.h"
#include "tool/settings_json.h"

#include <string.h>

#define TEXT_MAX   4000
#define SECRET_MAX 1024
#define URL_MAX    2048
#define LIST       "tool-executions"

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
        tools_write(&w, rows, row);
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
        tools_write(&w, rows, 0);
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
        tools_write_test(&w, &run);
        buf_json_end(&reply->body, &w);
    }
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
        tools_write_execution(&w, rows, row);
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
