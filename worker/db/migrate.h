/*
 * Migrate: numbered SQL files, applied in order, each once, each in a transaction of
 * its own, and remembered with their SHA-256 in schema_migrations. Forward only.
 */
#ifndef FD_DB_MIGRATE_H
#define FD_DB_MIGRATE_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/ids.h"

#include <stddef.h>

struct migration {
    int version;
    const char *name; /* file name */
    const char *sql;
    char sha256[FD_SHA256_HEX_SIZE];
    const char *applied_at; /* NULL: pending */
};

struct migration_list {
    struct migration *items;
    size_t count;
    size_t pending;
};

/* The files of a directory: NNNN_name.sql from 0001 without a gap. False: error says
 * which file is wrong and why. */
bool migrate_read(struct arena *a, const char *directory, struct migration_list *list,
                  char error[256]);
/* Marks what the database has applied. DB_FAILED with db_error(): an applied file was
 * changed or is missing. Under any role. */
enum db_status migrate_compare(struct db *db, struct arena *a, struct migration_list *list);
/* Applies what is pending, oldest first; as the owner. `done` (may be NULL) is told of
 * each. Safe to run on several hosts at once. */
enum db_status migrate_up(struct db *db, struct arena *a, struct migration_list *list,
                          void (*done)(const struct migration *migration));

#endif
