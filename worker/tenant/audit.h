/*
 * Audit: who changed what (ADM-1): rows that are only ever added. `before` and `after` are
 * JSON texts whose secrets audit_mask() has taken out.
 */
#ifndef FD_TENANT_AUDIT_H
#define FD_TENANT_AUDIT_H

#include "core/buf.h"
#include "db/db.h"
#include "tenant/deed.h"

#define AUDIT_JSON_MAX 65536

struct audit_entry {
    const char *org;
    const char *actor;  /* user:<id>, key:<id>, cli:<unix user>, anyone */
    const char *action; /* "PATCH tools/:name", "sign-in" */
    const char *target; /* NULL: none */
    struct deed deed;
    const char *thing; /* as deed_thing() has it; NULL: none */
    const char *address;
    const char *request_id;
    const char *before; /* JSON; NULL: none */
    const char *after;
};

enum db_status audit_write(struct db *db, const struct audit_entry *entry);

/* A copy in which every member that is called like a secret (key, token, password,
 * ..._secret, X-Api-Key, Authorization) is "***", without the object's members of these names
 * (NULL last; NULL: none). False: it is no JSON, or longer than AUDIT_JSON_MAX. Pure. */
bool audit_mask(const char *json, size_t len, const char *const *without, struct buf *out);

enum audit_column {
    AUDIT_ID,
    AUDIT_AT,
    AUDIT_ACTOR,
    AUDIT_ACTION,
    AUDIT_TARGET,
    AUDIT_KIND,
    AUDIT_VERB,
    AUDIT_THING,
    AUDIT_ADDRESS,
    AUDIT_REQUEST_ID,
    AUDIT_BEFORE,
    AUDIT_AFTER,
    AUDIT_ACTOR_NAME,     /* of the user or key that acted; NULL: gone, or none */
    AUDIT_ACTOR_PLATFORM, /* it is a user, and none of the organisation */
    AUDIT_THING_NAME,     /* as it is called now; NULL: it is gone; "": it has no name */
    AUDIT_PLACE_AT,
    AUDIT_PLACE_ID,
    AUDIT_LOOKED_AT, /* how far back was looked, where that was not to the end; of all rows */
    AUDIT_LOOKED_ID,
    AUDIT_COLUMNS
};

/* Each NULL: whatever it is. */
struct audit_filter {
    const char *actor; /* as rows have it; "user", "key", "cli": any of them */
    const char *action, *kind, *verb;
    const char *thing;
    const char *from, *to; /* times, with `to` outside */
    const char *part; /* of the action, the target, the thing, the actor or a name, in any case */
};

/* A row as a place in the order: what is NULL is before all. */
struct audit_place {
    const char *at, *id;
};

/* Newest first, older than `after`, at most so many. What no index finds is looked for in only so
 * many rows: there is always a first row, whose AUDIT_ID is NULL where nothing was found, and it
 * says where to go on. */
enum db_status audit_list(struct db *db, const char *org, const struct audit_filter *filter,
                          struct audit_place after, int most, PGresult **entries);

#endif
