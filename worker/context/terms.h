/*
 * Terms: what a question searches for: its words, and the forms that a text may have
 * of them. Pure. A visitor's words come out as letters and digits only; the number of terms
 * and of forms is bounded.
 */
#ifndef FD_CONTEXT_TERMS_H
#define FD_CONTEXT_TERMS_H

#include "core/words.h"

#define TERMS_MAX 16

struct term {
    const char *word;  /* normal form */
    const char *forms; /* "shipping*"; Hebrew with its prefixes, blanks between; * = goes on */
};

/* The first distinct words of a question that are worth a search. */
size_t terms_of(struct arena *a, const char *question, size_t len, const char *language,
                struct term terms[TERMS_MAX]);
/* Forms as the text of a PostgreSQL query: "'shipping':* | 'ship'". */
const char *terms_query(struct arena *a, const char *forms);

#endif
