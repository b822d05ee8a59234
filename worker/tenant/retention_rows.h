/* Retention rows: how rows that are old (retention_kinds.h) are counted, archived and deleted: some
 * at a time, oldest first. */
#ifndef FD_TENANT_RETENTION_ROWS_H
#define FD_TENANT_RETENTION_ROWS_H

#include "tenant/retention.h"
#include "tenant/retention_kinds.h"

int64_t *retention_total(struct retention_counts *counts, enum retention_kind kind);

/* Puts the oldest day that is due into the archive, where it is not; *archived: it did. Of a
 * kind that is not archived it does nothing. */
enum db_status retention_archive(struct db *db, const struct turn *turn,
                                 const struct archive_place *place, const struct retention_org *org,
                                 enum retention_kind kind, struct retention_counts *counts,
                                 bool *archived);
/* `one_day`: of the oldest day that is due alone. */
enum db_status retention_delete(struct db *db, const struct turn *turn, struct retention_org *org,
                                enum retention_kind kind, bool one_day, int64_t *deleted);

#endif
