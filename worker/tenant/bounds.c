#include "tenant/bounds.h"

enum db_status bound_reached(struct db *db, int most, const char *what)
{
    db_explain(db, "an organisation may have %d %s", most, what);
    return DB_CONFLICT;
}
