/* GET and PUT business-info: what an organisation says of itself (ENG-12). */
#include "tenant/business_settings.h"

#include "admin/admin.h"

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status = business_settings_read(request->db, request->org, &reply->body);

    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

/* Members that are not sent stay as they are. */
static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct ai_fault fault;

    enum db_status status =
        business_settings_change(request->db, request->org, request->body, &fault, &reply->body);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (fault.detail[0] != '\0')
        admin_problem(reply, request, FD_PROBLEM_FIELD, fault.field, fault.detail);
    else
        admin_settings_changed(request);
}

static const struct admin_route routes[] = {
    {"GET", "business-info", ADMIN_STAFF, 0, show},
    {"PUT", "business-info", ADMIN_ADMIN, 0, change},
};

const struct admin_resource admin_business_info = {routes, sizeof(routes) / sizeof(routes[0])};
