/*
 * Query: a named query on a client's own PostgreSQL: one statement, in a read-only
 * transaction, with a time limit, at most so many rows and bytes, on an address that
 * was judged. Blocks: for threads of its own and for commands.
 */
#ifndef FD_INTEGRATION_QUERY_H
#define FD_INTEGRATION_QUERY_H

#include "core/arena.h"
#include "integration/integration.h"
#include "tool/tool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY_MS        8000
#define QUERY_ROWS_MAX  100
#define QUERY_BYTES_MAX 131072 /* of the rows */

struct query_result {
    enum tool_failure failure;
    const char *json; /* {"rows": [...], "truncated": bool}, in the arena */
    size_t len;
    int rows;
    int64_t ms;
    char error[256]; /* for the operator */
};

/* `allow` as outbound_new() takes it. sql and values as query_text.h gives them. */
void query_run(struct arena *a, const struct integration *integration, const char *allow,
               const char *sql, const char *const *values, size_t count,
               struct query_result *result);

#endif
