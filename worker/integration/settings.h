/*
 * Settings: an organisation's integrations as its operators see and change them
 * (ENG-11). Synchronous, for commands and pool threads. A problem has a field and DB_OK;
 * nothing is changed then. `which` is a name or an id. Whoever changes something tells
 * the workers (tenant/publish.h).
 */
#ifndef FD_INTEGRATION_SETTINGS_H
#define FD_INTEGRATION_SETTINGS_H

#include "core/buf.h"
#include "core/config.h"
#include "integration/integration.h"
#include "tool/set.h"

#define SETTINGS_ID_SIZE 37

struct integration_new {
    const char *type;
    const char *name;
    const char *url;                   /* of the shop, the API, or host[:port]/name of a database */
    const char *auth;                  /* NULL: what is usual for the type and the credentials */
    const char *api_version;           /* of Shopify; NULL = SHOPIFY_VERSION */
    const char *prefix;                /* of the shipped endpoints' names; NULL = the type's */
    const struct fd_json *settings;    /* NULL = none */
    const struct fd_json *credentials; /* NULL = none */
};

#define SHOPIFY_VERSION "2026-07"

/* Disabled at first, with the endpoints that its type comes with. */
enum db_status integrations_add(struct db *db, const struct config *config, const char *org,
                                const struct integration_new *spec, struct tool_problem *problem,
                                char id[SETTINGS_ID_SIZE]);

struct integration_change {
    int enabled;                       /* 0, 1; negative: as it was */
    const struct fd_json *settings;    /* NULL: as they were */
    const struct fd_json *credentials; /* the same */
};
enum db_status integrations_change(struct db *db, const struct config *config, const char *org,
                                   const char *which, const struct integration_change *change,
                                   struct tool_problem *problem);
enum db_status integrations_remove(struct db *db, const char *org, const char *which, bool *found);

/* As rows; which NULL: all. */
enum { INTEGRATIONS_ID };
enum db_status integrations_list(struct db *db, const char *org, const char *which,
                                 PGresult **rows);
/* The members of a row, into the open object. Of credentials the last four characters only. */
void integrations_write(struct fd_json_writer *w, const PGresult *rows, int row);

#endif
