/*
 * Stem: two words are the same for the built-in assistant when they share a stem -
 * the word itself, an English one without its ending, a Hebrew one without its
 * one-letter prefixes and plural ending. Pure.
 */
#ifndef FD_LLM_STEM_H
#define FD_LLM_STEM_H

#include "core/words.h"

#include <stdint.h>

#define STEMS_MAX (2 * WORD_STARTS_MAX)

struct stems {
    uint32_t hash[STEMS_MAX];
    size_t count;
};

void stems_of(struct stems *stems, const struct word *word);
bool stems_meet(const struct stems *a, const struct stems *b);

#endif
