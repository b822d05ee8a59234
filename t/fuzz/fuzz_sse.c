/* The first byte says where the rest is split: both ways give the same events. */
#include "net/sse.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EVENT 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool collect(void *arg, const char *event, const char *data, size_t len)
{
    buf_puts(arg, event);
    buf_append(arg, "\0", 1);
    buf_append(arg, data, len);
    buf_append(arg, "\0", 1);
    return true;
}

static bool feed(const char *bytes, size_t len, size_t step, struct buf *out)
{
    struct sse sse;
    bool ok = true;

    sse_init(&sse, MAX_EVENT);
    for (size_t at = 0; ok && at < len; at += step)
        ok = sse_feed(&sse, bytes + at, len - at < step ? len - at : step, collect, out);
    ok = ok && !sse_partial(&sse);
    sse_free(&sse);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, split;
    bool whole_ok, split_ok;

    if (size < 2 || data[0] == 0)
        return 0;
    buf_init(&whole, 1 << 24);
    buf_init(&split, 1 << 24);
    whole_ok = feed((const char *)data + 1, size - 1, size, &whole);
    split_ok = feed((const char *)data + 1, size - 1, data[0], &split);
    if (whole_ok != split_ok || whole.len != split.len ||
        (whole.len > 0 && memcmp(whole.data, split.data, whole.len) != 0))
        abort();
    buf_free(&whole);
    buf_free(&split);
    return 0;
}
