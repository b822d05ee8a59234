/* Endpoint_check: what may be saved as an endpoint, made whole. Pure. */
#ifndef FD_INTEGRATION_ENDPOINT_CHECK_H
#define FD_INTEGRATION_ENDPOINT_CHECK_H

#include "integration/endpoints.h"

/* Its columns. */
struct endpoint_row {
    const char *name, *description, *method, *url, *kind;
    const char *query; /* NULL: none */
    const char *risk, *schema, *bindings, *config;
};

/* False: the problem says which field is wrong. */
bool endpoint_check(struct arena *a, enum integration_type type, const struct endpoint_new *spec,
                    struct endpoint_row *row, struct tool_problem *problem);

#endif
