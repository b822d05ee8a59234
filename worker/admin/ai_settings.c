/* GET and PUT ai-settings: what an organisation sets of its assistant (ENG-3). */
#include "tenant/ai_settings.h"

#include "admin/admin.h"

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status = ai_settings_read(request->db, request->org, &reply->body);

    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    }
}

/* Members that are not sent stay as they are. */
static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct ai_fault fault;

    enum db_status status =
        ai_settings_change(request->db, request->org, request->body, &fault, &reply->body);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (fault.detail[0] != '\0') {
        admin_problem(reply, request, FD_PROBLEM_FIELD, fault.field, fault.detail);
    } else {
        admin_settings_changed(request);
    }
}

static const struct admin_route routes[] = {
    {"GET", "ai-settings", ADMIN_STAFF, 0, show},
    {"PUT", "ai-settings", ADMIN_ADMIN, 0, change},
};

const struct admin_resource admin_ai_settings = {routes, sizeof(routes) / sizeof(routes[0])};
