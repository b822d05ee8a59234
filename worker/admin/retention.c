/* GET and PUT retention (ENG-17): how many days an organisation keeps what. */
#include "tenant/retention.h"

#include "admin/admin.h"

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
    fd_jw_member_int(&w, "test_runs", due.test_runs);
    fd_jw_member_int(&w, "records", due.records);
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct retention_org *org;

    if (!read_org(request, reply, &org))
        return;
    int64_t messages = fd_json_int(request->body, "message_days", org->message_days);
    int64_t tools = fd_json_int(request->body, "tool_execution_days", org->tool_execution_days);
    enum db_status status = retention_set(request->db, request->org, (int)messages, (int)tools);
    if (status == DB_OK)
        show(request, reply);
    else
        admin_db_problem(reply, request, status);
}

#define RETENTION                                                                                  \
    "{message_days: int, tool_execution_days: int,"                                                \
    " due: {messages: int, conversations: int, jobs: int, tool_executions: int, test_runs: int,"   \
    " records: int}}"

static const struct admin_field fields[] = {
    {"message_days", ADMIN_INT, .min = RETENTION_DAYS_MIN, .max = RETENTION_DAYS_MAX},
    {"tool_execution_days", ADMIN_INT, .min = RETENTION_DAYS_MIN, .max = RETENTION_DAYS_MAX},
};
static const char *const computed[] = {"due", NULL};

static const struct admin_route routes[] = {
    {"GET", "retention", ADMIN_STAFF, 0, show, .summary = "How long what is kept",
     .answer = RETENTION, .computed = computed},
    {"PUT", "retention", ADMIN_ADMIN, 0, change, .summary = "Changes how long what is kept",
     .body = ADMIN_BODY(fields), .answer = RETENTION},
};

const struct admin_resource admin_retention = {routes, sizeof(routes) / sizeof(routes[0])};
