/* llm/prompt_tools.h: whatever a model writes, in whatever fragments. */
#include "llm/prompt_tools.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool hear(void *arg, const struct llm_event *event)
{
    size_t *calls = arg;
    if (event->type == LLM_EVENT_TOOL_END) {
        (*calls)++;
        if (event->text == NULL || event->text[0] != '{' || strlen(event->name) > 64)
            abort();
    } else if (event->type != LLM_EVENT_TEXT || event->text_len == 0 || *calls > 0) {
        abort();
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct prompt_tools_scan scan;
    size_t calls = 0, step = 1 + data[0] % 16;
    prompt_tools_init(&scan);
    for (size_t at = 1; at < size; at += step) {
        size_t len = size - at < step ? size - at : step;
        (void)prompt_tools_feed(&scan, (const char *)data + at, len, hear, &calls);
    }
    (void)prompt_tools_end(&scan, hear, &calls);
    prompt_tools_free(&scan);
    return 0;
}
