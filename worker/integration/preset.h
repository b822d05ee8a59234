/* Preset: the endpoints that a shop's integration comes with, so that its operator gives
 * no more than a URL and credentials. */
#ifndef FD_INTEGRATION_PRESET_H
#define FD_INTEGRATION_PRESET_H

#include "integration/integration.h"

#include <stddef.h>

struct preset {
    enum integration_type type;
    const char *name; /* behind the prefix: "find_order" */
    const char *url;
    const char *description;
    const char *schema;
    const char *config;
};

extern const struct preset presets[];
extern const size_t preset_count;

#endif
