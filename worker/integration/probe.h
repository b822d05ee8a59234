/* Probe: the test of an integration's connection: does it answer, how fast, may the
 * credentials do what the endpoints need. Blocks: for commands and pool threads. */
#ifndef FD_INTEGRATION_PROBE_H
#define FD_INTEGRATION_PROBE_H

#include "core/buf.h"
#include "core/config.h"
#include "db/db.h"

#include <stdbool.h>

/* JSON: {"ok", "ms", "checks": [{"what", "outcome", "status", "ms", "detail"}], "sample"}.
 * The outcome is kept with the integration, the sample is not. DB_FAILED with db_error():
 * there is no such integration, or its credentials do not open. */
enum db_status integration_probe(struct db *db, const struct config *config, const char *org,
                                 const char *which, bool *ok, struct buf *json);

#endif
