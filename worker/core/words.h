/*
 * Words: a text cut into words in one normal form, for routing and for search.
 * Pure, and the same on every machine (no locale).
 *
 * Normal form: lower case; Hebrew and Arabic vowel points and invisible characters
 * dropped; apostrophes, geresh and gershayim inside a word are one "'" (won't,
 * l'avion, the Hebrew abbreviation of "e-mail"), a possessive 's is dropped.
 */
#ifndef FD_CORE_WORDS_H
#define FD_CORE_WORDS_H

#include "core/arena.h"

#include <stdbool.h>

#define WORD_BYTES_MAX  64 /* the rest of a longer word is dropped */
#define WORD_STARTS_MAX 6

struct word {
    const char *text; /* NUL terminated, in the arena; never empty */
    size_t len;
};

/* The first `max` words of a text; returns how many. */
size_t words_of(struct arena *a, const char *text, size_t len, struct word *words, size_t max);

/* Whether text without blanks is an e-mail or web address: its words say nothing. */
bool words_are_address(const char *text, size_t len);
/* Too common to search for: English and Hebrew function words, contractions. */
bool word_is_stop(const struct word *word);
bool word_is_ascii(const struct word *word);
bool word_is_hebrew(const struct word *word);
/* The word is `base` or an inflection of it: regular English endings, Hebrew with
 * its one-letter prefixes. */
bool word_is_form_of(const struct word *word, const struct word *base);
/* Byte offsets at which a Hebrew word may begin once its prefixes are off; the
 * first is 0, and at least two letters are left behind each. */
size_t word_starts(const struct word *word, size_t starts[WORD_STARTS_MAX]);

#endif
