/* Pending: who is to be told once a request's transaction has committed. */
#ifndef FD_ADMIN_PENDING_H
#define FD_ADMIN_PENDING_H

#include "admin/admin.h"

struct admin_pending {
    struct pending_tell *first;
};

/* Once, however often it is asked for. */
void pending_add(struct admin_pending *pending, struct arena *a, admin_tell_fn *tell, void *arg);
void pending_tell(const struct admin_pending *pending, const struct admin_request *request);

#endif
