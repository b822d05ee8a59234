/* core/reason.h: whatever a sentence is made of, its reason is JSON, and known in no time. */
#include "core/arena.h"
#include "core/reason.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fd_json_limits limits = {.depth = 16, .nodes = 4096};
    struct fd_json_fault fault;
    struct buf json;
    struct arena a;
    char *text = malloc(size + 1);

    if (text == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    arena_init(&a);
    const char *reason = reason_text(&json, text);
    if (reason != NULL) {
        const struct fd_json *read =
            fd_json_parse(reason, strlen(reason), limits, arena_allocator(&a), &fault);
        if (read == NULL || fd_json_string(read, "code") == NULL)
            abort();
    }
    buf_free(&json);
    arena_free(&a);
    free(text);
    return 0;
}
