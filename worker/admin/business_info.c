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

#define INFO                                                                                       \
    "{hours?: text|null, timezone?: text|null, currency?: text|null, shipping_zones?: json,"       \
    " contact?: json, tone?: text|null, hours_understood: bool}"

static const struct admin_field fields[] = {
    {"hours", ADMIN_TEXT | ADMIN_NULL},
    {"timezone", ADMIN_TEXT | ADMIN_NULL, .note = "a name of the IANA data base"},
    {"currency", ADMIN_TEXT | ADMIN_NULL, .note = "three letters of ISO 4217"},
    {"shipping_zones", ADMIN_TEXT | ADMIN_TEXTS | ADMIN_NULL},
    {"contact", ADMIN_TEXT | ADMIN_OBJECT | ADMIN_NULL},
    {"tone", ADMIN_TEXT | ADMIN_NULL},
};

static const struct admin_route routes[] = {
    {"GET", "business-info", ADMIN_STAFF, 0, show,
     .summary = "What the organisation says of itself", .answer = INFO},
    {"PUT", "business-info", ADMIN_ADMIN, 0, change,
     .summary = "Changes what is sent; null takes a member away", .body = ADMIN_BODY(fields),
     .answer = INFO},
};

const struct admin_resource admin_business_info = {routes, sizeof(routes) / sizeof(routes[0])};
