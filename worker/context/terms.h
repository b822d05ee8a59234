/*
 * Terms: what a question searches for, as the text of PostgreSQL queries (tsquery).
 * Pure. A visitor's words come out as letters and digits only, quoted, between
 * operators that are ours; the number of terms and of variants is bounded.
 */
#ifndef FD_CONTEXT_TERMS_H
#define FD_CONTEXT_TERMS_H

#include "core/words.h"

#define TERMS_MAX 16

struct term {
    const char *word;    /* normal form, to be compared by trigrams */
    const char *simple;  /* tsquery for 'simple': "'shipping':*", Hebrew with its variants */
    const char *english; /* tsquery for 'english', which stems; NULL where it cannot */
    const char *stump;   /* the first letters, for words that match nothing; NULL if short */
};

/* The first distinct words of a question that are worth a search. */
size_t terms_of(struct arena *a, const char *question, size_t len, const char *language,
                struct term terms[TERMS_MAX]);

#endif
