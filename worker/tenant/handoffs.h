/*
 * Handoffs: the conversations that wait for a person or are with one (ENG-14), those that wait
 * first, who has waited longest before the others.
 */
#ifndef FD_TENANT_HANDOFFS_H
#define FD_TENANT_HANDOFFS_H

#include "db/db.h"
#include "protocol/json.h"

enum handoff_column {
    HANDOFF_PLACE, /* in the queue, for the next page, with the id */
    HANDOFF_ID
};

/* team: a uuid, "none" or NULL: all. The place and the id of the row before; NULL: from the
 * start. */
enum db_status handoffs_list(struct db *db, const char *org, const char *team, const char *place,
                             const char *id, int most, PGresult **rows);
enum db_status handoffs_waiting(struct db *db, const char *org, const char *team, int64_t *waiting);
/* The members of a row, into the open object. */
void handoff_write(struct fd_json_writer *w, const PGresult *rows, int row);

#endif
