/*
 * Summarizer: keeps the summaries of long conversations up to date (ENG-7), after answers and
 * beside them: no answer waits for it, and what it cannot do is tried after a later turn. On
 * the loop.
 */
#ifndef FD_CHAT_SUMMARIZER_H
#define FD_CHAT_SUMMARIZER_H

#include "chat/engine.h"

struct summarizer;

struct summarizer *summarizer_new(struct engine *engine);
/* An answer of a conversation that prompts no longer show whole was committed. Copies what it
 * needs; a conversation that is waiting or at work already is not taken twice. */
void summarizer_tell(struct summarizer *summarizer, struct tenant *tenant, const char *session,
                     const char *conversation, const char *language);
void summarizer_stop(struct summarizer *summarizer); /* begins nothing any more */
/* Hangs up: the loop is about to stop. What a thread works on stays. */
void summarizer_drop(struct summarizer *summarizer);
void summarizer_free(struct summarizer *summarizer); /* once the pool is gone */

#endif
