/*
 * Retrieve: the org's records that speak to a question, by PostgreSQL's full text and
 * trigrams, scored; near-duplicates and zero scores dropped, at most SNIPPETS_MAX. On a
 * pool thread.
 */
#ifndef FD_CONTEXT_RETRIEVE_H
#define FD_CONTEXT_RETRIEVE_H

#include "context/chunk.h"
#include "context/fuse.h"
#include "db/db.h"
#include "llm/provider.h"

struct retrieve_ask {
    const char *org;
    const char *question;
    const char *language;
    const char *topic; /* the question before this one; NULL = none */
    const char *page;  /* address and title of the page that it is asked on; NULL = none */
    /* What embeddings find, best first, ids "article:<slug>" as in snippets: fused with what
     * words find, by their places. Whoever gives it leaves out what is too far. */
    const struct ranked *meaning;
    size_t meaning_count;
};

struct retrieved {
    struct snippet *snippets; /* by falling score */
    size_t count;
    size_t repeats;   /* left out: the same as another, but for a few words */
    double grounding; /* 0 nothing speaks to the question, 1 one record has all its words */
    bool asks;        /* the question has a word to search for */
};

/* Articles by section and products; orders only by their exact number together with
 * the customer's e-mail address, both in the message (a visitor is not verified). */
enum db_status retrieve_snippets(struct db *db, struct arena *a, const struct retrieve_ask *ask,
                                 struct retrieved *found);

/* What the visitor asked before, of a conversation's last messages: ask->topic. */
const char *retrieve_topic(const struct llm_message *history, size_t count);

#endif
