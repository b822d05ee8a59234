/* Rank: which sentences of a context answer a question, by the words they share.
 * Pure and deterministic. */
#ifndef FD_LLM_RANK_H
#define FD_LLM_RANK_H

#include "llm/passage.h"

#include <stdbool.h>

#define PICKS_MAX 3

struct ranking {
    struct passage picks[PICKS_MAX]; /* in the order of the context */
    size_t count;                    /* 0: nothing in the context is about it */
    bool asks;                       /* the question has a word to search for */
};

void rank_passages(struct arena *a, const char *question, const char *context,
                   struct ranking *ranking);

#endif
