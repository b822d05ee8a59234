/* Anthropic messages as a stream: typed events, content in numbered blocks. */
#include "llm/encode.h"
#include "llm/error.h"
#include "llm/event_source.h"
#include "llm/tool_calls.h"

#include <stdlib.h>
#include <string.h>

struct anthropic {
    struct llm_stream stream; /* first: the SSE callback is given its address */
    struct event_source source;
    bool started; /* message_start was seen */
};

static bool anthropic_init(struct llm_decoder *decoder)
{
    struct anthropic *n = malloc(sizeof(*n));
    if (n == NULL) {
        return false;
    }
    decoder_reset(decoder, n);
    stream_init(&n->stream);
    event_source_init(&n->source);
    n->started = false;
    return true;
}

static void anthropic_free(struct llm_decoder *decoder)
{
    struct anthropic *n = decoder->state;
    if (n == NULL) {
        return;
    }
    event_source_free(&n->source);
    stream_free(&n->stream);
    free(n);
    decoder->state = NULL;
}

static enum llm_finish finish_of(const char *reason)
{
    static const struct {
        const char *reason;
        enum llm_finish finish;
    } known[] = {{"end_turn", LLM_FINISH_STOP},
                 {"stop_sequence", LLM_FINISH_STOP},
                 {"pause_turn", LLM_FINISH_STOP},
                 {"max_tokens", LLM_FINISH_LENGTH},
                 {"model_context_window_exceeded", LLM_FINISH_LENGTH},
                 {"tool_use", LLM_FINISH_TOOLS},
                 {"refusal", LLM_FINISH_FILTER}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].reason, reason) == 0) {
            return known[i].finish;
        }
    }
    return LLM_FINISH_OTHER;
}

/* Cumulative: what message_delta repeats replaces what message_start said. The
 * input excludes the cache already. */
static void take_usage(struct llm_stream *s, const struct fd_json *usage)
{
    const struct {
        const char *key;
        int64_t *to;
    } counts[] = {{"input_tokens", &s->decoder->usage.input},
                  {"output_tokens", &s->decoder->usage.output},
                  {"cache_read_input_tokens", &s->decoder->usage.cache_read},
                  {"cache_creation_input_tokens", &s->decoder->usage.cache_write}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        int64_t count = stream_count(usage, counts[i].key);
        if (count >= 0) {
            *counts[i].to = count;
        }
    }
}

static void on_message_start(struct llm_stream *s, const struct fd_json *event)
{
    const struct fd_json *message = fd_json_get(event, "message");
    stream_seed(s, fd_json_string(message, "id"));
    stream_model(s, fd_json_string(message, "model"));
    take_usage(s, fd_json_get(message, "usage"));
}

static void on_block_start(struct llm_stream *s, const struct fd_json *event)
{
    const struct fd_json *block = fd_json_get(event, "content_block");
    const char *type = fd_json_string(block, "type");
    if (type == NULL) {
        return;
    }
    if (strcmp(type, "text") == 0) {
        stream_text(s, LLM_EVENT_TEXT, fd_json_get(block, "text"));
    } else if (strcmp(type, "thinking") == 0) {
        stream_text(s, LLM_EVENT_THINKING, fd_json_get(block, "thinking"));
    } else if (strcmp(type, "tool_use") == 0) {
        struct tool_call *call = tool_call_open(s, fd_json_int(event, "index", TOOL_CALL_NO_KEY));
        if (call != NULL) {
            tool_call_identify(s, call, fd_json_string(block, "id"), fd_json_string(block, "name"));
        }
    }
}

/* Of a block that is not ours (a tool of the server's) there is no call: ignored. */
static struct tool_call *call_of(struct llm_stream *s, const struct fd_json *event)
{
    return tool_call_by_key(s, fd_json_int(event, "index", TOOL_CALL_NO_KEY));
}

