/* Tools (ENG-10): the catalogue, what the organisation enabled, its own tools, test runs and
 * the log of executions; `frontdesk tool` for a program. */
#include "admin/field.h"
#include "admin/list.h"
#include "admin/trial_reply.h"
#include "tool/settings_json.h"

#include <string.h>

#define TEXT_MAX   4000
#define SECRET_MAX 1024
#define URL_MAX    2048

static const char none[] = "there is no such tool";
static const struct list tools = {.name = "tools", .write = tools_write};
static const struct list runs = {
    "executions", tools_write_execution, 2, {EXECUTIONS_CURSOR, EXECUTIONS_ID}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *rows;

    enum db_status status = tools_list(request->db, request->org, NULL, &rows);
    list_reply(request, reply, &tools, NULL, status, rows);
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
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, none);
    }
    PQclear(rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    reply_tool(request, reply, request->ids[0], "");
}

/* -- changes ---------------------------------------------------------------------------------- */

/* A text sets it, null removes it; true makes one. */
static bool take_secret(const struct admin_request *request, struct admin_reply *reply,
                        const char *name, enum tool_secret *what, const char **text)
{
    const struct fd_json *value = fd_json_get(request->body, name);

    if (value == NULL)
        return true;
    if (value->type == FD_JSON_BOOL && !value->boolean) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, name,
                      "a text, true or null would be right");
        return false;
    }
    *what = value->type == FD_JSON_NULL   ? TOOL_SECRET_REMOVE
            : value->type == FD_JSON_BOOL ? TOOL_SECRET_MAKE
                                          : TOOL_SECRET_SET;
    *text = value->text;
    return true;
}

static bool take_change(const struct admin_request *request, struct admin_reply *reply,
                        struct tool_change *c)
{
    const struct fd_json *body = request->body, *enabled = fd_json_get(body, "enabled");
    const char *kind = fd_json_string(body, "reply");

    c->risk = fd_json_string(body, "risk");
    c->description = fd_json_string(body, "description");
    c->url = fd_json_string(body, "url");
    c->token_header = fd_json_string(body, "token_header");
    c->timeout_ms = (int)fd_json_int(body, "timeout_ms", -1);
    if (enabled != NULL)
        c->enabled = enabled->boolean;
    if (kind != NULL)
        c->acknowledgement = strcmp(kind, "none") == 0;
    return field_object(request, reply, "parameters_schema", &c->parameters) &&
           field_object(request, reply, "bindings", &c->bindings) &&
           field_object(request, reply, "config", &c->config) &&
           take_secret(request, reply, "signing_secret", &c->secret, &c->secret_value) &&
           take_secret(request, reply, "token", &c->token, &c->token_value);
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
    change.name = fd_json_string(request->body, "name");
    if (!take_change(request, reply, &change) ||
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
    if (!take_change(request, reply, &change) ||
        !look_up(request, reply, change.name, &known, &taken_up))
        return;
    if (known)
        save(request, reply, &change, 200);
    else
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, none);
}

static void drop(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;

    enum db_status status = tools_remove(request->db, request->org, request->ids[0], &found);
    if (!admin_found(reply, request, status, found, none))
        return;
    admin_settings_changed(request);
    reply->status = 204;
}

/* -- test runs and the log -------------------------------------------------------------------- */

static void test(const struct admin_request *request, struct admin_reply *reply)
{
    struct trial run = {.allow = request->config->outbound_allow,
                        .language = fd_json_string(request->body, "language")};
    struct tool_problem problem = {0};
    const char *arguments = "{}";

    if (!field_object(request, reply, "arguments", &arguments))
        return;
    enum db_status status = tools_test(request->db, request->arena, request->org, request->ids[0],
                                       arguments, &run, &problem);
    trial_reply(request, reply, status, &run, &problem);
}

static void executions(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &runs, &page))
        return;
    enum db_status status =
        tools_executions(request->db, request->org, admin_query(request, "tool"), page.after[0],
                         page.after[1], page.limit + 1, &rows);
    list_reply(request, reply, &runs, &page, status, rows);
}

/* -- the routes ------------------------------------------------------------------------------- */

#define TOOL                                                                                       \
    "{name: text, origin: text, category: text, enabled: bool, risk: text, description: text,"     \
    " parameters_schema: json, url: text|null, bindings: json, timeout_ms: int,"                   \
    " reply: data|none, signed: bool, token_header: text|null, config: json,"                      \
    " updated_at: time|null"

#define CHANGE_FIELDS                                                                              \
    {"enabled", ADMIN_BOOL}, {"risk", ADMIN_TEXT, .max = 8},                                       \
        {"description", ADMIN_TEXT, .max = TEXT_MAX},                                              \
        {"url", ADMIN_TEXT, .max = URL_MAX, .format = "uri"}, {"bindings", ADMIN_OBJECT},          \
        {"timeout_ms", ADMIN_INT, .min = 100, .max = 30000}, {"parameters_schema", ADMIN_OBJECT},  \
        {"reply", ADMIN_TEXT, .one_of = "data|none"}, {"token_header", ADMIN_TEXT, .max = 64},     \
        {"token", ADMIN_TEXT | ADMIN_NULL, .max = SECRET_MAX},                                     \
        {"signing_secret", ADMIN_TEXT | ADMIN_NULL | ADMIN_BOOL, .max = SECRET_MAX,                \
         .note = "true makes one, which is told this once; null removes it"},                      \
        {"config", ADMIN_OBJECT},

static const struct admin_field new_fields[] = {{"name", ADMIN_TEXT, .required = true, .max = 64},
                                                CHANGE_FIELDS};
static const struct admin_field change_fields[] = {CHANGE_FIELDS};
static const struct admin_route routes[] = {
    {"GET", "tools", ADMIN_STAFF, 0, list, .summary = "The catalogue and the own tools",
     .answer = "{tools: [" TOOL "}]}"},
    {"POST", "tools", ADMIN_ADMIN, 0, create, .summary = "Enables a tool, or makes an own one",
     .body = ADMIN_BODY(new_fields), .status = 201, .answer = TOOL ", signing_secret?: text}"},
    {"GET", "tools/:name", ADMIN_STAFF, 0, show, .summary = "A tool", .answer = TOOL "}"},
    {"PATCH", "tools/:name", ADMIN_ADMIN, 0, change_tool, .summary = "Changes a tool",
     .body = ADMIN_BODY(change_fields), .answer = TOOL ", signing_secret?: text}"},
    {"DELETE", "tools/:name", ADMIN_ADMIN, 0, drop,
     .summary = "Removes an own tool, or its settings"},
    {"POST", "tools/:name/test", ADMIN_ADMIN, ADMIN_STEPS | ADMIN_WAITS | ADMIN_PRIVATE, test,
     .summary = "Runs a tool", .body = &trial_body, .answer = TRIAL_ANSWER},
    {"GET", "tool-executions", ADMIN_STAFF, 0, executions, .summary = "What was run, newest first",
     .query = "{" PAGE_QUERY ", tool?: text}",
     .answer = "{executions: [{id: uuid, created_at: time, tool: text, status: text,"
               " failure: text|null, http_status: int, ms: int, detail: text|null, "
               "detail_reason: " ADMIN_REASON ","
               " conversation_id: uuid|null, job_id: text|null, approved_by: text|null,"
               " arguments: json, response: json}], " PAGE_ANSWER "}"},
};

const struct admin_resource admin_tools = {routes, sizeof(routes) / sizeof(routes[0])};
