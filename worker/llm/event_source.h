/*
 * Event source: server-sent events out of a provider's response body. On top of
 * net/sse.h it tells of comments (they prove life) and recognises what is no
 * event stream at all: a JSON error or an HTML page under status 200.
 */
#ifndef FD_LLM_EVENT_SOURCE_H
#define FD_LLM_EVENT_SOURCE_H

#include "llm/stream.h"
#include "net/sse.h"

struct event_source {
    struct sse sse;
    struct buf document;
    enum { SOURCE_UNKNOWN, SOURCE_EVENTS, SOURCE_DOCUMENT } kind;
    bool line_start;
};

void event_source_init(struct event_source *source);
void event_source_free(struct event_source *source);
/* fn's arg is the stream. */
void event_source_feed(struct event_source *source, struct llm_stream *s, const char *bytes,
                       size_t len, sse_event_fn *fn);
/* The body is over: offers a last event that no blank line ended. */
void event_source_end(struct event_source *source, struct llm_stream *s, sse_event_fn *fn);

#endif
