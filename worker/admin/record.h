/*
 * Record: every change leaves a row in the audit log, whichever resource made it: who,
 * what, from where, and what was there before and after - as the same path's GET shows it,
 * which shows no secret.
 */
#ifndef FD_ADMIN_RECORD_H
#define FD_ADMIN_RECORD_H

#include "admin/admin.h"

/* Runs the route's handler. */
void record_run(const struct admin_route *route, const struct admin_request *request,
                struct admin_reply *reply);
/* What a handler does of itself, a sign-in for one. `after` may be NULL. */
void record_event(const struct admin_request *request, const char *org, const char *actor,
                  const char *action, const char *target, const char *after);

#endif
