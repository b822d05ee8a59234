/* Plain is valid UTF-8 and no longer than its bound; parts are in order, within the text and
 * their limit, and none is empty. */
#include "chat/channel_text.h"

#include "core/utf8.h"
#include "protocol/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct channel_part parts[CHANNEL_PARTS_MAX];
    struct buf out;

    if (size < 1)
        return 0;
    buf_init(&out, 1 << 20);
    channel_text_plain(&out, (const char *)data + 1, size - 1);
    if (out.len > 0 && !fd_utf8_valid(out.data, out.len))
        abort();
    size_t limit = data[0] + 1u, count = 0;
    if (out.len > 0)
        count = channel_text_split(out.data, out.len, limit, parts);
    const char *from = out.data;
    for (size_t i = 0; i < count; i++) {
        size_t points = 0;
        if (parts[i].len == 0 || parts[i].s < from ||
            parts[i].s + parts[i].len > out.data + out.len)
            abort();
        from = parts[i].s + parts[i].len;
        for (const char *at = parts[i].s; at < from; points++)
            utf8_next(&at, from);
        if (points > limit)
            abort();
    }
    buf_free(&out);
    return 0;
}
