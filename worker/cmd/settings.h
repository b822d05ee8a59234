/* Settings provider|embedding: an organisation's own model servers, and what it says of itself,
 * from the command line. */
#ifndef FD_CMD_SETTINGS_H
#define FD_CMD_SETTINGS_H

#include "core/config.h"
#include "db/db.h"
#include "tenant/ai_endpoint.h"

struct settings_endpoint {
    const struct config *config;
    struct db *db;
    enum ai_endpoint_kind kind;
    const char *verb;
    const char *key_file; /* "-": stdin; NULL: the key stays as it is */
    char **assignments;
    int count;
};

/* The exit status; CMD_USAGE for a verb that is none. */
int settings_endpoint_run(const struct settings_endpoint *c, const char *org);

/* Settings business: shown without assignments, else changed and shown. */
struct settings_business {
    const struct config *config;
    struct db *db;
    char **assignments;
    int count;
};

int settings_business_run(const struct settings_business *c, const char *org);

#endif
