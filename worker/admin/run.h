/*
 * Run: what surrounds a handler, whichever resource it is of. A body is checked against the
 * route's schema. A change, the row in the audit log that tells of it, the look at what
 * If-Match names and the answer that an Idempotency-Key keeps are one transaction: all of it
 * is there afterwards or nothing. Others are told after the commit.
 *
 * A route that cannot be one (ADMIN_STEPS) has two rows: the first is there before anything
 * is done, so that nothing is done without a trace. What it has done is answered, and its
 * Idempotency-Key is used up, even where the second cannot be written.
 */
#ifndef FD_ADMIN_RUN_H
#define FD_ADMIN_RUN_H

#include "admin/admin.h"

/* On a pool thread. */
void run_route(const struct admin_route *route, const struct admin_request *request,
               struct admin_reply *reply);

#endif
