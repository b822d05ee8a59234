/* What the reader takes, the writer writes, and the reader takes that again. */
#include "core/arena.h"
#include "core/buf.h"
#include "protocol/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_clean(const struct fd_json *value)
{
    if (value->text != NULL &&
        (!fd_utf8_valid(value->text, value->text_len) || strlen(value->text) != value->text_len))
        abort();
    for (const struct fd_json *child = value->child; child != NULL; child = child->next)
        must_be_clean(child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fd_json_limits limits = {0};
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct arena arena;
    struct buf out;
    struct fd_json *json;

    arena_init(&arena);
    buf_init(&out, 1 << 24);
    json = fd_json_parse((const char *)data, size, limits, arena_allocator(&arena), &fault);
    if (json == NULL) {
        if (fault.error == FD_JSON_OK || fault.offset > size ||
            !fd_utf8_valid(fault.where, strlen(fault.where)))
            abort();
    } else {
        must_be_clean(json);
        buf_json(&out, &w);
        fd_jw_json(&w, json);
        if (!buf_json_end(&out, &w) ||
            fd_json_parse(out.data, out.len, limits, arena_allocator(&arena), &fault) == NULL)
            abort();
    }
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
