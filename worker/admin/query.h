/* Query: the parameters behind the "?" of a request. */
#ifndef FD_ADMIN_QUERY_H
#define FD_ADMIN_QUERY_H

#include "core/arena.h"

#include <stdbool.h>

#define QUERY_PARAMETERS_MAX 64

struct query; /* what admin_request.query points at */

/* `text` may be NULL. False: a parameter is not well encoded, or there are too many. */
bool query_parse(struct arena *a, const char *text, struct query **query);

#endif
