#include "admin/meters.h"

struct admin_meters admin_meters;

void admin_meters_register(void)
{
    admin_meters = (struct admin_meters){
        .requests =
            metric_register(METRIC_COUNTER, "frontdesk_admin_requests_total",
                            "Requests of the admin API that were answered, by status", "status"),
        .seconds = metric_register(METRIC_HISTOGRAM, "frontdesk_admin_request_seconds",
                                   "From the request to its reply", NULL),
        .running =
            metric_register(METRIC_GAUGE, "frontdesk_admin_running", "Requests in work", NULL),
        .pool_queue = metric_register(METRIC_GAUGE, "frontdesk_admin_pool_queue",
                                      "Requests that wait for a database thread", NULL),
    };
}
