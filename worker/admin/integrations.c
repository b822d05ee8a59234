/* Integrations (ENG-11): the operations of `frontdesk integration` for a program. Of
 * credentials the last four characters are all that ever comes back. */
#include "admin/integrations.h"

#include "admin/list.h"
#include "integration/journal.h"
#include "integration/probe.h"

#include <string.h>

#define TEXT_MAX 2000

static const char none[] = "there is no such integration";
static const struct list integrations = {.name = "integrations", .write = integrations_write};
static const struct list journal = {"calls", journal_write_entry, 1, {JOURNAL_ID}};

bool integrations_went_well(const struct admin_request *request, struct admin_reply *reply,
                            enum db_status status, const struct tool_problem *problem)
{
    const char *field = problem->field;

    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (field != NULL && (strcmp(field, "integration") == 0 || strcmp(field, "endpoint") == 0))
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, problem->text);
    else if (field != NULL)
        admin_problem(reply, request, FD_PROBLEM_FIELD, field, problem->text);
    return status == DB_OK && field == NULL;
}

bool integrations_exists(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *row;

    enum db_status status = integrations_list(request->db, request->org, request->ids[0], &row);
    bool found = status == DB_OK && PQntuples(row) > 0;
    PQclear(row);
    return admin_found(reply, request, status, found, none);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *rows;

    enum db_status status = integrations_list(request->db, request->org, NULL, &rows);
    list_reply(request, reply, &integrations, NULL, status, rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *row;

    enum db_status status = integrations_list(request->db, request->org, request->ids[0], &row);
    list_reply_one(request, reply, integrations_write, status, row, none);
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    struct integration_new spec = {.type = fd_json_string(request->body, "type"),
                                   .name = fd_json_string(request->body, "name"),
                                   .url = fd_json_string(request->body, "url"),
                                   .auth = fd_json_string(request->body, "auth"),
                                   .api_version = fd_json_string(request->body, "api_version"),
                                   .prefix = fd_json_string(request->body, "prefix"),
                                   .settings = fd_json_get(request->body, "settings"),
                                   .credentials = fd_json_get(request->body, "credentials")};
    struct tool_problem problem;
    char id[SETTINGS_ID_SIZE];

    enum db_status status =
        integrations_add(request->db, request->config, request->org, &spec, &problem, id);
    if (!integrations_went_well(request, reply, status, &problem))
        return;
    admin_settings_changed(request);
    admin_reply_id(reply, 201, id);
}

/* -1: it is not said. */
static int enabled(const struct admin_request *request)
{
    const struct fd_json *value = fd_json_get(request->body, "enabled");

    return value == NULL ? -1 : value->boolean ? 1 : 0;
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct integration_change spec = {.enabled = enabled(request),
                                      .settings = fd_json_get(request->body, "settings"),
                                      .credentials = fd_json_get(request->body, "credentials")};
    struct tool_problem problem;

    enum db_status status = integrations_change(request->db, request->config, request->org,
                                                request->ids[0], &spec, &problem);
    if (!integrations_went_well(request, reply, status, &problem))
        return;
    admin_settings_changed(request);
    show(request, reply);
}

static void remove_one(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status = integrations_remove(request->db, request->org, request->ids[0], &found);

    if (!admin_found(reply, request, status, found, none))
        return;
    admin_settings_changed(request);
    reply->status = 204;
}

static void test(const struct admin_request *request, struct admin_reply *reply)
{
    bool ok;
    enum db_status status = integration_probe(request->db, request->config, request->org,
                                              request->ids[0], &ok, &reply->body);

    if (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0')
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, db_error(request->db));
    else if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

static void calls(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &journal, &page) || !integrations_exists(request, reply))
        return;
    enum db_status status = journal_list(request->db, request->org, request->ids[0], page.after[0],
                                         page.limit + 1, &rows);
    list_reply(request, reply, &journal, &page, status, rows);
}

/* -- the routes --------------------------------------------------------------------------- */

#define INTEGRATION                                                                                \
    "{id: uuid, name: text, type: text, url: text, auth: text, enabled: bool, settings: object,"   \
    " credentials_last4: object, last_test: json, endpoints: int, created_at: time}"

static const struct admin_field new_fields[] = {
    {"type", ADMIN_TEXT, .required = true, .one_of = "shopify|woocommerce|custom_api|database"},
    {"name", ADMIN_TEXT, .required = true, .max = 100},
    {"url", ADMIN_TEXT, .required = true, .max = TEXT_MAX, .format = "uri"},
    {"auth", ADMIN_TEXT, .max = 20},
    {"api_version", ADMIN_TEXT, .max = 20},
    {"prefix", ADMIN_TEXT, .max = 40},
    {"settings", ADMIN_OBJECT},
    {"credentials", ADMIN_OBJECT},
};
static const struct admin_field change_fields[] = {
    {"enabled", ADMIN_BOOL},
    {"settings", ADMIN_OBJECT},
    {"credentials", ADMIN_OBJECT},
};
static const char *const computed[] = {"last_test", "endpoints", NULL};

static const struct admin_route routes[] = {
    {"GET", "integrations", ADMIN_STAFF, 0, list, .summary = "The integrations",
     .answer = "{integrations: [" INTEGRATION "]}"},
    {"POST", "integrations", ADMIN_ADMIN, 0, create, .summary = "Connects a shop, API or database",
     .body = ADMIN_BODY(new_fields), .status = 201, .answer = "{id: uuid}"},
    {"GET", "integrations/:id", ADMIN_STAFF, 0, show, .summary = "An integration",
     .answer = INTEGRATION, .computed = computed},
    {"PATCH", "integrations/:id", ADMIN_ADMIN, 0, change, .summary = "Changes an integration",
     .body = ADMIN_BODY(change_fields), .answer = INTEGRATION},
    {"DELETE", "integrations/:id", ADMIN_ADMIN, 0, remove_one, .summary = "Removes an integration"},
    {"POST", "integrations/:id/test", ADMIN_ADMIN, ADMIN_STEPS | ADMIN_WAITS, test,
     .summary = "Asks whether it answers",
     .answer = "{ok: bool, ms: int, checks: [{what: text, outcome: text, status: int, ms: int,"
               " detail: text|null, detail_reason: " ADMIN_REASON "}], sample: json}"},
    {"GET", "integrations/:id/calls", ADMIN_STAFF, 0, calls, .summary = "Its calls, newest first",
     .query = "{" PAGE_QUERY "}",
     .answer = "{calls: [{id: int, integration: text|null, endpoint: text|null,"
               " job_id: text|null, outcome: text, status: int, ms: int, bytes: int, cached: bool,"
               " detail: text|null, detail_reason: " ADMIN_REASON
               ", created_at: time}], " PAGE_ANSWER "}"},
};

const struct admin_resource admin_integrations = {routes, sizeof(routes) / sizeof(routes[0])};
