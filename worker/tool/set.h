/* Set: how a tool is read from its row; the same code judges it when it is saved. */
#ifndef FD_TOOL_SET_H
#define FD_TOOL_SET_H

#include "tool/tool.h"

struct tool_problem {
    const char *field; /* of the API; NULL: there is none */
    char text[520];
};

/* A webhook tool of the organisation, enabled or not, in the open transaction. tool->name
 * is NULL where there is none; what can be read of it is there beside a problem. */
enum db_status tool_load_named(struct db *db, struct arena *a, const char *org, const char *name,
                               struct tool *tool, struct tool_problem *problem);
/* The same of an endpoint or a query of an integration, in a transaction of its own. */
enum db_status tool_load_endpoint(struct db *db, struct arena *a, const char *org, const char *name,
                                  struct tool *tool, struct tool_problem *problem);

#endif
