/* The product's own schema, migrated by its owner, on a PostgreSQL of a test's own
 * (pg_fixture.h). */
#ifndef T_UNIT_SCHEMA_FIXTURE_H
#define T_UNIT_SCHEMA_FIXTURE_H

#include "core/log.h"
#include "db/migrate.h"
#include "pg_fixture.h"

/* pg_end() afterwards, in any case. */
static inline bool schema_start(struct pg_fixture *pg)
{
    struct migration_list list;
    struct arena arena;
    char error[256] = "";

    log_open("test", LOG_ERROR);
    if (!pg_start(pg))
        return false;
    struct db *owner = db_new(pg->owner, "test");
    arena_init(&arena);
    bool ok = migrate_read(&arena, "migrations", &list, error);
    if (ok && migrate_up(owner, &arena, &list, NULL) != DB_OK) {
        snprintf(error, sizeof(error), "%s", db_error(owner));
        ok = false;
    }
    if (!ok)
        fprintf(stderr, "# %s\n", error);
    arena_free(&arena);
    db_free(owner);
    return ok;
}

#endif
