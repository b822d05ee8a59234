/* Router: from a method and a path to a route and what its names stand for. Pure. */
#ifndef FD_ADMIN_ROUTER_H
#define FD_ADMIN_ROUTER_H

#include "admin/admin.h"

#define ROUTER_PREFIX "/api/admin/"

enum router_verdict {
    ROUTER_FOUND,
    ROUTER_NO_PATH,
    ROUTER_NO_METHOD, /* the path takes `allow` */
};

struct router_match {
    const struct admin_route *route;
    const char *ids[ADMIN_IDS_MAX];
    char allow[64]; /* "GET, HEAD, DELETE" */
};

/* `path` as it was sent, without the query; GET answers HEAD too. Of two patterns that
 * both fit, the one with fewer names wins. */
enum router_verdict router_find(struct arena *a, const struct admin_resource *const *resources,
                                size_t count, const char *method, const char *path,
                                struct router_match *match);

/* "%C3%A9" in `len` bytes of s, decoded into `a`; NULL: malformed, a NUL, not UTF-8.
 * `plus`: "+" is a space, as in a query. */
char *router_decode(struct arena *a, const char *s, size_t len, bool plus);

#endif
