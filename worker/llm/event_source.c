#include "llm/event_source.h"

#include "llm/error.h"

#include <string.h>

#define DOCUMENT_MAX 65536

void event_source_init(struct event_source *source)
{
    *source = (struct event_source){.kind = SOURCE_UNKNOWN, .line_start = true};
    sse_init(&source->sse, LLM_EVENT_BYTES_MAX);
    buf_init(&source->document, DOCUMENT_MAX);
}

void event_source_free(struct event_source *source)
{
    sse_free(&source->sse);
    buf_free(&source->document);
}

/* No field of an event stream begins like this. */
static void recognise(struct event_source *source, char first)
{
    bool document = first == '{' || first == '[' || first == '<';
    source->kind = document ? SOURCE_DOCUMENT : SOURCE_EVENTS;
}

static void feed_events(struct event_source *source, struct llm_stream *s, const char *bytes,
                        size_t len, sse_event_fn *fn)
{
    while (len > 0 && !s->stopped) {
        if (source->line_start && *bytes == ':') {
            stream_emit(s, &(struct llm_event){.type = LLM_EVENT_KEEPALIVE});
        }
        const char *end = memchr(bytes, '\n', len);
        size_t line = end != NULL ? (size_t)(end - bytes) + 1 : len;
        if (!sse_feed(&source->sse, bytes, line, fn, s)) {
            break;
        }
        source->line_start = end != NULL;
        bytes += line;
        len -= line;
    }
    if (sse_over(&source->sse)) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "an event of more than %d bytes", LLM_EVENT_BYTES_MAX);
    }
}

void event_source_feed(struct event_source *source, struct llm_stream *s, const char *bytes,
                       size_t len, sse_event_fn *fn)
{
    while (source->kind == SOURCE_UNKNOWN && len > 0) {
        if (strchr(" \t\r\n", *bytes) != NULL && *bytes != '\0') {
            bytes++;
            len--;
        } else {
            recognise(source, *bytes);
        }
    }
    if (source->kind == SOURCE_EVENTS) {
        feed_events(source, s, bytes, len, fn);
    } else if (len > 0 && !buf_append(&source->document, bytes, len)) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "a document instead of an event stream");
    }
}

void event_source_end(struct event_source *source, struct llm_stream *s, sse_event_fn *fn)
{
    s->at_end = true;
    if (s->stopped) {
        return;
    }
    if (source->kind == SOURCE_EVENTS && sse_partial(&source->sse)) {
        feed_events(source, s, "\n\n", 2, fn);
    }
    if (source->kind == SOURCE_DOCUMENT) {
        const char *text = source->document.data;
        const struct fd_json *error = llm_error_find(stream_parse(s, text, source->document.len));
        if (error != NULL) {
            stream_fail_json(s, error);
        } else {
            stream_fail(s, LLM_ERROR_PROTOCOL, "a document instead of an event stream");
        }
    }
}
