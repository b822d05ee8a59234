/* A request that is taken has a canonical form, which reads and writes the same. */
#include "canonical_form.h"
#include "protocol/chat_request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool canonical(struct arena *arena, const char *text, size_t len, struct buf *out)
{
    const struct fd_json_limits limits = {0};
    struct fd_json_fault json_fault;
    struct fd_field_fault fault;
    struct fd_chat_request request;
    struct fd_session_request start;
    struct fd_json_writer w;
    struct fd_json *json = fd_json_parse(text, len, limits, arena_allocator(arena), &json_fault);

    if (json == NULL)
        return false;
    fd_session_request_read(json, &start, &fault);
    if (!fd_chat_request_read(json, &request, &fault)) {
        if (!fd_utf8_valid(fault.field, strlen(fault.field)) || fault.detail[0] == '\0')
            abort();
        return false;
    }
    buf_json(out, &w);
    fd_chat_request_write(&w, &request);
    if (!buf_json_end(out, &w))
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    canonical_form_check(canonical, data, size);
    return 0;
}
