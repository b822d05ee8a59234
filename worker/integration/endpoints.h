/* Endpoints: what of an integration can be called, as its operators see and change it.
 * As settings.h otherwise. */
#ifndef FD_INTEGRATION_ENDPOINTS_H
#define FD_INTEGRATION_ENDPOINTS_H

#include "core/buf.h"
#include "integration/settings.h"

struct endpoint_new {
    const char *name;
    const char *description;
    const char *method;             /* NULL = GET */
    const char *url;                /* a template (template.h); of a database NULL */
    const char *query;              /* of a database (query_text.h) */
    const char *risk;               /* NULL: read for GET and queries, else write */
    const char *schema;             /* JSON; NULL = no arguments */
    const struct fd_json *bindings; /* argument -> source (tool/bind.h); NULL = none */
    const struct fd_json *config;   /* shape.h; NULL = none */
};

enum db_status endpoints_add(struct db *db, const char *org, const char *which,
                             const struct endpoint_new *spec, struct tool_problem *problem,
                             char id[SETTINGS_ID_SIZE]);
/* In the open transaction, for an integration that is known. */
enum db_status endpoints_insert(struct db *db, struct arena *a, const char *org,
                                const char *integration_id, enum integration_type type,
                                const struct endpoint_new *spec, struct tool_problem *problem,
                                char id[SETTINGS_ID_SIZE]);
/* By its name: it is the organisation's only one. NULL: as it was. */
struct endpoint_change {
    const char *description, *method, *url, *query, *risk, *schema;
    const struct fd_json *bindings, *config;
    int enabled; /* 0, 1; negative: as it was */
};
/* problem->field "endpoint": there is none. */
enum db_status endpoints_change(struct db *db, const char *org, const char *name,
                                const struct endpoint_change *change, struct tool_problem *problem);
enum db_status endpoints_enable(struct db *db, const char *org, const char *name, bool enabled,
                                bool *found);
enum db_status endpoints_remove(struct db *db, const char *org, const char *name, bool *found);
/* As rows; which NULL: of all integrations. */
enum db_status endpoints_list(struct db *db, const char *org, const char *which, PGresult **rows);
/* The one of this name, or none. */
enum db_status endpoints_named(struct db *db, const char *org, const char *name, PGresult **row);
/* The members of a row, into the open object. */
void endpoints_write(struct fd_json_writer *w, const PGresult *rows, int row);

#endif
