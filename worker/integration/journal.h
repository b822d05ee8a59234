/* Journal: the calls of an organisation's integrations, for its operator: what was
 * called, how it went, what to do about it; no credential, no argument, no answer. */
#ifndef FD_INTEGRATION_JOURNAL_H
#define FD_INTEGRATION_JOURNAL_H

#include "core/buf.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_DAYS 30

struct journal_entry {
    const char *org;
    const char *integration_id;
    const char *endpoint; /* its name; "" = a connection test */
    const char *job_id;   /* NULL = none */
    const char *failure;  /* "ok", "timeout", ... */
    int status;
    int64_t ms;
    size_t bytes;
    bool cached;
    const char *detail; /* NULL = none */
};

enum db_status journal_write(struct db *db, const struct journal_entry *entry);
/* The latest first, as a JSON array; integration NULL: of all. before 0: from the newest
 * on, else older than that id. */
enum db_status journal_list(struct db *db, const char *org, const char *integration_id,
                            int64_t before, int most, struct buf *json);

#endif
