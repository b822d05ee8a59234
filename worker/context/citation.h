/*
 * Citation: the ids in square brackets that an answer wrote, checked against the
 * snippets that were sent. Pure and incremental: deltas come in any fragmentation.
 */
#ifndef FD_CONTEXT_CITATION_H
#define FD_CONTEXT_CITATION_H

#include "context/chunk.h"

#define CITATIONS_MAX 20

struct citation {
    const char *id;
    const char *label;
};

struct citation_scan {
    const struct chunk_set *sent; /* what may be cited */
    const struct snippet *snippets;
    size_t snippet_count;
    struct citation found[CITATIONS_MAX]; /* in the order of first mention */
    size_t count;
    size_t dropped; /* ids that were not sent */
    char open[256]; /* an unfinished "[..." over a delta's end */
    size_t open_len;
};

void citation_init(struct citation_scan *scan, const struct chunk_set *sent,
                   const struct snippet *snippets, size_t snippet_count);
/* Another text begins: what was found is forgotten. */
void citation_restart(struct citation_scan *scan);
/* Returns how many new citations `text` completed; they are the last of found. */
size_t citation_feed(struct citation_scan *scan, const char *text, size_t len);

#endif
