/* Two JSON values, a line each: stored settings and a change. What is taken can be read
 * again, and taken again without change. */
#include "tenant/ai_settings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define AT "2026-01-01T00:00:00Z"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fd_json *parse(struct arena *a, const char *text, size_t len)
{
    struct fd_json_fault fault;
    return fd_json_parse(text, len, (struct fd_json_limits){.nodes = 65536}, arena_allocator(a),
                         &fault);
}

static void take_again(struct arena *a, const struct buf *first)
{
    struct ai_fault fault;
    struct buf second;
    const struct fd_json *now = parse(a, first->data, first->len);

    buf_init(&second, AI_SETTINGS_BYTES_MAX);
    if (now == NULL || !ai_settings_merge(a, now, parse(a, "{}", 2), AT, &second, &fault) ||
        strcmp(first->data, second.data) != 0)
        abort();
    buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *line = memchr(data, '\n', size);
    size_t first = line != NULL ? (size_t)(line - text) : size;
    struct ai_fault fault;
    struct buf out;
    struct arena a;

    arena_init(&a);
    buf_init(&out, AI_SETTINGS_BYTES_MAX);
    const struct fd_json *now = parse(&a, text, first);
    const struct fd_json *patch =
        line != NULL ? parse(&a, line + 1, size - first - 1) : parse(&a, "{}", 2);
    if (now != NULL && patch != NULL) {
        if (ai_settings_merge(&a, now, patch, AT, &out, &fault))
            take_again(&a, &out);
        else if (fault.detail[0] == '\0')
            abort();
    }
    struct fd_json_writer w;
    buf_reset(&out);
    buf_json(&out, &w);
    fd_jw_object(&w);
    ai_settings_assign(&w, arena_strndup(&a, text, first), &fault);
    fd_jw_end_object(&w);
    buf_json_end(&out, &w);
    buf_free(&out);
    arena_free(&a);
    return 0;
}
