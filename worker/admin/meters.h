/* Meters: what the admin API counts and measures (OPS-3); registered once at start. */
#ifndef FD_ADMIN_METERS_H
#define FD_ADMIN_METERS_H

#include "core/metrics.h"

struct admin_meters {
    struct metric *requests; /* by status: "2xx" */
    struct metric *seconds;
    struct metric *running;
    struct metric *pool_queue;
};

extern struct admin_meters admin_meters;

void admin_meters_register(void);

#endif
