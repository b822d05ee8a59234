/*
 * Prompt: the system prompt and the user's turn (ENG-12), from the files of a directory,
 * English and Hebrew, in the language of context/prompt_template.h; and what a model is told
 * that rates a message (ENG-14). docs/prompts.md lists the names that they may use.
 */
#ifndef FD_CONTEXT_PROMPT_H
#define FD_CONTEXT_PROMPT_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct prompt_values {
    const char *org_name;
    const char *language; /* "en", "he": which variant, and the language to answer in */
    /* what the organisation says of itself; NULL = nothing */
    const char *tone;
    const char *hours;
    const char *timezone;
    const char *currency;
    const char *contact;
    const char *shipping_zones;
    const char *own_text; /* its own system text */
    const char *tools;    /* names of those that are offered; NULL = none */
    int64_t now_ms;       /* unix */
    int utc_offset_s;     /* of its clock */
    const char *context;  /* chunk_join() */
    const char *question;
    bool ungrounded; /* nothing in the context speaks to the question */
    bool insist;     /* the last answer was in another language */
};

struct prompt_set; /* the files, read once at start */

/* NULL: a file is missing or something is wrong in it; error has file, line and what would
 * be right. */
struct prompt_set *prompt_load(const char *directory, char error[256]);
void prompt_free(struct prompt_set *set);
const char *prompt_system(const struct prompt_set *set, struct arena *a,
                          const struct prompt_values *values);
/* The "Context:" block and the question, as one user turn. */
const char *prompt_turn(const struct prompt_set *set, struct arena *a,
                        const struct prompt_values *values);
/* How a message's mood is rated: context/sentiment.h. */
const char *prompt_sentiment(const struct prompt_set *set, struct arena *a);

#endif
