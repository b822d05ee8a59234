/* All organisations, for the platform's owner (ADM-2): made, looked through, switched off. */
#include "admin/field.h"
#include "admin/list.h"
#include "admin/organization.h"
#include "admin/record.h"
#include "admin/resources.h"
#include "admin/session_reply.h"
#include "protocol/limits.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX 100
#define PLAN_MAX  64

static void write_figures(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member_int(w, "conversations_30d", db_int(rows, row, ORGANIZATION_CONVERSATIONS_30D, 0));
    fd_jw_key(w, "cost_usd_month");
    fd_jw_double(w, (double)db_int(rows, row, ORGANIZATION_COST_MICRO_MONTH, 0) / 1e6);
}

static void write_listed(struct fd_json_writer *w, const PGresult *rows, int row)
{
    organization_write_row(w, rows, row);
    write_figures(w, rows, row);
}

static const struct list organizations = {
    "organizations", write_listed, 2, {ORGANIZATION_NAME, ORGANIZATION_ID}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct organization_query query = {.words = admin_query(request, "q"),
                                       .status = admin_query(request, "status")};
    struct page page;
    PGresult *rows;

    if (query.words != NULL && query.words[0] == '\0')
        query.words = NULL;
    if (query.words != NULL && strlen(query.words) > WORDS_MAX) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "q",
                      "at most 100 bytes would be right");
        return;
    }
    if (query.status != NULL && strcmp(query.status, "active") != 0 &&
        strcmp(query.status, "disabled") != 0) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "status",
                      "active or disabled would be right");
        return;
    }
    if (!list_page(request, reply, &organizations, &page))
        return;
    query.after_name = page.after[0];
    query.after_id = page.after[1];
    enum db_status status = organization_list(request->db, &query, page.limit + 1, &rows);
    list_reply(request, reply, &organizations, &page, status, rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *row = organization_find(request, reply, request->ids[0]);

    if (row == NULL)
        return;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    organization_write_row(&w, row, 0);
    organization_write_limits(&w, row);
    write_figures(&w, row, 0);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(row);
}

/* The only time that the secret key is told. */
static void reply_made(struct admin_reply *reply, const char *id,
                       const struct organization_keys *keys)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member(&w, "publishable_key", keys->publishable);
    fd_jw_member(&w, "secret_key", keys->secret);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 201;
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    const struct fd_json *body = request->body;
    struct organization_new made = {.name = fd_json_string(body, "name"),
                                    .domain = fd_json_string(body, "domain"),
                                    .plan = fd_json_string(body, "plan"),
                                    .language = fd_json_string(body, "language")};
    struct organization_keys keys;
    char id[37];

    made.origin_count = field_texts(request, "origins", &made.origins);
    enum db_status status = organization_create(request->db, &made, id, &keys);
    if (status == DB_OK)
        status = record_elsewhere(request, id, "create", NULL);
    if (status != DB_OK) {
        sodium_memzero(&keys, sizeof(keys));
        field_refuse(request, reply, status);
        return;
    }
    admin_organization_changed(request, id);
    reply_made(reply, id, &keys);
    sodium_memzero(&keys, sizeof(keys));
}

/* Whoever switches off his own would not come back to switch it on. */
static bool may_disable(const struct admin_request *request, struct admin_reply *reply)
{
    char home[37];

    if (!session_home(request, reply, home))
        return false;
    if (strcasecmp(home, request->ids[0]) != 0)
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, "status",
                  "nobody disables the organization that he is a user of");
    return false;
}

/* Its own log has what was changed, as that of whoever changed it. */
static void note_change(const struct admin_request *request, struct admin_reply *reply)
{
    const char *after = arena_strndup(request->arena, reply->body.data, reply->body.len);

    if (strcasecmp(request->ids[0], request->org) == 0)
        return;
    enum db_status status = record_elsewhere(request, request->ids[0], "change", after);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct organization_change change = {.plan = fd_json_string(request->body, "plan"),
                                         .status = fd_json_string(request->body, "status")};
    const char *org = request->ids[0];
    bool found;

    organization_texts(request, &change);
    if (change.status != NULL && strcmp(change.status, "disabled") == 0 &&
        !may_disable(request, reply))
        return;
    enum db_status status = organization_change(request->db, org, &change, &found);
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (!found) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    } else {
        admin_organization_changed(request, org);
        show(request, reply);
        if (reply->status == 200)
            note_change(request, reply);
    }
}

#define FIGURES "conversations_30d: int, cost_usd_month: number"
#define DETAILS "{" ORGANIZATION_ROW ", " ORGANIZATION_LIMITS ", " FIGURES "}"

static const struct admin_field new_fields[] = {
    {"name", ADMIN_TEXT, .required = true, .max = ORGANIZATION_NAME_MAX},
    {"domain", ADMIN_TEXT, .max = ORGANIZATION_DOMAIN_MAX,
     .note = "of its site; the publishable key works there unless origins are given"},
    {"plan", ADMIN_TEXT, .max = PLAN_MAX, .note = "free unless given"},
    {"language", ADMIN_TEXT, .max = FD_LANGUAGE_MAX, .note = "en unless given"},
    {"origins", ADMIN_TEXTS, .max = ORGANIZATION_ORIGINS_MAX},
};
static const struct admin_field change_fields[] = {
    {"name", ADMIN_TEXT, .max = ORGANIZATION_NAME_MAX},
    {"domain", ADMIN_TEXT | ADMIN_NULL, .max = ORGANIZATION_DOMAIN_MAX},
    {"plan", ADMIN_TEXT, .max = PLAN_MAX},
    {"status", ADMIN_TEXT, .one_of = "active|disabled",
     .note = "disabled: keys stop, sessions and open answers end"},
};
static const char *const computed[] = {"conversations_30d", "cost_usd_month", NULL};

static const struct admin_route routes[] = {
    {"GET", "organizations", ADMIN_SUPERADMIN, ADMIN_USER, list,
     .summary = "All organisations, by name",
     .query = "{" PAGE_QUERY ", q?: text, status?: active|disabled}",
     .answer = "{organizations: [{" ORGANIZATION_ROW ", " FIGURES "}], " PAGE_ANSWER "}"},
    {"POST", "organizations", ADMIN_SUPERADMIN, ADMIN_USER, create,
     .summary = "Makes an organisation; its secret key is told this once",
     .body = ADMIN_BODY(new_fields), .status = 201,
     .answer = "{id: uuid, publishable_key: text, secret_key: text}"},
    {"GET", "organizations/:id", ADMIN_SUPERADMIN, ADMIN_USER, show, .summary = "An organisation",
     .answer = DETAILS, .computed = computed},
    {"PATCH", "organizations/:id", ADMIN_SUPERADMIN, ADMIN_USER, change,
     .summary = "Changes an organisation, or switches it off or on",
     .body = ADMIN_BODY(change_fields), .answer = DETAILS},
};

const struct admin_resource admin_organizations = {routes, sizeof(routes) / sizeof(routes[0])};
