/* Retention kinds: the statements of every kind of rows that grow old. */
#ifndef FD_TENANT_RETENTION_KINDS_H
#define FD_TENANT_RETENTION_KINDS_H

#include "db/db.h"

#define RETENTION_PAGE 1000 /* rows of a statement */

/* In the order of deletion: a conversation goes when its messages are gone. */
enum retention_kind {
    RETENTION_MESSAGES,
    RETENTION_CONVERSATIONS,
    RETENTION_JOBS,
    RETENTION_TOOLS,
    RETENTION_TEST_RUNS,
    RETENTION_NAMES,      /* of visitors, beside what their answers cost */
    RETENTION_LEDGER,     /* what each call of a model cost: its day's sum stays */
    RETENTION_CALLS,      /* of integrations */
    RETENTION_DELIVERIES, /* of channels */
    RETENTION_RECEIPTS,
    RETENTION_THREADS,
    RETENTION_ALERTS,
    RETENTION_SESSIONS, /* of users */
    RETENTION_KINDS
};

struct retention_sql {
    int days;                  /* 0: as many as the organisation has set */
    struct db_statement count; /* org, days */
    struct db_statement trim;  /* org, days, only the oldest day; a row: how many */
    /* Of a kind that is archived: the oldest day that is due, and a page of its rows. */
    const char *name;
    struct db_statement day;  /* org, days */
    struct db_statement rows; /* org, day, after: time, id */
};

extern const struct retention_sql retention_sql[RETENTION_KINDS];

/* org, days, a day: the days of the page of calls that goes next, but those up to that day. */
extern const struct db_statement retention_count_tools;

#endif
