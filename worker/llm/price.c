#include "llm/price.h"

#include <string.h>

#define MILLION 1000000

static unsigned __int128 cost(int64_t tokens, int64_t price)
{
    return tokens > 0 ? (unsigned __int128)tokens * (unsigned __int128)price : 0;
}

int64_t price_of(const struct price *price, const struct llm_usage *usage)
{
    if (price == NULL || price->input < 0 || price->output < 0) {
        return -1;
    }
    int64_t read = price->cache_read >= 0 ? price->cache_read : price->input;
    int64_t write = price->cache_write >= 0 ? price->cache_write : price->input;
    unsigned __int128 sum = cost(usage->input, price->input) + cost(usage->output, price->output) +
                            cost(usage->cache_read, read) + cost(usage->cache_write, write);
    sum = (sum + MILLION - 1) / MILLION;
    return sum < INT64_MAX ? (int64_t)sum : INT64_MAX;
}

int64_t price_worst(const struct price *price, int64_t prompt_tokens, int64_t max_tokens)
{
    struct llm_usage read = {.input = prompt_tokens, .output = max_tokens};
    struct llm_usage written = {.cache_write = prompt_tokens, .output = max_tokens};
    int64_t a = price_of(price, &read);
    int64_t b = price_of(price, &written);
    return a > b ? a : b;
}

bool price_is_due(const char *provider)
{
    return strcmp(provider, "builtin") != 0 && strcmp(provider, "ollama") != 0;
}
