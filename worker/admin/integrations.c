/* Integrations (ENG-11): the operations of `frontdesk integration` for a program. Of
 * credentials the last four characters are all that ever comes back. */
#include "admin/page.h"
#include "integration/journal.h"
#include "integration/probe.h"
#include "integration/settings.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 2000
#define CALLS    "integration-calls"

static void problem_of(const struct admin_request *request, struct admin_reply *reply,
                       const struct tool_problem *problem)
{
    bool unknown = strcmp(problem->field, "integration") == 0;

    admin_problem(reply, request, unknown ? FD_PROBLEM_NOT_FOUND : FD_PROBLEM_FIELD,
                  unknown ? NULL : problem->field, problem->text);
}

/* False: the reply says what is wrong. */
static bool went_well(const struct admin_request *request, struct admin_reply *reply,
                      enum db_status status, const struct tool_problem *problem)
{
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (problem->field != NULL)
        problem_of(request, reply, problem);
    return status == DB_OK && problem->field == NULL;
}

static bool was_found(const struct admin_request *request, struct admin_reply *reply,
                      enum db_status status, bool found, const char *what)
{
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (!found)
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, what);
    return status == DB_OK && found;
}

/* An operation's JSON is the member of an object. */
static void reply_list(const struct admin_request *request, struct admin_reply *reply,
                       enum db_status status, const char *member, struct buf *json)
{
    struct fd_json_writer w;

    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        fd_jw_key(&w, member);
        fd_jw_raw(&w, json->data, json->len);
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    }
    buf_free(json);
}

static void reply_id(struct admin_reply *reply, const char *id)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 201;
}

/* -- integrations ---------------------------------------------------------------------- */

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct buf json;

    buf_init(&json, reply->body.max);
    enum db_status status = integrations_list(request->db, request->org, NULL, &json);
    reply_list(request, reply, status, "integrations", &json);
}

/* The integration of the path, an array of one. False: the reply says that there is none. */
static bool find(const struct admin_request *request, struct admin_reply *reply, struct buf *json)
{
    buf_init(json, reply->body.max);
    enum db_status status = integrations_list(request->db, request->org, request->ids[0], json);
    bool found = was_found(request, reply, status, json->len > 2, "there is no such integration");
    if (!found)
        buf_free(json);
    return found;
}

static bool exists(const struct admin_request *request, struct admin_reply *reply)
{
    struct buf json;

    bool found = find(request, reply, &json);
    if (found)
        buf_free(&json);
    return found;
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct buf json;

    if (!find(request, reply, &json))
        return;
    buf_append(&reply->body, json.data + 1, json.len - 2);
    buf_free(&json);
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
    if (!went_well(request, reply, status, &problem))
        return;
    admin_settings_changed(request);
    reply_id(reply, id);
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
    if (!went_well(request, reply, status, &problem))
        return;
    admin_settings_changed(request);
    show(request, reply);
}

static void remove_one(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status = integrations_remove(request->db, request->org, request->ids[0], &found);

    if (!was_found(request, reply, status, found, "there is no such integration"))
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
    struct fd_json_writer w;
    PGresult *rows;

    if (!page_read(request, reply, CALLS, 1, &page) || !exists(request, reply))
        return;
    enum db_status status = journal_page(request->db, request->org, request->ids[0], page.after[0],
                                         page.limit + 1, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    int count = PQntuples(rows), shown = count < page.limit ? count : page.limit;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "calls");
    fd_jw_array(&w);
    for (int row = 0; row < shown; row++) {
        fd_jw_object(&w);
        journal_write_row(&w, rows, row);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    const char *last = shown > 0 ? db_text(rows, shown - 1, JOURNAL_ID) : NULL;
    page_next(&w, request, CALLS, &page, count, &last, 1);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(rows);
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
