/* GET and PUT retention (ENG-17): how many days an organisation keeps what. */
#include "tenant/retention.h"

#include "admin/admin.h"
#include "admin/field.h"

static bool read_org(const struct admin_request *request, struct admin_reply *reply,
                     struct retention_org **org)
{
    size_t count;

    enum db_status status = retention_orgs(request->db, request->arena, request->org, org, &count);
    if (status == DB_OK && count == 1)
        return true;
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    return false;
}

/* With what is older now, and goes with the next run. */
static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct retention_counts due = {0};
    struct retention_org *org;
    struct fd_json_writer w;

    if (!read_org(request, reply, &org))
        return;
    enum db_status status = retention_count(request->db, org, &due);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member_int(&w, "message_days", org->message_days);
    fd_jw_member_int(&w, "tool_execution_days", org->tool_execution_days);
    fd_jw_key(&w, "due");
    fd_jw_object(&w);
    fd_jw_member_int(&w, "messages", due.messages);
    fd_jw_member_int(&w, "conversations", due.conversations);
    fd_jw_member_int(&w, "jobs", due.jobs);
    fd_jw_member_int(&w, "tool_executions", due.tool_executions);
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"message_days", "tool_execution_days", NULL};
    struct retention_org *org;
    int64_t messages, tools;

    if (!field_known(request, reply, known) || !read_org(request, reply, &org) ||
        !field_int(request, reply, "message_days", RETENTION_DAYS_MIN, RETENTION_DAYS_MAX,
                   org->message_days, &messages) ||
        !field_int(request, reply, "tool_execution_days", RETENTION_DAYS_MIN, RETENTION_DAYS_MAX,
                   org->tool_execution_days, &tools))
        return;
    enum db_status status = retention_set(request->db, request->org, (int)messages, (int)tools);
    if (status == DB_OK)
        show(request, reply);
    else
        admin_db_problem(reply, request, status);
}

static const struct admin_route routes[] = {
    {"GET", "retention", ADMIN_STAFF, 0, show},
    {"PUT", "retention", ADMIN_ADMIN, 0, change},
};

const struct admin_resource admin_retention = {routes, sizeof(routes) / sizeof(routes[0])};
