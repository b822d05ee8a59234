/*
 * Publish: writes keys, limits and widget configurations through to Redis, where
 * nginx reads them (handoff: fd:key, fd:org, fd:cfg, fd:meta). Order matters and is
 * kept here: the generation on the jobs server first, so that a revoked key cannot
 * admit; then the live server; then the hint.
 *
 * Synchronous (hiredis's blocking API, 2 s time-outs): for commands and for a
 * pool thread, never for the loop.
 */
#ifndef FD_TENANT_PUBLISH_H
#define FD_TENANT_PUBLISH_H

#include "core/config.h"
#include "db/db.h"

/* Of fd:meta. Limits are written to shard 0 alone: another number is refused, as nginx
 * would look for them in shards where they are not. */
#define PUBLISH_SHARDS 1

enum publish_status { PUBLISH_OK, PUBLISH_NO_DATABASE, PUBLISH_NO_REDIS };

/* Everything: fd:meta (made on first use: the session key lives in
 * platform_secrets), all limits, all configurations, all live keys, dead keys
 * removed, fd:keys:synced last. */
enum publish_status publish_all(struct db *db, const struct config *config, char error[256]);
/* One organisation after a change, with the hints to nginx and the workers. */
enum publish_status publish_org(struct db *db, const struct config *config, const char *org,
                                char error[256]);

#endif
