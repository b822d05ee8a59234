/* Partition: `messages` has one for each UTC month; this makes the current and the next. */
#ifndef FD_DB_PARTITION_H
#define FD_DB_PARTITION_H

#include "db/db.h"

/* Cheap where they are there already: call it with every sync. Without it rows still
 * find a place, in the default partition, and move when the month's is made. */
enum db_status partition_ensure(struct db *db);

#endif
