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

#endif
