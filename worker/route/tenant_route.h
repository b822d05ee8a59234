/* Tenant route: a question's route by the rules of its organisation, and what rules that
 * it has on trial would have decided. Pure. */
#ifndef FD_ROUTE_TENANT_ROUTE_H
#define FD_ROUTE_TENANT_ROUTE_H

#include "route/route.h"
#include "tenant/tenant.h"

void tenant_route(struct arena *a, const struct tenant *tenant, const struct route_input *input,
                  struct route *route);

#endif
