/* A clause of a sentence, as the languages of claims.c judge it. */
#ifndef FD_TOOL_CLAIMS_CLAUSE_H
#define FD_TOOL_CLAIMS_CLAUSE_H

#include "core/words.h"
#include "tool/claims.h"

#include <stdbool.h>
#include <stddef.h>

#define CLAUSE_WORDS_MAX 64

struct clause {
    struct word words[CLAUSE_WORDS_MAX];
    size_t count;
    bool first;     /* of the text */
    bool exclaimed; /* ends with "!" */
    bool hebrew;    /* has a Hebrew word */
};

struct word_list {
    const char *const *words;
    size_t count;
};
/* A list where it is used, for a few words; and one with a name. */
#define WORD_LIST(...)                                                                             \
    ((struct word_list){(const char *const[]){__VA_ARGS__},                                        \
                        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)})
#define WORDS(name_, ...)                                                                          \
    static const char *const name_##_words[] = {__VA_ARGS__};                                      \
    static const struct word_list name_ = {name_##_words,                                          \
                                           sizeof(name_##_words) / sizeof(name_##_words[0])}

bool clause_word_is(const struct clause *c, size_t at, struct word_list list);
/* Is one of them among words [from, to)? */
bool clause_has(const struct clause *c, size_t from, size_t to, struct word_list list);

/* What it claims beyond the deeds that were done. */
enum tool_claim english_claim(const struct clause *c, unsigned deeds);
bool english_asks(const struct clause *c);   /* begins as a question */
bool english_hedges(const struct clause *c); /* what follows is not its own word */
bool english_drafts(const struct clause *c); /* what follows is a text to be sent */

enum tool_claim hebrew_claim(const struct clause *c, unsigned deeds);
bool hebrew_asks(const struct clause *c);
bool hebrew_hedges(const struct clause *c);
bool hebrew_drafts(const struct clause *c);

#endif
