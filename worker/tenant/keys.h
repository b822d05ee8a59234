/*
 * Keys: API keys in PostgreSQL (EDGE-2). The key itself is returned once, by the
 * call that made it, and is nowhere stored. Each change bumps the organisation's
 * generation; publish.h carries it to Redis.
 */
#ifndef FD_TENANT_KEYS_H
#define FD_TENANT_KEYS_H

#include "db/db.h"
#include "protocol/ids.h"

struct key_new {
    const char *org;
    const char *name;
    enum fd_key_kind kind;
    const char *const *origins;
    size_t origin_count;
    const char *scope; /* read, write or admin (NULL): of a secret key in the admin API */
};

bool key_scope_valid(const char *scope);

enum db_status keys_create(struct db *db, const struct key_new *spec, char key[FD_API_KEY_SIZE],
                           char id[37]);
/* In the open transaction of an organisation that nobody else knows yet. Without origins no
 * site may use a publishable key until it has some. The spec is checked already. */
enum db_status keys_insert(struct db *db, const struct key_new *spec, char key[FD_API_KEY_SIZE],
                           char id[37]);
/* A successor with the same name, kind and origins; the old key lives on for
 * overlap_s seconds (0: it is revoked at once). DB_FAILED with db_error() where the
 * id is unknown. */
enum db_status keys_rotate(struct db *db, const char *org, const char *id, int64_t overlap_s,
                           char key[FD_API_KEY_SIZE], char new_id[37]);
enum db_status keys_revoke(struct db *db, const char *org, const char *id,
                           char sha256[FD_SHA256_HEX_SIZE]);

/* Columns of keys_list(): text; times are ISO 8601, origins are separated by spaces. */
enum key_column {
    KEY_ID,
    KEY_NAME,
    KEY_KIND, /* pk or sk */
    KEY_LAST4,
    KEY_ORIGINS,
    KEY_CREATED_AT,
    KEY_EXPIRES_AT, /* NULL: never */
    KEY_STATUS,     /* live, expiring, expired or revoked */
    KEY_SCOPE,      /* read, write or admin */
    KEY_COLUMNS
};

/* At most `most` keys in the order they were made, after the one with the id `after` (NULL:
 * from the first). */
enum db_status keys_list(struct db *db, const char *org, const char *after, int most,
                         PGresult **keys);
/* The same columns of one; no row: there is none. */
enum db_status keys_get(struct db *db, const char *org, const char *id, PGresult **key);
/* Neither revoked nor expired, and this organisation's. */
enum db_status keys_is_live(struct db *db, const char *org, const char *id, bool *live);

/* Replaces a publishable key's origins; *changed false: they were the same already. */
enum db_status keys_set_origins(struct db *db, const char *org, const char *id,
                                const char *const *origins, size_t count, bool *changed);

struct key_change {
    const char *name;           /* NULL: stays */
    const char *const *origins; /* NULL: they stay */
    size_t origin_count;
};
/* Of a live key. DB_FAILED with db_error() "field: why"; *found false: there is none. */
enum db_status keys_change(struct db *db, const char *org, const char *id,
                           const struct key_change *change, bool *found);

/* A site as "https://shop.example", its sub-domains with "*." before the host: scheme,
 * host, optional port; what is wrong goes into error. Pure. */
bool key_origin_valid(const char *origin, char error[128]);

#endif
