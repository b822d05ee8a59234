/*
 * Openapi: the whole HTTP surface as an OpenAPI 3.1 document: the admin API from its routing
 * tables, the API of widgets and programs (nginx's) from a table of its own.
 */
#ifndef FD_ADMIN_OPENAPI_H
#define FD_ADMIN_OPENAPI_H

#include "admin/admin.h"

#define OPENAPI_MAX 4194304

/* In JSON. False: a route's shape is not well formed, *broken is its pattern. */
bool openapi_write(struct buf *out, const char **broken);

/* What nginx serves itself; patterns begin with "/", ADMIN_OPEN: without a key. */
extern const struct admin_route openapi_edge[];
extern const size_t openapi_edge_count;

#endif
