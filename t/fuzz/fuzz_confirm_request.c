/* protocol/confirm_request.h: whatever body stands for a visitor's word. */
#include "core/arena.h"
#include "protocol/confirm_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct fd_json_fault json_fault;
    struct fd_confirm_request request;
    struct fd_field_fault fault;
    arena_init(&a);
    const struct fd_json *body = fd_json_parse((const char *)data, size, (struct fd_json_limits){0},
                                               arena_allocator(&a), &json_fault);
    if (body != NULL && fd_confirm_request_read(body, &request, &fault)) {
        if (request.call_id.len != FD_CALL_ID_LEN || strlen(request.call_id.s) != FD_CALL_ID_LEN)
            abort();
        if (strcmp(request.decision, FD_CONFIRM_ACCEPT) != 0 &&
            strcmp(request.decision, FD_CONFIRM_DECLINE) != 0)
            abort();
    } else if (body != NULL && strlen(fault.field) + strlen(fault.detail) == 0) {
        abort();
    }
    arena_free(&a);
    return 0;
}
