/* Kin: words that people use for one another when they ask a shop something, in
 * English and Hebrew, so that "shipping" finds "delivery". Pure. */
#ifndef FD_LLM_KIN_H
#define FD_LLM_KIN_H

#include "llm/stem.h"

#define KIN_MAX 8

struct kin {
    struct stems list[KIN_MAX];
    size_t count;
};

/* The other words of the term's group; none where it is in no group. */
void kin_of(struct arena *a, const struct stems *term, struct kin *kin);

#endif
