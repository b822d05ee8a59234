/* The organisation that the caller acts in: its plan and limits, its name (ADM-2). */
#include "admin/organization.h"

#include "admin/field.h"
#include "admin/resources.h"

void organization_write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, ORGANIZATION_ID));
    fd_jw_member(w, "name", db_text(rows, row, ORGANIZATION_NAME));
    fd_jw_member(w, "domain", db_text(rows, row, ORGANIZATION_DOMAIN));
    fd_jw_member(w, "plan", db_text(rows, row, ORGANIZATION_PLAN));
    fd_jw_member(w, "status", db_text(rows, row, ORGANIZATION_STATUS));
    fd_jw_member(w, "created_at", db_text(rows, row, ORGANIZATION_CREATED_AT));
}

void organization_write_limits(struct fd_json_writer *w, const PGresult *row)
{
    fd_jw_key(w, "limits");
    fd_jw_object(w);
    fd_jw_member_int(w, "requests_per_minute", db_int(row, 0, ORGANIZATION_REQUESTS, 0));
    fd_jw_member_int(w, "concurrent_chats", db_int(row, 0, ORGANIZATION_CHATS, 0));
    fd_jw_member_int(w, "messages_per_month", db_int(row, 0, ORGANIZATION_MESSAGES, 0));
    fd_jw_member(w, "at_limit", db_text(row, 0, ORGANIZATION_AT_LIMIT));
    fd_jw_end_object(w);
}

PGresult *organization_find(const struct admin_request *request, struct admin_reply *reply,
                            const char *org)
{
    PGresult *row;

    enum db_status status = organization_get(request->db, org, &row);
    if (status == DB_OK && PQntuples(row) == 1)
        return row;
    PQclear(row);
    if (status == DB_OK || (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0'))
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    else
        admin_db_problem(reply, request, status);
    return NULL;
}

void organization_texts(const struct admin_request *request, struct organization_change *change)
{
    const struct fd_json *domain = fd_json_get(request->body, "domain");

    change->name = fd_json_string(request->body, "name");
    change->domain = domain != NULL && domain->type == FD_JSON_NULL
                         ? ""
                         : fd_json_string(request->body, "domain");
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *row = organization_find(request, reply, request->org);

    if (row == NULL)
        return;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    organization_write_row(&w, row, 0);
    organization_write_limits(&w, row);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(row);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct organization_change change = {0};
    bool found;

    organization_texts(request, &change);
    enum db_status status = organization_change(request->db, request->org, &change, &found);
    if (status != DB_OK) {
        field_refuse(request, reply, status);
        return;
    }
    admin_settings_changed(request);
    show(request, reply);
}

#define ORGANIZATION "{" ORGANIZATION_ROW ", " ORGANIZATION_LIMITS "}"

static const struct admin_field fields[] = {
    {"name", ADMIN_TEXT, .max = ORGANIZATION_NAME_MAX},
    {"domain", ADMIN_TEXT | ADMIN_NULL, .max = ORGANIZATION_DOMAIN_MAX},
};

static const struct admin_route routes[] = {
    {"GET", "organization", ADMIN_STAFF, 0, show,
     .summary = "The organisation that the caller acts in", .answer = ORGANIZATION},
    {"PATCH", "organization", ADMIN_ADMIN, 0, change, .summary = "Changes its name and domain",
     .body = ADMIN_BODY(fields), .answer = ORGANIZATION},
};

const struct admin_resource admin_organization = {routes, sizeof(routes) / sizeof(routes[0])};
