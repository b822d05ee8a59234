/*
 * Demo: the demo organisation, from a directory of content (conf/demo). Everything can
 * be repeated: rows are brought up to date, nothing is made twice, and what somebody
 * changed in the organisation's settings stays.
 */
#ifndef FD_TENANT_DEMO_H
#define FD_TENANT_DEMO_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/ids.h"

#include <stdio.h>

#define DEMO_ORG "5eed0000-0000-4000-8000-000000000001"

struct demo_content {
    int64_t articles;
    int64_t products;
    int64_t orders;
};

/* organization.json, products.json, orders.json, articles/<language>/<slug>.md. An
 * article that is not in English has "-<language>" after its slug. False: error says
 * which file or what in the database is at fault. */
bool demo_load(struct db *db, const char *directory, struct demo_content *content, char error[512]);

struct demo_keys {
    bool known; /* false: they exist, but only whoever made them has them */
    char publishable[FD_API_KEY_SIZE];
    char secret[FD_API_KEY_SIZE];
};

/* The keys in `file` where they are still good; else the old ones are revoked and new
 * ones made, which go into `file` (0600). Without a file: new ones only where there
 * are none. The publishable key gets `origins`. */
bool demo_keys(struct db *db, const char *file, const char *const *origins, size_t origin_count,
               struct demo_keys *keys, char error[512]);
/* Somebody who signs in: made where it does not exist yet, or has a new password where the
 * file with it is gone. */
#define DEMO_OWNER "owner@demo.example"
bool demo_owner(struct db *db, const char *file, char error[512]);

/* FRONTDESK_DEMO_...=value lines, for shells. */
void demo_keys_print(const struct demo_keys *keys, FILE *out);

#endif
