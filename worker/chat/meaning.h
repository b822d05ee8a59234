/*
 * Meaning: a question as a vector, and the organisation's sections to hold it against
 * (ENG-5). Where PostgreSQL searches vectors, it does; else the sections' vectors are kept in
 * memory within a bound, those that were not asked for longest go first; they are read again when
 * newer ones are there, while the old ones are still good. Without them, or with a server that is
 * slow or away, words alone find. On the loop.
 */
#ifndef FD_CHAT_MEANING_H
#define FD_CHAT_MEANING_H

#include "chat/engine.h"
#include "context/fuse.h"
#include "db/db.h"

struct meaning;
struct meaning_ask;
struct meaning_vector; /* a question's, and where to search with it */

struct meaning *meaning_new(struct engine *engine);
void meaning_free(struct meaning *meaning); /* once the pool is gone */

/* on_end gets the question's vector, which is its own to free; NULL: words alone. NULL: words
 * alone, now; nothing will be called. Never calls back from inside. */
struct meaning_ask *meaning_ask(struct meaning *meaning, const struct tenant *tenant,
                                const char *question,
                                void (*on_end)(void *arg, struct meaning_vector *vector),
                                void *arg);
void meaning_cancel(struct meaning_ask *ask);

/* The sections that are near, best first. On any thread. */
enum db_status meaning_search(struct db *db, struct arena *a, const char *org,
                              const struct meaning_vector *vector, struct ranked **found,
                              size_t *count);
void meaning_vector_free(struct meaning_vector *vector); /* on the loop; NULL is fine */

#endif
