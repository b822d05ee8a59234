/* Journal: the calls of an organisation's integrations, for its operator: what was
 * called, how it went, what to do about it; no credential, no argument, no answer. */
#ifndef FD_INTEGRATION_JOURNAL_H
#define FD_INTEGRATION_JOURNAL_H

#include "core/buf.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

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
/* The latest first; of the integration with this id or name, NULL: of all; before the call of this
 * id, NULL: from the newest on. */
enum { JOURNAL_ID };
enum db_status journal_list(struct db *db, const char *org, const char *integration,
                            const char *before, int most, PGresult **rows);
/* The members of a row, into the open object. */
void journal_write_entry(struct fd_json_writer *w, const PGresult *rows, int row);

#endif
