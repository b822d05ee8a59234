/*
 * Analytics (ADM-6): the figures of a period and of the one before it, from what is counted
 * (rollup.h). With each figure stands the filter of conversations that it is made of.
 */
#ifndef FD_TENANT_ANALYTICS_H
#define FD_TENANT_ANALYTICS_H

#include "core/buf.h"
#include "db/db.h"

#define ANALYTICS_DAYS_MAX 366
#define ANALYTICS_MAX      4194304 /* bytes */

struct analytics_period {
    char from[11]; /* days, UTC, both in it */
    char to[11];
};

/* NULL: thirty days up to today. False: which of the two is wrong, and what would be right. */
bool analytics_period_read(const char *from, const char *to, struct analytics_period *period,
                           const char **field, const char **detail);
enum db_status analytics_json(struct db *db, const char *org, const struct analytics_period *period,
                              struct buf *out);

#endif
