/* GET organization: whose key this is, its plan and its limits. */
#include "admin/admin.h"

static const struct db_statement read_row = {
    "admin_organization",
    "SELECT o.name, o.domain, o.plan_type, o.status,"
    "       to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       coalesce((o.limits->>'requests_per_minute')::int, p.requests_per_minute),"
    "       coalesce((o.limits->>'concurrent_chats')::int, p.concurrent_chats),"
    "       coalesce((o.limits->>'messages_per_month')::int, p.messages_per_month),"
    "       coalesce(o.limits->>'at_limit', p.at_limit)"
    "  FROM organizations o JOIN plans p USING (plan_type) WHERE o.id = $1",
    1};

static void write_row(struct fd_json_writer *w, const char *org, const PGresult *row)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", org);
    fd_jw_member(w, "name", db_text(row, 0, 0));
    fd_jw_member(w, "domain", db_text(row, 0, 1));
    fd_jw_member(w, "plan", db_text(row, 0, 2));
    fd_jw_member(w, "status", db_text(row, 0, 3));
    fd_jw_member(w, "created_at", db_text(row, 0, 4));
    fd_jw_key(w, "limits");
    fd_jw_object(w);
    fd_jw_member_int(w, "requests_per_minute", db_int(row, 0, 5, 0));
    fd_jw_member_int(w, "concurrent_chats", db_int(row, 0, 6, 0));
    fd_jw_member_int(w, "messages_per_month", db_int(row, 0, 7, 0));
    fd_jw_member(w, "at_limit", db_text(row, 0, 8));
    fd_jw_end_object(w);
    fd_jw_end_object(w);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *row;

    enum db_status status = db_query(request->db, request->org, &read_row, &request->org, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (PQntuples(row) == 1) {
        buf_json(&reply->body, &w);
        write_row(&w, request->org, row);
        buf_json_end(&reply->body, &w);
    } else {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    }
    PQclear(row);
}

static const struct admin_route routes[] = {
    {"GET", "organization", ADMIN_STAFF, 0, show},
};

const struct admin_resource admin_organization = {routes, sizeof(routes) / sizeof(routes[0])};
