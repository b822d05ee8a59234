/* JSON pointers (RFC 6901) as a URI fragment writes them. Pure. */
#ifndef FD_TOOL_SCHEMA_POINTER_H
#define FD_TOOL_SCHEMA_POINTER_H

#include "core/arena.h"
#include "protocol/json.h"

/* What "/$defs/address" (the part behind "#") points at; NULL: nothing is there. */
const struct fd_json *schema_pointed(struct arena *a, const struct fd_json *root,
                                     const char *pointer);

#endif
