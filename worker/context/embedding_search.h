/*
 * Embedding_search: the nearest of an organisation's stored vectors without a matrix of them in
 * memory: by the extension `vector` in PostgreSQL where it is installed, else read page by page.
 * Both exact; they find what vectors_search() finds. On a pool thread or in a command.
 */
#ifndef FD_CONTEXT_EMBEDDING_SEARCH_H
#define FD_CONTEXT_EMBEDDING_SEARCH_H

#include "context/vectors.h"
#include "db/db.h"

/* A question's vector, of length 1, and the model that made it. */
struct embedding_question {
    const char *model;
    const float *values;
    int dimensions;
};

/* Where tenant->vectors_in_database says so; else DB_FAILED. */
enum db_status embedding_search(struct db *db, struct arena *a, const char *org,
                                const struct embedding_question *question, struct ranked **found,
                                size_t *count);
/* One page of vectors in memory at a time; *full, and nothing found: all of them would take more
 * than `max_bytes`, so a worker does not search them either. */
enum db_status embedding_scan(struct db *db, struct arena *a, const char *org,
                              const struct embedding_question *question, size_t max_bytes,
                              struct ranked **found, size_t *count, bool *full);

#endif
