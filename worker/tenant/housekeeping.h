/*
 * Housekeeping (ENG-17): counting and deleting for every organisation, in order and in
 * small steps: by the worker whose turn it is, and by `frontdesk retention run`. Nothing is
 * deleted before it is counted.
 */
#ifndef FD_TENANT_HOUSEKEEPING_H
#define FD_TENANT_HOUSEKEEPING_H

#include "core/arena.h"
#include "tenant/retention.h"

#include <stdbool.h>
#include <stddef.h>

/* One pass: zeroed to begin with. */
struct housekeeping {
    const char *only; /* an organisation; NULL: all */
    struct archive_place archive;
    struct retention_counts counts;
    /* where it is */
    struct arena arena;
    struct retention_org *orgs;
    size_t org_count;
    size_t next;
    int tries;       /* that found the next one's rows in use */
    size_t failed;   /* organisations that were passed over, */
    char error[256]; /* and why the last of them */
    bool counted, decided, tools_counted, forgotten, listed, dropped;
};

/* A step of the pass. *done: that was the last. An organisation whose rows cannot be deleted
 * is passed over: `failed` tells. DB_BUSY: another process has the turn, or try again. */
enum db_status housekeeping_step(struct db *db, const struct turn *turn, struct housekeeping *pass,
                                 bool *done);
void housekeeping_free(struct housekeeping *pass);

/* Did somebody begin a pass in the last `seconds`? If not, it is ours to do now. */
enum db_status housekeeping_due(struct db *db, int seconds, bool *due);
/* When that was, as a text; NULL: never. In the arena. */
enum db_status housekeeping_last(struct db *db, struct arena *a, const char **at);

#endif
