/*
 * Stream: what the decoders of all protocols share - one JSON value at a time in
 * an arena, events out, errors latched - and the tool calls of an answer, which
 * arrive in fragments.
 */
#ifndef FD_LLM_STREAM_H
#define FD_LLM_STREAM_H

#include "llm/provider.h"
#include "protocol/limits.h"

#define LLM_EVENT_BYTES_MAX    1048576 /* of one SSE event or one line of NDJSON */
#define LLM_TOOL_CALLS_MAX     64
#define LLM_TOOL_ARGUMENTS_MAX 262144
#define LLM_TOOL_ID_MAX        16384 /* some gateways carry a signature in the id */
#define LLM_TOOL_NAME_MAX      256

struct tool_call;

struct llm_stream {
    struct llm_decoder *decoder;
    llm_event_fn *fn;
    void *arg;
    struct arena arena; /* of the event being decoded */
    struct tool_call *calls[LLM_TOOL_CALLS_MAX];
    size_t call_count;
    char model[FD_MODEL_ID_MAX + 1];
    char seed[128]; /* the provider's name of this answer: makes our own call ids unique */
    bool stopped;   /* the caller has enough, or an error is set */
    bool emitted;   /* by the event being decoded */
    bool at_end;    /* the body is over: what does not parse was cut, not wrong */
};

/* A decoder without findings. */
void decoder_reset(struct llm_decoder *decoder, void *state);

void stream_init(struct llm_stream *s);
void stream_free(struct llm_stream *s);
/* At the top of every decode() and decode_end(). */
void stream_enter(struct llm_stream *s, struct llm_decoder *decoder, llm_event_fn *fn, void *arg);

/* Around one event of the provider's: frees what it was parsed into, and tells of
 * an event without content as KEEPALIVE. */
void stream_event_begin(struct llm_stream *s);
void stream_event_end(struct llm_stream *s);

/* The value in the arena; NULL if it is not strict JSON. */
const struct fd_json *stream_parse(struct llm_stream *s, const char *text, size_t len);
/* A value that must be an object; else NULL, and CUT or PROTOCOL is set. */
const struct fd_json *stream_parse_object(struct llm_stream *s, const char *text, size_t len);

void stream_emit(struct llm_stream *s, const struct llm_event *event);
/* Nothing for an empty or missing string. */
void stream_text(struct llm_stream *s, enum llm_event_type type, const struct fd_json *string);
/* MODEL, the first time and whenever it changes. */
void stream_model(struct llm_stream *s, const char *model);
void stream_seed(struct llm_stream *s, const char *seed);

void stream_fail(struct llm_stream *s, enum llm_error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void stream_fail_json(struct llm_stream *s, const struct fd_json *error);

/* The terminal event was seen: ends the tool calls and settles the finish. */
void stream_finish(struct llm_stream *s);
/* The body is over: CUT unless it was finished or has failed. */
void stream_close(struct llm_stream *s);

/* A count of tokens: -1 unless it is an integer >= 0. */
int64_t stream_count(const struct fd_json *object, const char *key);

#endif
