/*
 * Deed: what a row of the audit log tells, in our words and not in those of the way it was done: a
 * verb and a kind of thing. People are told both as a sentence, in their language; filters go by
 * them. A route has them in its method and its path, commands and events name theirs.
 */
#ifndef FD_TENANT_DEED_H
#define FD_TENANT_DEED_H

#include "core/arena.h"

#include <stdbool.h>

struct deed {
    const char *kind; /* one of deed_kinds */
    const char *verb; /* one of deed_verbs */
};

/* All there are, NULL last. */
extern const char *const deed_kinds[];
extern const char *const deed_verbs[];

/* Of "PATCH" and "tools/:name": change, tools; of "POST" and "tools/:name/test": test, tools. In
 * the arena. */
struct deed deed_of_route(struct arena *a, const char *method, const char *pattern);

/* What was done to what, as a reader finds it again: "tools/order_status". `id` is that of the
 * path's first name; NULL: it has none. A place in a team is the team's. In the arena. */
const char *deed_thing(struct arena *a, const char *pattern, const char *id);
/* The same of what was made: `made` is the answer that tells of it, JSON. */
const char *deed_thing_made(struct arena *a, const char *kind, const char *made);

#endif
