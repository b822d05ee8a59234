/*
 * Embedding_store: vectors of sections in PostgreSQL, and how far an organisation's are. One
 * worker at a time embeds an organisation, under a claim that ends by itself; what it has
 * stored stays, and the next goes on from there. On a pool thread.
 */
#ifndef FD_CONTEXT_EMBEDDING_STORE_H
#define FD_CONTEXT_EMBEDDING_STORE_H

#include "context/vectors.h"
#include "core/arena.h"
#include "db/db.h"

#include <stdint.h>

#define EMBEDDING_CLAIM_MS 120000
#define EMBEDDING_BATCH    32
#define EMBEDDING_PAGE     500 /* vectors of one read */

struct embedding_section {
    const char *id;
    const char *text;
    const char *digest; /* hexadecimal */
};

/* An organisation that waits; platform_model NULL: only those with a server of their own. *org
 * NULL: none does. */
enum db_status embedding_claim(struct db *db, struct arena *a, const char *worker,
                               const char *platform_model, const char **org,
                               int64_t *knowledge_version);
/* The next sections behind `after` (NULL: from the first) whose words this model has not
 * embedded; renews the claim. *lost: it is another's. */
enum db_status embedding_next(struct db *db, struct arena *a, const char *org, const char *worker,
                              const char *model, const char *after,
                              struct embedding_section list[EMBEDDING_BATCH], size_t *count,
                              bool *lost);
/* Only under the claim: what comes after it was lost is dropped. */
enum db_status embedding_put(struct db *db, const char *org, const char *worker, const char *model,
                             const struct embedding_section *list, size_t count,
                             const float *values, int dimensions);
/* All of it is embedded. */
enum db_status embedding_finish(struct db *db, const char *org, const char *worker,
                                const char *model, int64_t knowledge_version);
/* Later again: after `wait_s`, or longer each time where it is 0. */
enum db_status embedding_fail(struct db *db, const char *org, const char *worker, const char *error,
                              int64_t wait_s);

/* Adds a page of vectors; `after` moves to its last section. *more: there are others; *full:
 * there is no room for them. */
enum db_status embedding_page(struct db *db, const char *org, const char *model, char after[37],
                              struct vectors **vectors, size_t max_bytes, bool *more, bool *full);

#endif
