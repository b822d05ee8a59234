#define _GNU_SOURCE /* memmem */
#include "chat/trace.h"

#include "protocol/limits.h"

#include <string.h>

#define BYTES_MAX  1048576 /* of a whole trace: live Redis keeps it for some minutes */
#define SECRET_MIN 8       /* a shorter one would blot out words */
#define BLOT       "[secret]"

void trace_hide(struct trace *trace, const char *secret)
{
    if (secret == NULL || strlen(secret) < SECRET_MIN || trace->secret_count == TRACE_SECRETS_MAX)
        return;
    for (size_t i = 0; i < trace->secret_count; i++) {
        if (strcmp(trace->secrets[i], secret) == 0)
            return;
    }
    trace->secrets[trace->secret_count++] = secret;
}

void trace_begin(struct trace *trace, struct trace_event *event, const char *step, int64_t now_ms)
{
    event->trace = trace;
    buf_init(&event->data, FD_EVENT_DATA_MAX);
    buf_json(&event->data, &event->w);
    fd_jw_object(&event->w);
    fd_jw_member(&event->w, "step", step);
    fd_jw_member_int(&event->w, "at_ms", now_ms - trace->accepted_ms);
}

static void send(struct trace_event *event)
{
    struct trace *trace = event->trace;

    if (trace->cut)
        return;
    trace->bytes += event->data.len;
    trace->cut = trace->bytes > BYTES_MAX;
    if (trace->cut)
        outbox_event(trace->outbox, FD_EVENT_TRACE, "{\"step\":\"cut\"}", 14);
    else
        outbox_event(trace->outbox, FD_EVENT_TRACE, event->data.data, event->data.len);
}

void trace_end(struct trace_event *event)
{
    fd_jw_end_object(&event->w);
    if (buf_json_end(&event->data, &event->w))
        send(event);
    buf_free(&event->data);
}

/* The first of the secrets in text; NULL: there is none. */
static const char *find_secret(const struct trace *trace, const char *text, size_t len,
                               size_t *secret_len)
{
    const char *first = NULL;

    for (size_t i = 0; i < trace->secret_count; i++) {
        size_t size = strlen(trace->secrets[i]);
        const char *at = memmem(text, len, trace->secrets[i], size);
        if (at != NULL && (first == NULL || at < first)) {
            first = at;
            *secret_len = size;
        }
    }
    return first;
}

static void blot(const struct trace *trace, const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;
    const char *found;
    size_t size;

    while ((found = find_secret(trace, text, (size_t)(end - text), &size)) != NULL) {
        buf_append(out, text, (size_t)(found - text));
        buf_puts(out, BLOT);
        text = found + size;
    }
    buf_append(out, text, (size_t)(end - text));
}

void trace_text(struct trace *trace, const char *step, int64_t now_ms, trace_head_fn *head,
                void *arg, const char *text, size_t len)
{
    struct buf shown;
    size_t at = 0;

    if (trace->cut)
        return;
    buf_init(&shown, 2 * BYTES_MAX);
    blot(trace, text, len < BYTES_MAX ? len : BYTES_MAX, &shown);
    do {
        struct trace_event event;
        size_t fit = outbox_fit(shown.data + at, shown.len - at);
        trace_begin(trace, &event, step, now_ms);
        if (head != NULL)
            head(arg, &event.w);
        fd_jw_key(&event.w, "text");
        fd_jw_string(&event.w, shown.len > 0 ? shown.data + at : "", fit);
        at += fit;
        fd_jw_member_bool(&event.w, "more", at < shown.len);
        trace_end(&event);
    } while (at < shown.len && !trace->cut);
    buf_free(&shown);
}
