#include "db/partition.h"

static const struct db_statement ensure = {
    "partition_ensure",
    "SELECT platform_messages_partition((now() + ahead)::date)"
    "  FROM unnest('{0,1 month}'::interval[]) ahead",
    0};

enum db_status partition_ensure(struct db *db)
{
    return db_query(db, NULL, &ensure, NULL, NULL);
}
