/*
 * Phrases: words and short phrases made ready once, to be found in many texts. A text's
 * word is compared only with the phrases that begin as it does, so that a long text and
 * a long list cost a sum, not a product. Forms count (words.h). Pure.
 */
#ifndef FD_CORE_PHRASES_H
#define FD_CORE_PHRASES_H

#include "core/words.h"

#include <stdbool.h>
#include <stddef.h>

#define PHRASE_WORDS_MAX 8 /* "where is my order"; the rest of a longer one is dropped */

struct phrases; /* in the arena that it was made in */

struct phrases *phrases_new(struct arena *a, size_t most);
/* A phrase's number is how many were added before it. One without a letter or a digit
 * has its number, too, and is never found. No more than `most`. */
void phrases_add(struct phrases *phrases, struct arena *a, const char *text);
size_t phrases_count(const struct phrases *phrases);
/* Words of a phrase: a longer one says more. */
size_t phrases_words(const struct phrases *phrases, size_t number);
/* Sets said[number] of each phrase that the words contain side by side. */
void phrases_find(const struct phrases *phrases, const struct word *words, size_t count,
                  bool *said);

#endif
