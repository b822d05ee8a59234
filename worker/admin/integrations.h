/* Integrations: what the resources `integrations` and `endpoints` have in common. */
#ifndef FD_ADMIN_INTEGRATIONS_H
#define FD_ADMIN_INTEGRATIONS_H

#include "admin/admin.h"
#include "integration/settings.h"

/* Did an operation go well? False: the reply says what is wrong, or that there is no such
 * integration or endpoint. */
bool integrations_went_well(const struct admin_request *request, struct admin_reply *reply,
                            enum db_status status, const struct tool_problem *problem);
/* Is there one with the path's first id? False: the reply says so. */
bool integrations_exists(const struct admin_request *request, struct admin_reply *reply);

#endif
