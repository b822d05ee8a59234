/* Listing: the rows of a query as a JSON array, one object a row. */
#ifndef FD_CMD_LISTING_H
#define FD_CMD_LISTING_H

#include "core/buf.h"
#include "db/db.h"

/* The members of a row, into an open object. */
typedef void listing_row(struct fd_json_writer *w, const PGresult *rows, int row);

/* False: `json` is too small. */
bool listing_write(struct buf *json, const PGresult *rows, listing_row *write);

#endif
