/*
 * Prompt: the system prompt and the user's turn (ENG-12), from files under
 * conf/prompts with {{name}} placeholders of a fixed list. Values are inserted as
 * they are and never expanded again.
 */
#ifndef FD_CHAT_PROMPT_H
#define FD_CHAT_PROMPT_H

#include "core/arena.h"

#include <stdbool.h>

struct prompt_values {
    const char *org_name;
    const char *language; /* "en", "he": which variant, and the language to answer in */
    const char *tone;     /* may be NULL */
    const char *own_text; /* the org's own system text, may be NULL */
    const char *context;  /* chunk_join() */
    const char *question;
};

struct prompt_set; /* the files, read once at start */

/* NULL: a file is missing or has an unknown placeholder; error names it. */
struct prompt_set *prompt_load(const char *directory, char error[256]);
void prompt_free(struct prompt_set *set);
const char *prompt_system(const struct prompt_set *set, struct arena *a,
                          const struct prompt_values *values);
/* The "Context:" block and the question, as one user turn. */
const char *prompt_turn(const struct prompt_set *set, struct arena *a,
                        const struct prompt_values *values);

#endif
