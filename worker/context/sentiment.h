/*
 * Sentiment: what a model is asked of how a visitor's message sounds (ENG-14), and its answer
 * read. The message is data: whatever is in it, what comes of it is a number. Pure.
 */
#ifndef FD_CONTEXT_SENTIMENT_H
#define FD_CONTEXT_SENTIMENT_H

#include "core/arena.h"
#include "llm/provider.h"

#include <stdbool.h>

#define SENTIMENT_MOST   9    /* below 0 unhappy: from -9 to 9 */
#define SENTIMENT_TOKENS 1000 /* of the answer, with what a model thinks before it */
#define SENTIMENT_ANSWER 512  /* bytes of what it says: what is longer is none */

/* `rules`: prompt_sentiment(). */
void sentiment_request(struct arena *a, const char *rules, const char *message,
                       struct llm_request *request);
/* {"score": -3}, with nothing around it and nothing else in it. */
bool sentiment_read(const char *text, size_t len, int *score);

#endif
