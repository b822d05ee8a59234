/* Conversation csv: the lines of an export for spreadsheets (csv.h). */
#ifndef FD_TENANT_CONVERSATION_CSV_H
#define FD_TENANT_CONVERSATION_CSV_H

#include "core/buf.h"

#include <stdbool.h>

#include <libpq-fe.h>

/* The BOM, by which Excel knows UTF-8, and the names of the columns. */
void conversation_csv_head(struct buf *out, bool of_messages);
void conversation_csv_row(struct buf *out, const PGresult *rows, int row);
void conversation_csv_message(struct buf *out, const PGresult *rows, int row);

#endif
