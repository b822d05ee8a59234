/*
 * Meaning: a question as a vector, and the organisation's sections to hold it against
 * (ENG-5). The sections' vectors are kept in memory within a bound, those that were not asked
 * for longest go first; they are read again when newer ones are there, while the old ones are
 * still good. Without them, or with a server that is slow or away, words alone find. On the
 * loop.
 */
#ifndef FD_CHAT_MEANING_H
#define FD_CHAT_MEANING_H

#include "chat/engine.h"
#include "context/vectors.h"

struct meaning;
struct meaning_ask;
struct meaning_index; /* an organisation's vectors, held */

struct meaning *meaning_new(struct engine *engine);
void meaning_free(struct meaning *meaning); /* once the pool is gone */

/* The question's vector: on_end gets a value that is its own to free(), NULL: words alone, and
 * the index to search, to be released in either case. NULL: words alone, now; nothing will be
 * called. Never calls back from inside. */
struct meaning_ask *meaning_ask(
    struct meaning *meaning, const struct tenant *tenant, const char *question,
    void (*on_end)(void *arg, float *vector, struct meaning_index *index), void *arg);
void meaning_cancel(struct meaning_ask *ask);

/* Read on any thread while it is held. */
const struct vectors *meaning_vectors(const struct meaning_index *index);
void meaning_release(struct meaning_index *index); /* NULL is fine */

#endif
