/*
 * Identity_secret: the secrets under which an organisation's server proves who its visitors
 * are, sealed in PostgreSQL. At most two at a time: a rotation makes the second, puts it into
 * the site's server, and revokes the first.
 */
#ifndef FD_TENANT_IDENTITY_SECRET_H
#define FD_TENANT_IDENTITY_SECRET_H

#include "db/db.h"
#include "tenant/identity_proof.h"

#define IDENTITY_SECRET_SIZE 65 /* 64 hexadecimal digits, which are the key as they stand */

/* Told once. DB_FAILED with db_error(): there are two, or they cannot be sealed. `keys` is the
 * file of FRONTDESK_VAULT_KEYS. */
enum db_status identity_secret_create(struct db *db, const char *keys, const char *org,
                                      char secret[IDENTITY_SECRET_SIZE], char id[37]);
enum db_status identity_secret_revoke(struct db *db, const char *org, const char *id, bool *found);

enum identity_secret_column { IDENTITY_SECRET_ID, IDENTITY_SECRET_LAST4, IDENTITY_SECRET_CREATED };
enum db_status identity_secret_list(struct db *db, const char *org, PGresult **rows);

/* In the arena, which the caller wipes. One that does not open is left out. */
enum db_status identity_secrets_load(struct db *db, struct arena *a, const char *keys,
                                     const char *org, struct identity_secrets *secrets);

#endif
