/*
 * Duplicates: snippets that say the same as a better one, but for a few words. Compared by
 * sketches of their word triples (bottom-k, Broder 1997). Two that differ in a number are
 * never the same: prices and days are what templates differ in. Pure.
 */
#ifndef FD_CONTEXT_DUPLICATES_H
#define FD_CONTEXT_DUPLICATES_H

#include "context/score.h"

/* Candidates by falling score; of sections that are the same the first stays, other records
 * all do. In their order; returns how many stay. */
size_t duplicates_drop(struct arena *a, struct candidate *candidates, size_t count);

#endif
