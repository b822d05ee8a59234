/* Price: micro-dollars from usage. An unknown price is unknown, never 0. Pure. */
#ifndef FD_LLM_PRICE_H
#define FD_LLM_PRICE_H

#include "llm/provider.h"

/* Micro-dollars per million tokens; a cache price of -1: the input price. */
struct price {
    int64_t input, output, cache_read, cache_write;
};

/* -1 when price is NULL. Rounded up once, after summing; usage fields of -1 count 0. */
int64_t price_of(const struct price *price, const struct llm_usage *usage);
/* The most that a call can cost: the whole prompt at the dearest way to read it and an
 * answer of max_tokens. -1 where price_of() would say so. */
int64_t price_worst(const struct price *price, int64_t prompt_tokens, int64_t max_tokens);

/* False: the built-in provider and Ollama, a server of one's own. Where it is true, a
 * price that is not in the catalogue is unknown; where not, there is none to pay. */
bool price_is_due(const char *provider);

#endif
