#include "net/sse.h"

#include <string.h>

#define PAST_START 4
#define FIELD_NAME 16 /* what a line holds besides its value */

static const char bom[] = "\xef\xbb\xbf";

void sse_init(struct sse *sse, size_t max_event)
{
    *sse = (struct sse){0};
    buf_init(&sse->line, max_event + FIELD_NAME);
    buf_init(&sse->data, max_event);
    buf_init(&sse->event, max_event);
}

void sse_free(struct sse *sse)
{
    buf_free(&sse->line);
    buf_free(&sse->data);
    buf_free(&sse->event);
}

bool sse_over(const struct sse *sse)
{
    return sse->line.over || sse->data.over || sse->event.over;
}

bool sse_partial(const struct sse *sse)
{
    return sse->line.len > 0 || sse->event.len > 0 || sse->has_data;
}

static bool dispatch(struct sse *sse, sse_event_fn *fn, void *arg)
{
    const char *event = sse->event.len > 0 ? sse->event.data : "";
    const char *data = sse->data.len > 0 ? sse->data.data : "";
    bool go_on = true;

    if (sse->has_data)
        go_on = fn(arg, event, data, sse->data.len);
    buf_reset(&sse->data);
    buf_reset(&sse->event);
    sse->has_data = false;
    return go_on;
}

static bool is_field(const char *line, size_t name_len, const char *name)
{
    return strlen(name) == name_len && memcmp(line, name, name_len) == 0;
}

/* `id` and `retry` are for a client that reconnects; a provider's stream cannot be
 * resumed, so they are skipped like any unknown field. */
static bool take_line(struct sse *sse, const char *line, size_t len, sse_event_fn *fn, void *arg)
{
    const char *colon;
    const char *value;
    size_t name_len, value_len;

    if (len == 0)
        return dispatch(sse, fn, arg);
    colon = memchr(line, ':', len);
    name_len = colon != NULL ? (size_t)(colon - line) : len;
    value = colon != NULL ? colon + 1 : line + len;
    value_len = (size_t)(line + len - value);
    if (value_len > 0 && *value == ' ') {
        value++;
        value_len--;
    }
    if (is_field(line, name_len, "data")) {
        if (sse->has_data && !buf_append(&sse->data, "\n", 1))
            return false;
        sse->has_data = true;
        return buf_append(&sse->data, value, value_len);
    }
    if (is_field(line, name_len, "event")) {
        buf_reset(&sse->event);
        return buf_append(&sse->event, value, value_len);
    }
    return true;
}

/* A line that came in pieces is joined first; the usual one is read where it lies. */
static bool end_line(struct sse *sse, const char *tail, size_t len, sse_event_fn *fn, void *arg)
{
    bool go_on;

    if (sse->line.len == 0 && len <= sse->line.max)
        return take_line(sse, tail, len, fn, arg);
    if (!buf_append(&sse->line, tail, len))
        return false;
    go_on = take_line(sse, sse->line.data, sse->line.len, fn, arg);
    buf_reset(&sse->line);
    return go_on;
}

/* Drops a byte order mark at the very start, which may itself come in pieces; what
 * only began like one is text. Returns how many bytes were taken. */
static size_t skip_bom(struct sse *sse, const char *bytes, size_t len)
{
    size_t taken = 0;

    while (sse->bom < sizeof(bom) - 1 && taken < len && bytes[taken] == bom[sse->bom]) {
        sse->bom++;
        taken++;
    }
    if (taken == len && sse->bom < sizeof(bom) - 1)
        return taken;
    if (sse->bom < sizeof(bom) - 1)
        buf_append(&sse->line, bom, sse->bom);
    sse->bom = PAST_START;
    return taken;
}

static size_t line_length(const char *bytes, size_t len)
{
    const char *lf = memchr(bytes, '\n', len);
    size_t until = lf != NULL ? (size_t)(lf - bytes) : len;
    const char *cr = memchr(bytes, '\r', until);

    return cr != NULL ? (size_t)(cr - bytes) : until;
}

bool sse_feed(struct sse *sse, const char *bytes, size_t len, sse_event_fn *fn, void *arg)
{
    size_t at = sse->bom < PAST_START ? skip_bom(sse, bytes, len) : 0;

    while (at < len) {
        size_t line;
        bool go_on;

        if (sse->after_cr && bytes[at] == '\n') {
            sse->after_cr = false; /* the second half of CR LF */
            at++;
            continue;
        }
        sse->after_cr = false;
        line = line_length(bytes + at, len - at);
        if (at + line == len)
            return buf_append(&sse->line, bytes + at, line);
        sse->after_cr = bytes[at + line] == '\r';
        go_on = end_line(sse, bytes + at, line, fn, arg);
        if (!go_on)
            return false;
        at += line + 1;
    }
    return !sse_over(sse);
}
