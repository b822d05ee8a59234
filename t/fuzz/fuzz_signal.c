/* chat/signal.h: whatever a visitor writes has a mood, and always the same. */
#include "chat/signal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    const struct llm_message history[] = {{.role = LLM_USER, .text = text},
                                          {.role = LLM_USER, .text = text}};
    int mood = signal_mood(text, size);
    if (mood != signal_mood(text, size) || mood < -9 || mood > 9)
        abort();
    signal_asks_for_person(text, size);
    signal_repeats(text, history, 2);
    free(text);
    return 0;
}
