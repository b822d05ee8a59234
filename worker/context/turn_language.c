#include "context/turn_language.h"

#include "core/language.h"

#include <string.h>

const char *turn_language(const char *question, size_t len, const struct llm_message *history,
                          size_t history_count, const char *own)
{
    if (language_is_clear(question, len))
        return language_of(question, len, own);
    for (size_t i = history_count; i > 0; i--) {
        const struct llm_message *said = &history[i - 1];
        if (said->role == LLM_USER && language_is_clear(said->text, strlen(said->text)))
            return language_of(said->text, strlen(said->text), own);
    }
    return own;
}
