/* Calls of tools that wait for an operator (ENG-10): `frontdesk approvals` for a program. */
#include "admin/resources.h"

#include "chat/approval.h"
#include "protocol/ids.h"

#include <string.h>

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    const char *all = admin_query(request, "all");
    struct approval *rows;
    struct fd_json_writer w;
    size_t count;
    enum db_status status = approvals_list(request->db, request->arena, request->org,
                                           all != NULL && strcmp(all, "true") == 0, &rows, &count);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "approvals");
    approvals_write(&w, rows, count);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void decide(const struct admin_request *request, struct admin_reply *reply, bool approve)
{
    const char *id = request->ids[0];
    enum approval_verdict verdict;
    struct fd_json_writer w;
    if (!fd_uuid_valid(id, strlen(id))) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
        return;
    }
    enum db_status status =
        approval_decide(request->db, request->org, id, approve, request->actor, &verdict);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (verdict == APPROVAL_UNKNOWN) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    } else if (verdict == APPROVAL_CLOSED) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL,
                      "It was decided already, or it is too late.");
    } else {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        fd_jw_member(&w, "id", id);
        fd_jw_member(&w, "status", approve ? "approved" : "declined");
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    }
}

static void approve(const struct admin_request *request, struct admin_reply *reply)
{
    decide(request, reply, true);
}

static void decline(const struct admin_request *request, struct admin_reply *reply)
{
    decide(request, reply, false);
}

#define DECIDED "{id: uuid, status: approved|declined}"

static const struct admin_route routes[] = {
    {"GET", "approvals", ADMIN_STAFF, 0, list, .summary = "Calls that wait for an operator",
     .query = "{all?: true|false}",
     .answer = "{approvals: [{id: uuid, tool: text, summary: text|null, arguments: json,"
               " conversation_id: uuid|null, created_at: time, expires_at: time|null,"
               " status: text, decided_by: text|null}]}"},
    {"POST", "approvals/:id/approve", ADMIN_STAFF, 0, approve, .summary = "Lets a call be made",
     .answer = DECIDED},
    {"POST", "approvals/:id/decline", ADMIN_STAFF, 0, decline, .summary = "Refuses a call",
     .answer = DECIDED},
};

const struct admin_resource admin_approvals = {routes, sizeof(routes) / sizeof(routes[0])};
