/*
 * Retention (ENG-17): how long an organisation keeps what was said, and the deleting of it.
 * What is counted (rollup.h) stays. Everything is done in small steps, each a transaction
 * under the turn; a run that is broken off goes on where it was.
 */
#ifndef FD_TENANT_RETENTION_H
#define FD_TENANT_RETENTION_H

#include "core/arena.h"
#include "db/db.h"
#include "db/turn.h"
#include "tenant/archive.h"

#include <stdbool.h>

#define RETENTION_DAYS_MIN 1
#define RETENTION_DAYS_MAX 3650
#define RETENTION_TURN     "housekeeping" /* whose turn it is to count and delete */
#define RETENTION_DAY_SIZE 16

struct retention_org {
    const char *id;
    const char *name;
    int message_days;                       /* messages, questions' jobs, conversations, tests */
    int tool_execution_days;                /* what tools were asked and answered */
    char tools_counted[RETENTION_DAY_SIZE]; /* of what is deleted, up to this day; "": none yet */
};

/* Of every organisation, or of one; an unknown one: none. */
enum db_status retention_orgs(struct db *db, struct arena *a, const char *only,
                              struct retention_org **orgs, size_t *count);
/* As they are now: a pass may take hours. *there false: the organisation is gone. */
enum db_status retention_days(struct db *db, struct retention_org *org, bool *there);
enum db_status retention_set(struct db *db, const char *org, int message_days,
                             int tool_execution_days);

/* What is old, or was deleted of it. */
struct retention_counts {
    int64_t messages;
    int64_t conversations;
    int64_t jobs; /* deleted, or emptied where the month's messages are counted of them */
    int64_t tool_executions;
    int64_t test_runs; /* with their results */
    int64_t records;   /* of calls, deliveries, alerts, sessions: retention_kinds.h */
    int64_t archived;  /* lines */
    int64_t partitions;
};

/* A dry run. */
enum db_status retention_count(struct db *db, const struct retention_org *org,
                               struct retention_counts *counts);
/* One step for one organisation; adds to counts. *more: there is something left. Where
 * an archive is wanted, a day's rows are there before one of them is deleted. */
enum db_status retention_step(struct db *db, const struct turn *turn,
                              const struct archive_place *archive, struct retention_org *org,
                              struct retention_counts *counts, bool *more);
/* Drops the oldest month that nobody keeps any more; with an archive only once it is empty.
 * For after the steps of every organisation. */
enum db_status retention_drop(struct db *db, const struct turn *turn,
                              const struct archive_place *archive, struct retention_counts *counts,
                              bool *more);

#endif
