/*
 * Fuse: several rankings of the same things made one, by reciprocal rank fusion (Cormack,
 * Clarke and Buettcher, SIGIR 2009): what counts is the place in a list, never its score,
 * so that lists whose scores cannot be compared (words and embeddings) may be. Pure.
 */
#ifndef FD_CONTEXT_FUSE_H
#define FD_CONTEXT_FUSE_H

#include "core/arena.h"

#define FUSE_LISTS_MAX 8
/* How little the first places of a list differ: 1/61 and 1/62. The paper's own value. */
#define FUSE_SMOOTHING 60

struct ranked {
    const char *id; /* "article:shipping" */
    double score;   /* of its own list; equal scores share a place */
};

struct ranking_list {
    const struct ranked *ranked; /* best first; an id that comes again is not heard again */
    size_t count;
    double weight; /* > 0; 1 for lists that are trusted alike */
};

struct fused {
    const char *id;
    double score;   /* 1: the first of every list; 0 is in none */
    unsigned lists; /* bit n: list n has it */
};

/* The best `most`, by falling score and then by id, in `a`; returns how many. */
size_t fuse_rankings(struct arena *a, const struct ranking_list *lists, size_t list_count,
                     size_t most, struct fused **fused);

#endif
