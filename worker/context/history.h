/*
 * History: what of a conversation a model is shown (ENG-7). The newest turns that fit,
 * question and answer together; where not all fit, a message that is long for its share
 * is cut at the end of a sentence before another is left out. Pure.
 */
#ifndef FD_CONTEXT_HISTORY_H
#define FD_CONTEXT_HISTORY_H

#include "core/arena.h"
#include "llm/provider.h"

struct history {
    struct llm_message *messages; /* oldest first; begins with the user's */
    size_t count;
    size_t left_out;  /* at the front */
    size_t shortened; /* of those that are shown */
    int64_t tokens;   /* estimated */
};

/* In `a`, what is not cut points at the messages given. */
void history_fit(struct arena *a, const struct llm_message *messages, size_t count,
                 int64_t max_tokens, struct history *history);

/* The text's beginning, at most so many tokens, up to the end of a sentence, a line or a word,
 * with HISTORY_CUT behind it; the text itself where it fits. */
#define HISTORY_CUT " [...]"
const char *history_shorten(struct arena *a, const char *text, int64_t max_tokens);

#endif
