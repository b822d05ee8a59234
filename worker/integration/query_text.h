/* Query_text: a named query with its arguments, "... WHERE number = {order_number}", as
 * PostgreSQL takes it: $1, $2, and their values beside it, never in it. Pure. */
#ifndef FD_INTEGRATION_QUERY_TEXT_H
#define FD_INTEGRATION_QUERY_TEXT_H

#include "core/arena.h"
#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>

#define QUERY_TEXT_MAX   16384
#define QUERY_PARAMS_MAX 32

struct query_text {
    const char *sql;
    const char *names[QUERY_PARAMS_MAX];
    size_t count;
};

/* False: error says what is wrong; it has to be one SELECT, WITH, VALUES or TABLE. Braces
 * in quotes and comments are not arguments. */
bool query_text_read(struct arena *a, const char *text, struct query_text *query, char error[256]);
/* The values in the order of query->names; NULL where an argument is missing. False: one
 * is neither a text nor a number nor a boolean. */
bool query_text_bind(struct arena *a, const struct query_text *query,
                     const struct fd_json *arguments, const char *values[QUERY_PARAMS_MAX],
                     char error[256]);

#endif
