/* A webhook's response: a status digit, a flag byte for what it is called, the body. What the
 * model is shown is JSON, bounded, and never an address. */
#include "core/arena.h"
#include "tool/reply.h"
#include "tool/webhook.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 202, 204, 400, 403, 404, 429, 500};
    static const char *const types[] = {"application/json", "text/html", "text/plain", ""};
    const struct tool_webhook hook = {.acknowledgement = size > 1 && (data[1] & 4) != 0};
    const struct tool tool = {.name = "t",
                              .risk = size > 1 && (data[1] & 8) != 0 ? TOOL_WRITE : TOOL_READ,
                              .url = "https://hooks.example/",
                              .webhook = &hook};
    const struct fd_json_limits limits = {31, 200000};
    struct fd_json_fault fault;
    struct tool_result result;
    struct arena arena;

    if (size < 2)
        return 0;
    arena_init(&arena);
    char *body = arena_strndup(&arena, (const char *)data + 2, size - 2);
    const struct outbound_response response = {.status = statuses[data[0] & 7],
                                               .content_type = types[data[1] & 3],
                                               .body = body,
                                               .body_len = size - 2};
    reply_read(&arena, &tool, &response, &result);
    if (result.len == 0 || result.len > TOOL_RESULT_MAX || strlen(result.json) != result.len ||
        fd_json_parse(result.json, result.len, limits, arena_allocator(&arena), &fault) == NULL)
        abort();
    if (result.operator_detail != NULL &&
        !fd_utf8_valid(result.operator_detail, strlen(result.operator_detail)))
        abort();
    arena_free(&arena);
    return 0;
}
