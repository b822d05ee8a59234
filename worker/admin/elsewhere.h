/*
 * Elsewhere: the parameter `organization` of a list: whose rows are meant, where that is not the
 * organisation that the caller acts in. It is the platform's owner's; to everybody else every
 * organisation is refused in the same words, whether there is such a one or not.
 */
#ifndef FD_ADMIN_ELSEWHERE_H
#define FD_ADMIN_ELSEWHERE_H

#include "admin/admin.h"

/* In the shape of a query. */
#define ELSEWHERE_QUERY "organization?: uuid|all"

struct elsewhere {
    const char *name; /* as it was given; NULL: the caller's own is meant */
    const char *org;  /* uuid; NULL: all, or the caller's own */
};

/* False: the reply holds the problem. */
bool elsewhere_read(const struct admin_request *request, struct admin_reply *reply,
                    struct elsewhere *elsewhere);
/* Of what is of the caller's own alone. True: it was asked of another, and the reply refuses. */
bool elsewhere_refuse(const struct admin_request *request, struct admin_reply *reply);

#endif
