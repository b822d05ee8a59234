/* What `frontdesk integration` was told on its command line. */
#ifndef FD_CMD_INTEGRATION_H
#define FD_CMD_INTEGRATION_H

#include "core/arena.h"
#include "core/config.h"
#include "db/db.h"

#include <stdbool.h>

struct integration_command {
    const struct config *config;
    struct db *db;
    struct arena arena;
    char org[37];
    const char *given_org;
    const char *group; /* "endpoint", or "" */
    const char *verb;
    const char *name;     /* of an integration; of an endpoint where that is enough */
    const char *endpoint; /* the second name of `endpoint add` */
    const char *type, *url, *auth, *settings, *credentials, *prefix, *api_version;
    const char *description, *method, *query, *risk, *schema, *bindings, *endpoint_config;
    int lines;
    bool json;
};

bool integration_command_parse(int argc, char **argv, struct integration_command *c);

#endif
