/* Listing: the rows of a query as a JSON array, one object a row. */
#ifndef FD_INTEGRATION_LISTING_H
#define FD_INTEGRATION_LISTING_H

#include "core/buf.h"
#include "db/db.h"

/* The members of a row, into an open object. */
typedef void listing_row(struct fd_json_writer *w, const PGresult *rows, int row);

/* As db_query() otherwise; DB_FAILED with db_error() where `json` is too small. */
enum db_status listing_write(struct db *db, const char *org, const struct db_statement *statement,
                             const char *const *params, listing_row *write, struct buf *json);
/* A cell that holds JSON; SQL NULL is null. */
void listing_member_json(struct fd_json_writer *w, const char *key, const char *json);

#endif
