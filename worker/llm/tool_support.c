#define _GNU_SOURCE /* strcasestr */

#include "llm/tool_support.h"

#include <string.h>

#define SEPARATORS ", \t"

/* FNV-1a: a collision gives a model the prompt protocol, which works as well. */
static uint64_t name_hash(const char *endpoint, const char *model)
{
    uint64_t hash = 14695981039346656037u;
    const char *const parts[] = {endpoint, " ", model};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (const char *c = parts[i]; *c != '\0'; c++)
            hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    }
    return hash;
}

static bool is_listed(const char *list, const char *model)
{
    size_t len = strlen(model);
    while (list != NULL && *list != '\0') {
        list += strspn(list, SEPARATORS);
        size_t word = strcspn(list, SEPARATORS);
        if (word == len && memcmp(list, model, len) == 0)
            return len > 0;
        list += word;
    }
    return false;
}

static bool is_learnt(const struct tool_support *support, uint64_t hash)
{
    size_t known = support->count < TOOL_SUPPORT_MODELS ? support->count : TOOL_SUPPORT_MODELS;
    for (size_t i = 0; i < known; i++) {
        if (support->learnt[i] == hash)
            return true;
    }
    return false;
}

bool tool_support_native(const struct tool_support *support, const char *endpoint,
                         const char *model)
{
    return !is_listed(support->configured, model) &&
           !is_learnt(support, name_hash(endpoint, model));
}

void tool_support_learn(struct tool_support *support, const char *endpoint, const char *model)
{
    uint64_t hash = name_hash(endpoint, model);
    if (!is_learnt(support, hash))
        support->learnt[support->count++ % TOOL_SUPPORT_MODELS] = hash;
}

bool tool_support_refused(const struct llm_error *error)
{
    static const char *const phrases[] = {
        "does not support tools",            /* Ollama */
        "endpoints found that support tool", /* OpenRouter */
        "tool choice requires",              /* vLLM */
        "requires --jinja",                  /* llama.cpp */
    };
    if (error->status < 400)
        return false;
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (strcasestr(error->message, phrases[i]) != NULL)
            return true;
    }
    return false;
}
