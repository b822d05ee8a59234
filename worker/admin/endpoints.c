/* Endpoints (ENG-11): what of an integration can be called; each is a tool to the model. */
#include "integration/endpoints.h"
#include "admin/field.h"
#include "admin/integrations.h"
#include "admin/list.h"
#include "admin/trial_reply.h"
#include "integration/endpoint_trial.h"

#define TEXT_MAX  2000
#define QUERY_MAX 16384

static const char none[] = "there is no such endpoint";
static const struct list endpoints = {.name = "endpoints", .write = endpoints_write};

/* -- of an integration ---------------------------------------------------------------------- */

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *rows;

    if (!integrations_exists(request, reply))
        return;
    enum db_status status = endpoints_list(request->db, request->org, request->ids[0], &rows);
    list_reply(request, reply, &endpoints, NULL, status, rows);
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    struct endpoint_new spec = {.name = fd_json_string(request->body, "name"),
                                .description = fd_json_string(request->body, "description"),
                                .method = fd_json_string(request->body, "method"),
                                .url = fd_json_string(request->body, "url"),
                                .query = fd_json_string(request->body, "query"),
                                .risk = fd_json_string(request->body, "risk"),
                                .bindings = fd_json_get(request->body, "bindings"),
                                .config = fd_json_get(request->body, "config")};
    struct tool_problem problem;
    struct fd_json_writer w;
    char id[SETTINGS_ID_SIZE];

    if (!field_object(request, reply, "parameters_schema", &spec.schema))
        return;
    enum db_status status =
        endpoints_add(request->db, request->org, request->ids[0], &spec, &problem, id);
    if (!integrations_went_well(request, reply, status, &problem))
        return;
    admin_settings_changed(request);
    reply->status = 201;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member(&w, "name", spec.name);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

/* -- one ------------------------------------------------------------------------------------ */

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *row;

    enum db_status status = endpoints_named(request->db, request->org, request->ids[0], &row);
    list_reply_one(request, reply, endpoints_write, status, row, none);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    const struct fd_json *enabled = fd_json_get(request->body, "enabled");
    struct endpoint_change to = {.description = fd_json_string(request->body, "description"),
                                 .method = fd_json_string(request->body, "method"),
                                 .url = fd_json_string(request->body, "url"),
                                 .query = fd_json_string(request->body, "query"),
                                 .risk = fd_json_string(request->body, "risk"),
                                 .bindings = fd_json_get(request->body, "bindings"),
                                 .config = fd_json_get(request->body, "config"),
                                 .enabled = enabled == NULL ? -1 : enabled->boolean};
    struct tool_problem problem;

    if (!field_object(request, reply, "parameters_schema", &to.schema))
        return;
    enum db_status status =
        endpoints_change(request->db, request->org, request->ids[0], &to, &problem);
    if (!integrations_went_well(request, reply, status, &problem))
        return;
    admin_settings_changed(request);
    show(request, reply);
}

static void remove_one(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status = endpoints_remove(request->db, request->org, request->ids[0], &found);

    if (!admin_found(reply, request, status, found, none))
        return;
    admin_settings_changed(request);
    reply->status = 204;
}

static void test(const struct admin_request *request, struct admin_reply *reply)
{
    struct trial run = {.language = fd_json_string(request->body, "language")};
    struct tool_problem problem = {0};
    const char *arguments = "{}";

    if (!field_object(request, reply, "arguments", &arguments))
        return;
    enum db_status status =
        endpoints_test(request->db, request->config, request->arena, request->org, request->ids[0],
                       arguments, &run, &problem);
    trial_reply(request, reply, status, &run, &problem);
}

/* -- the routes --------------------------------------------------------------------------- */

#define ENDPOINT                                                                                   \
    "{id: uuid, integration_id: uuid, integration: text, name: text, kind: endpoint|query,"        \
    " method: text, url: text, query: text|null, description: text, risk: text,"                   \
    " parameters_schema: json, bindings: json, config: json, enabled: bool,"                       \
    " integration_enabled: bool}"

#define CHANGE_FIELDS                                                                              \
    {"method", ADMIN_TEXT, .max = 10}, {"url", ADMIN_TEXT, .max = TEXT_MAX},                       \
        {"query", ADMIN_TEXT, .max = QUERY_MAX}, {"risk", ADMIN_TEXT, .max = 10},                  \
        {"bindings", ADMIN_OBJECT}, {"parameters_schema", ADMIN_OBJECT}, {"config", ADMIN_OBJECT},

static const struct admin_field new_fields[] = {
    {"name", ADMIN_TEXT, .required = true, .max = 64},
    {"description", ADMIN_TEXT, .required = true, .max = TEXT_MAX},
    CHANGE_FIELDS};
static const struct admin_field change_fields[] = {
    {"enabled", ADMIN_BOOL}, {"description", ADMIN_TEXT, .max = TEXT_MAX}, CHANGE_FIELDS};

static const struct admin_route routes[] = {
    {"GET", "integrations/:id/endpoints", ADMIN_STAFF, 0, list, .summary = "Its endpoints",
     .answer = "{endpoints: [" ENDPOINT "]}"},
    {"POST", "integrations/:id/endpoints", ADMIN_ADMIN, 0, create,
     .summary = "Adds an endpoint, which becomes a tool", .body = ADMIN_BODY(new_fields),
     .status = 201, .answer = "{id: uuid, name: text}"},
    {"GET", "endpoints/:name", ADMIN_STAFF, 0, show, .summary = "An endpoint", .answer = ENDPOINT},
    {"PATCH", "endpoints/:name", ADMIN_ADMIN, 0, change, .summary = "Changes an endpoint",
     .body = ADMIN_BODY(change_fields), .answer = ENDPOINT},
    {"DELETE", "endpoints/:name", ADMIN_ADMIN, 0, remove_one, .summary = "Removes an endpoint"},
    {"POST", "endpoints/:name/test", ADMIN_ADMIN, ADMIN_STEPS | ADMIN_WAITS | ADMIN_PRIVATE, test,
     .summary = "Calls an endpoint", .body = &trial_body, .answer = TRIAL_ANSWER},
};

const struct admin_resource admin_endpoints = {routes, sizeof(routes) / sizeof(routes[0])};
