/*
 * Trace: how the events of a job's trace are written: bounded, long texts in pieces, without
 * the secrets that it was told of. What they say is job_trace.c's.
 */
#ifndef FD_CHAT_TRACE_H
#define FD_CHAT_TRACE_H

#include "chat/outbox.h"
#include "protocol/limits.h"

#define TRACE_SECRETS_MAX (2 * FD_TOOLS_MAX + 8)

struct trace {
    struct outbox *outbox;
    int64_t accepted_ms; /* unix */
    size_t bytes;        /* of what was told */
    bool cut;            /* it is as long as one may be */
    const char *secrets[TRACE_SECRETS_MAX];
    size_t secret_count;
};

struct trace_event {
    struct trace *trace;
    struct buf data;
    struct fd_json_writer w; /* for members */
};

/* Not to be shown from now on; it outlives the trace. NULL and short ones are none. */
void trace_hide(struct trace *trace, const char *secret);

/* {"step", "at_ms", what is written to w}: less than a kilobyte and a half where a text follows. */
void trace_begin(struct trace *trace, struct trace_event *event, const char *step, int64_t now_ms);
void trace_end(struct trace_event *event);

/* An event, or several with one piece each: text, and more: true but in the last. `head` writes
 * the other members; NULL = none. */
typedef void trace_head_fn(void *arg, struct fd_json_writer *w);
void trace_text(struct trace *trace, const char *step, int64_t now_ms, trace_head_fn *head,
                void *arg, const char *text, size_t len);

#endif
