/*
 * Organization: tenants, as the platform's owner makes, lists and switches them off (ADM-2).
 * What is refused is DB_FAILED with db_error() "field: why". publish.h carries a change to
 * nginx and the workers: of one that is disabled, keys stop and open answers end.
 */
#ifndef FD_TENANT_ORGANIZATION_H
#define FD_TENANT_ORGANIZATION_H

#include "db/db.h"
#include "protocol/ids.h"

#define ORGANIZATION_NAME_MAX    200
#define ORGANIZATION_DOMAIN_MAX  253
#define ORGANIZATION_ORIGINS_MAX 50

struct organization_new {
    const char *name;
    const char *domain;   /* NULL: none */
    const char *plan;     /* NULL: free */
    const char *language; /* NULL: en */
    const char *const *origins;
    size_t origin_count; /* 0: those of the domain */
};

struct organization_keys {
    char publishable[FD_API_KEY_SIZE];
    char secret[FD_API_KEY_SIZE];
};

/* With default settings and a key of each kind. */
enum db_status organization_create(struct db *db, const struct organization_new *made, char id[37],
                                   struct organization_keys *keys);
/* In the open transaction of an organisation that was just made: its settings, and a
 * publishable key that no site may use yet. */
enum db_status organization_equip(struct db *db, const char *org, char key[FD_API_KEY_SIZE]);

struct organization_change { /* NULL: stays */
    const char *name;
    const char *domain; /* "": none any more */
    const char *plan;
    const char *status; /* active or disabled, which ends its users' sessions */
};
/* *found false: there is no such organisation. */
enum db_status organization_change(struct db *db, const char *org,
                                   const struct organization_change *change, bool *found);

enum organization_column {
    ORGANIZATION_ID,
    ORGANIZATION_NAME,
    ORGANIZATION_DOMAIN,
    ORGANIZATION_PLAN,
    ORGANIZATION_STATUS,
    ORGANIZATION_CREATED_AT,
    ORGANIZATION_CONVERSATIONS_30D,
    ORGANIZATION_COST_MICRO_MONTH,
    ORGANIZATION_LISTED,
    /* of organization_get() only */
    ORGANIZATION_REQUESTS = ORGANIZATION_LISTED,
    ORGANIZATION_CHATS,
    ORGANIZATION_MESSAGES,
    ORGANIZATION_AT_LIMIT,
    ORGANIZATION_COLUMNS
};

/* One row or none. */
enum db_status organization_get(struct db *db, const char *org, PGresult **row);

struct organization_query { /* NULL: any */
    const char *words;      /* a part of a name or domain */
    const char *status;
    const char *after_name; /* the last row of the page before */
    const char *after_id;
};
/* By name. */
enum db_status organization_list(struct db *db, const struct organization_query *query, int most,
                                 PGresult **rows);

/* -- pure: NULL, or what would be right ------------------------------------------------ */

const char *organization_name_fault(const char *name);
const char *organization_domain_fault(const char *domain);

#endif
