/*
 * Retrieve: the org's records that speak to a question, by PostgreSQL full text and
 * trigram, scored; zero scores dropped, at most SNIPPETS_MAX. On a pool thread.
 */
#ifndef FD_CONTEXT_RETRIEVE_H
#define FD_CONTEXT_RETRIEVE_H

#include "context/chunk.h"
#include "db/db.h"

/* Articles by section and products; orders only by their exact number together with
 * the customer's e-mail address, both in the message (a visitor is not verified). */
enum db_status retrieve_snippets(struct db *db, struct arena *a, const char *org,
                                 const char *question, const char *language,
                                 struct snippet **snippets, size_t *count);

#endif
