/*
 * Score: which of the records that the database found are worth their tokens. Pure.
 *
 * A candidate's score is the share of the question's terms it has, rare ones and
 * those in its title counting more, plus the full text's rank. What scores far below the best is
 * dropped: it would fill the context and send a plain question to the reasoning tier.
 */
#ifndef FD_CONTEXT_SCORE_H
#define FD_CONTEXT_SCORE_H

#include "context/chunk.h"

#include <stdbool.h>
#include <stdint.h>

#define SCORE_KEEP_SHARE 0.3 /* of the best score */

struct candidate {
    struct snippet snippet;
    uint64_t terms;       /* bit n: it has term n */
    uint64_t title_terms; /* of these, in its title */
    double text_rank;     /* ts_rank(), >= 0 */
    double similarity;    /* to the terms that nothing has, 0..1 each */
    bool own_language;    /* written in the language of the question */
};

/* Sets the scores, sorts by them, drops zeros and the far; returns how many stay. */
size_t score_candidates(struct candidate *candidates, size_t count);

#endif
