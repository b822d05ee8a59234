/* A schema and a value, with a NUL between: whatever is compiled is checked within bounds, twice
 * the same, and what is wrong has a place and a sentence. */
#include "core/arena.h"
#include "tool/schema.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_help(const struct tool_schema_fault *fault)
{
    if (fault->where[0] != '$' || fault->text[0] == '\0' ||
        !fd_utf8_valid(fault->where, strlen(fault->where)) ||
        !fd_utf8_valid(fault->text, strlen(fault->text)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, 5000};
    const uint8_t *cut = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t schema_len = cut != NULL ? (size_t)(cut - data) : size;
    struct tool_schema_fault fault, again;
    struct fd_json_fault broken;
    const struct fd_json *json;
    struct arena arena;

    arena_init(&arena);
    const struct tool_schema *schema =
        tool_schema_read(&arena, (const char *)data, schema_len, &json, &fault);
    if (schema == NULL) {
        must_help(&fault);
    } else if (cut != NULL) {
        const struct fd_json *value = fd_json_parse((const char *)cut + 1, size - schema_len - 1,
                                                    limits, arena_allocator(&arena), &broken);
        if (value != NULL) {
            bool good = tool_schema_check(schema, value, &fault);
            if (good != tool_schema_check(schema, value, &again))
                abort();
            if (!good)
                must_help(&fault);
        }
    }
    arena_free(&arena);
    return 0;
}
