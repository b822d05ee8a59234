/*
 * Summary: what the messages that a model is not shown any more said (ENG-7), made step by
 * step from the summary so far and the messages behind it. All of it is what visitors and
 * models wrote: data, shown to a model as a note in the conversation, never among the
 * rules. Pure.
 */
#ifndef FD_CONTEXT_SUMMARY_H
#define FD_CONTEXT_SUMMARY_H

#include "core/arena.h"
#include "llm/provider.h"

#include <stdbool.h>

#define SUMMARY_FROM     16   /* messages that no summary has: it is time for one */
#define SUMMARY_KEEP     8    /* the newest of them stay out of it */
#define SUMMARY_BATCH    60   /* messages of one step */
#define SUMMARY_TOKENS   400  /* of a model's summary */
#define SUMMARY_TEXT_MAX 2400 /* bytes that are kept */

struct summary {
    const char *text; /* "" = there is none */
    int messages;     /* that it tells of, from the first on */
};

/* What a model is asked. `before` is the text so far; language NULL = not known. */
void summary_request(struct arena *a, const char *before, const struct llm_message *messages,
                     size_t count, const char *language, struct llm_request *request);
/* The same without a model: sentences of the messages themselves, one a line. */
const char *summary_extract(struct arena *a, const char *before, const struct llm_message *messages,
                            size_t count);
/* What a model wrote, as it may be kept; NULL: nothing is left. */
const char *summary_clean(struct arena *a, const char *text);

/* How a prompt shows it: a note and its receipt, before the first message. */
void summary_show(const char *text, struct arena *a, struct llm_message note[2]);

#endif
