/*
 * Gap: a question that the sources have nothing on, as the set of its words, so that the same
 * question in other words is known again. What is kept of a word is a number that it cannot be
 * read from. Pure, and the same on every machine.
 */
#ifndef FD_TENANT_GAP_H
#define FD_TENANT_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAP_WORDS_MAX 12
#define GAP_TEXT_SIZE (GAP_WORDS_MAX * 12 + 1)

struct gap {
    int32_t words[GAP_WORDS_MAX]; /* in order, each once */
    size_t count;                 /* 0: the question has no word that says anything */
};

void gap_of(struct gap *gap, const char *question, size_t len);
/* At least half of the words that either has are in both; as gaps_alike() of 0023. */
bool gap_alike(const struct gap *a, const struct gap *b);

/* "-12,345": of parameters, and between the braces of a PostgreSQL array. */
void gap_write(const struct gap *gap, char out[GAP_TEXT_SIZE]);
bool gap_read(const char *text, struct gap *gap); /* false: of no words */

#endif
