/*
 * Vectors: an organisation's sections by what they mean (ENG-5): rows of one matrix of unit
 * vectors, searched exactly, row by row. Built page by page, then it does not change any more
 * and many may read it.
 */
#ifndef FD_CONTEXT_VECTORS_H
#define FD_CONTEXT_VECTORS_H

#include "context/fuse.h"
#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

#define VECTORS_FOUND_MAX 40
/* What is further from the question than this, or than this part of the best, is not found. */
#define VECTORS_LEAST      0.2
#define VECTORS_LEAST_PART 0.6

struct vectors;

/* `max_bytes` bounds all that it takes. NULL: out of memory. */
struct vectors *vectors_new(int dimensions, size_t max_bytes);
void vectors_free(struct vectors *vectors);
/* A row in PostgreSQL's order: float4, little-endian. False: it has another length, or there is
 * no room. */
bool vectors_add(struct vectors *vectors, const char *id, const unsigned char *bytes, size_t len);
size_t vectors_count(const struct vectors *vectors);
size_t vectors_bytes(const struct vectors *vectors);
int vectors_dimensions(const struct vectors *vectors);

/* The nearest, best first, in `a`; `question` is of length 1. */
size_t vectors_search(const struct vectors *vectors, struct arena *a, const float *question,
                      struct ranked **found);
/* Of what was found, best first, how many are near enough. */
size_t vectors_near(const struct ranked *found, size_t count);
/* Puts what was found elsewhere as well among the VECTORS_FOUND_MAX best, for which `found` has
 * room; returns how many are near enough. */
size_t vectors_merge(struct arena *a, struct ranked *found, size_t count, const struct ranked *more,
                     size_t more_count);

#endif
