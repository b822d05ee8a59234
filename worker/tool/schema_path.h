/* Where in a JSON value something stands: a chain on the stack, printed only when
 * something is to be said about the place. */
#ifndef FD_TOOL_SCHEMA_PATH_H
#define FD_TOOL_SCHEMA_PATH_H

#include <stddef.h>

struct schema_path {
    const struct schema_path *up; /* NULL: this is the root */
    const char *key;              /* NULL: index */
    size_t index;
    unsigned depth;
};

/* "$.items[2]['first name']"; what does not fit is left out at the end. */
void schema_path_print(const struct schema_path *at, char *out, size_t size);

#endif