static void on_block_delta(struct llm_stream *s, const struct fd_json *event)
{
    const struct fd_json *delta = fd_json_get(event, "delta");
    const char *type = fd_json_string(delta, "type");
    if (type == NULL) {
        return;
    }
    if (strcmp(type, "text_delta") == 0) {
        stream_text(s, LLM_EVENT_TEXT, fd_json_get(delta, "text"));
    } else if (strcmp(type, "thinking_delta") == 0) {
        stream_text(s, LLM_EVENT_THINKING, fd_json_get(delta, "thinking"));
    } else if (strcmp(type, "input_json_delta") == 0) {
        struct tool_call *call = call_of(s, event);
        const struct fd_json *json = fd_json_get(delta, "partial_json");
        if (call != NULL && json != NULL && json->type == FD_JSON_STRING) {
            tool_call_arguments(s, call, json->text, json->text_len);
        }
    }
}

static void on_block_stop(struct llm_stream *s, const struct fd_json *event)
{
    struct tool_call *call = call_of(s, event);
    if (call != NULL) {
        (void)tool_call_end(s, call); /* a failure is in the stream */
    }
}

static void on_message_delta(struct llm_stream *s, const struct fd_json *event)
{
    const char *reason = fd_json_string(fd_json_get(event, "delta"), "stop_reason");
    if (reason != NULL && *reason != '\0') {
        s->decoder->finish = finish_of(reason);
    }
    take_usage(s, fd_json_get(event, "usage"));
}

static void on_message_stop(struct llm_stream *s, const struct fd_json *event)
{
    (void)event;
    stream_finish(s);
}

/* What is not listed here (ping, and what will be invented) is ignored. */
static const struct {
    const char *type;
    void (*handle)(struct llm_stream *s, const struct fd_json *event);
} handlers[] = {
    {"message_start", on_message_start},     {"content_block_start", on_block_start},
    {"content_block_delta", on_block_delta}, {"content_block_stop", on_block_stop},
    {"message_delta", on_message_delta},     {"message_stop", on_message_stop},
};

static void take_event(struct anthropic *n, const struct fd_json *event)
{
    struct llm_stream *s = &n->stream;
    const struct fd_json *error = llm_error_find(event);
    if (error != NULL) {
        stream_fail_json(s, error);
        return;
    }
    const char *type = fd_json_string(event, "type");
    for (size_t i = 0; type != NULL && i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (strcmp(handlers[i].type, type) != 0) {
            continue;
        }
        n->started = n->started || handlers[i].handle == on_message_start;
        if (n->started) {
            handlers[i].handle(s, event);
        } else {
            stream_fail(s, LLM_ERROR_PROTOCOL, "%s before message_start", type);
        }
        return;
    }
}

static bool on_sse(void *arg, const char *name, const char *data, size_t len)
{
    struct anthropic *n = arg;
    struct llm_stream *s = &n->stream;
    (void)name; /* says the same as the data's type */
    if (s->decoder->ended) {
        return true;
    }
    stream_event_begin(s);
    const struct fd_json *event = len > 0 ? stream_parse_object(s, data, len) : NULL;
    if (event != NULL) {
        take_event(n, event);
    }
    stream_event_end(s);
    return !s->stopped;
}

static bool anthropic_decode(struct llm_decoder *decoder, const char *bytes, size_t len,
                             llm_event_fn *fn, void *arg)
{
    struct anthropic *n = decoder->state;
    stream_enter(&n->stream, decoder, fn, arg);
    event_source_feed(&n->source, &n->stream, bytes, len, on_sse);
    return !n->stream.stopped;
}

static void anthropic_end(struct llm_decoder *decoder, llm_event_fn *fn, void *arg)
{
    struct anthropic *n = decoder->state;
    stream_enter(&n->stream, decoder, fn, arg);
    event_source_end(&n->source, &n->stream, on_sse);
    stream_close(&n->stream);
}

const struct llm_protocol llm_anthropic = {.name = "anthropic",
                                           .abilities = LLM_CAN_BE_MADE_TO_CALL,
                                           .encode = anthropic_encode,
                                           .decoder_init = anthropic_init,
                                           .decoder_free = anthropic_free,
                                           .decode = anthropic_decode,
                                           .decode_end = anthropic_end,
                                           .decode_error = llm_error_http};
