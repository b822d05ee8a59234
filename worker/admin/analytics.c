/* GET analytics (ADM-6): the figures of a period, and of the one before it. */
#include "tenant/analytics.h"

#include "admin/admin.h"

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct analytics_period period;
    const char *field, *detail;

    if (!analytics_period_read(admin_query(request, "from"), admin_query(request, "to"), &period,
                               &field, &detail)) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, field, detail);
        return;
    }
    enum db_status status = analytics_json(request->db, request->org, &period, &reply->body);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

static const struct admin_route routes[] = {
    {"GET", "analytics", ADMIN_STAFF, 0, show},
};

const struct admin_resource admin_analytics = {routes, sizeof(routes) / sizeof(routes[0])};
