/*
 * Analytics (ADM-6): the figures of a period and of the one before it, from what is counted
 * (rollup.h). With each figure stands the filter of conversations that it is made of.
 */
#ifndef FD_TENANT_ANALYTICS_H
#define FD_TENANT_ANALYTICS_H

#include "core/buf.h"
#include "db/db.h"
#include "tenant/period.h"

#define ANALYTICS_MAX 4194304 /* bytes */

enum db_status analytics_json(struct db *db, const char *org, const struct period *period,
                              struct buf *out);

#endif
