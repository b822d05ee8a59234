/*
 * Csv: rows as RFC 4180 has them, CRLF included, that are safe to open in a spreadsheet:
 * a text that would be taken for a formula is led by an apostrophe. Pure.
 */
#ifndef FD_TENANT_CSV_H
#define FD_TENANT_CSV_H

#include "core/buf.h"

#include <stdint.h>

struct csv {
    struct buf *out;
    bool begun; /* the row has a field */
};

void csv_text(struct csv *csv, const char *text); /* NULL: an empty field */
void csv_int(struct csv *csv, int64_t value);
void csv_number(struct csv *csv, const char *digits); /* made by us: as it is */
void csv_end_row(struct csv *csv);

#endif
