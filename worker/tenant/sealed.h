/*
 * Sealed: columns that hold a tenant's secret under the vault (core/vault.h), bound to
 * their organisation, table, row and column. `keys` is the file of FRONTDESK_VAULT_KEYS.
 * Synchronous: for commands and pool threads.
 */
#ifndef FD_TENANT_SEALED_H
#define FD_TENANT_SEALED_H

#include "core/arena.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEALED_PLAIN_MAX 65536

struct sealed_place {
    const char *org;
    const char *table;
    const char *row; /* its id: who inserts chooses it before */
    const char *column;
};

/* In the open transaction, before sealed_text(): no rotation comes between. */
enum db_status sealed_lock(struct db *db);

/* The parameter of a bytea column. NULL: error says why. */
const char *sealed_text(struct arena *a, const char *keys, const struct sealed_place *place,
                        const char *plain, size_t len, char error[256]);

enum sealed_result {
    SEALED_OK,
    SEALED_STALE, /* under a key that is not in the file: read the row again, once */
    SEALED_FAULT  /* error says why */
};
/* From the cell as PostgreSQL shows it. *plain is NUL terminated; who is done with it
 * wipes it. */
enum sealed_result sealed_open(struct arena *a, const char *keys, const struct sealed_place *place,
                               const char *cell, char **plain, size_t *len, char error[256]);

/* Everything there is under a new key; then the old keys are gone from the file. False:
 * error says why, and what was readable still is. *lost: rows that opened with no key. */
bool sealed_rotate(struct db *db, const char *keys, int64_t *rows, int64_t *lost, char error[256]);

#endif
