/*
 * Score: which of the records that the database found are worth their tokens. Pure.
 *
 * A candidate's score is the share of the question's terms it has, rare ones and
 * those in its title counting more, plus the full text's rank; a little more where it is new,
 * near to what the conversation was about, or beside another that was found. What scores far
 * below the best is dropped: it would fill the context and send a plain question to the
 * reasoning tier.
 */
#ifndef FD_CONTEXT_SCORE_H
#define FD_CONTEXT_SCORE_H

#include "context/chunk.h"

#include <stdbool.h>
#include <stdint.h>

#define SCORE_KEEP_SHARE 0.3 /* of the best score */
#define SCORE_TERMS_MAX  64

struct candidate {
    struct snippet snippet;
    uint64_t terms;       /* bit n: it has term n */
    uint64_t title_terms; /* of these, in its title */
    uint64_t near_terms;  /* bit n: it has word n of the topic or of the page */
    double text_rank;     /* ts_rank(), >= 0 */
    double age_days;      /* < 0 = unknown */
    bool own_language;    /* written in the language of the question */
    const char *family;   /* the article that it is a section of; NULL = of none */
    int position;         /* in it */
    double bonus;         /* for its neighbours; score_candidates() */
};

/* What is known of the question's terms beyond the candidates. */
struct score_terms {
    size_t count;
    uint64_t mistyped;           /* bit n: what is found is another word like it */
    int having[SCORE_TERMS_MAX]; /* how many records have it; 0 = none */
    int total;                   /* records there are */
    size_t near_count;           /* words of the topic and of the page */
};

/* Sets scores and reasons, sorts by score, drops zeros and the far; returns how many stay. */
size_t score_candidates(struct candidate *candidates, size_t count,
                        const struct score_terms *terms);
/* Below it the sources do not answer. */
#define GROUNDING_WEAK 0.3
/* How much of the question the best of them speaks to: 0..1. */
double score_grounding(const struct candidate *candidates, size_t count,
                       const struct score_terms *terms);

#endif
