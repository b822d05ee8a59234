/* What the files of `frontdesk models` share. */
#ifndef FD_CMD_MODELS_H
#define FD_CMD_MODELS_H

#include "core/config.h"
#include "db/db.h"

#include <stdbool.h>

struct models_sync {
    const char *file; /* NULL, and url NULL: the one that was shipped */
    const char *url;
    const char *provider;
    const char *region;
    bool json;
};

/* The exit status. */
int models_sync(struct db *db, const struct config *config, const struct models_sync *sync);

#endif
