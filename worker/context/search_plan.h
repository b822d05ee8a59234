/*
 * Search plan: by which words of a question its records are fetched, so that no question
 * reads more than some hundreds of them. Rare words lead: what has one of them is read whole.
 * Of words that are too frequent for that, what has several at once; titles, where the same
 * words are rare, are looked at for themselves. Pure.
 */
#ifndef FD_CONTEXT_SEARCH_PLAN_H
#define FD_CONTEXT_SEARCH_PLAN_H

#include "context/terms.h"

#include <stdbool.h>

#define TERM_WORDS_MAX 12

/* A word of the organisation's vocabulary, and how many of its records have it. */
struct vocabulary_word {
    const char *word; /* as PostgreSQL has it: any character may be in it */
    int sections;
    int titles;
    int products;
};

struct planned_term {
    struct vocabulary_word words[TERM_WORDS_MAX]; /* that the term stands for, the nearest first */
    size_t count;                                 /* 0: no record has it */
    int slips;                                    /* > 0: words that it may have been meant as */
};

/* Texts of PostgreSQL queries; NULL = none. */
struct search_plan {
    const char *titles;
    const char *rare;
    const char *common;
    const char *products;
    const char *products_common;
    const char *all; /* for ranking */
    const char *terms[TERMS_MAX];
};

/* Adds a word of the vocabulary to a term; `alike`: one that it may have been meant as. */
void search_plan_word(struct planned_term *term, const char *typed,
                      const struct vocabulary_word *word, bool alike);
/* `sections` and `products`: how many there are. */
void search_plan_make(struct arena *a, const struct planned_term *terms, size_t count, int sections,
                      int products, struct search_plan *plan);

#endif
