/*
 * Audit: who changed what (ADM-1): rows that are only ever added. `before` and `after` are
 * JSON texts whose secrets audit_mask() has taken out.
 */
#ifndef FD_TENANT_AUDIT_H
#define FD_TENANT_AUDIT_H

#include "core/buf.h"
#include "db/db.h"

#define AUDIT_JSON_MAX 65536

struct audit_entry {
    const char *org;
    const char *actor;  /* user:<id>, key:<id>, cli:<unix user> */
    const char *action; /* "PATCH tools/:name", "sign-in" */
    const char *target; /* NULL: none */
    const char *address;
    const char *request_id;
    const char *before; /* JSON; NULL: none */
    const char *after;
};

enum db_status audit_write(struct db *db, const struct audit_entry *entry);

/* A copy in which every member that is called like a secret (key, token, password,
 * ..._secret, X-Api-Key, Authorization) is "***". False: it is no JSON, or longer than
 * AUDIT_JSON_MAX. Pure. */
bool audit_mask(const char *json, size_t len, struct buf *out);

enum audit_column {
    AUDIT_ID,
    AUDIT_AT,
    AUDIT_ACTOR,
    AUDIT_ACTION,
    AUDIT_TARGET,
    AUDIT_ADDRESS,
    AUDIT_REQUEST_ID,
    AUDIT_BEFORE,
    AUDIT_AFTER,
    AUDIT_NAME, /* of the user or key that acted; NULL: gone, or none */
    AUDIT_COLUMNS
};

/* Each NULL: whatever it is. */
struct audit_filter {
    const char *actor, *action;
    const char *part; /* of the action, the target, the actor or its name, in any case; only so
                         many rows back */
};

/* Newest first, older than the row `before`. */
enum db_status audit_list(struct db *db, const char *org, const struct audit_filter *filter,
                          const char *before, int most, PGresult **entries);

#endif
