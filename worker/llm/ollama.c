/* Ollama's /api/chat as a stream: one JSON object a line, tool calls whole. */
#include "llm/encode.h"
#include "llm/error.h"
#include "llm/tool_calls.h"

#include <stdlib.h>
#include <string.h>

struct ollama {
    struct llm_stream stream;
    struct buf line; /* the beginning of one that is not whole yet */
};

static bool ollama_init(struct llm_decoder *decoder)
{
    struct ollama *o = malloc(sizeof(*o));
    if (o == NULL) {
        return false;
    }
    decoder_reset(decoder, o);
    stream_init(&o->stream);
    buf_init(&o->line, LLM_EVENT_BYTES_MAX);
    return true;
}

static void ollama_free(struct llm_decoder *decoder)
{
    struct ollama *o = decoder->state;
    if (o == NULL) {
        return;
    }
    buf_free(&o->line);
    stream_free(&o->stream);
    free(o);
    decoder->state = NULL;
}

static enum llm_finish finish_of(const char *reason)
{
    if (reason == NULL || *reason == '\0' || strcmp(reason, "stop") == 0) {
        return LLM_FINISH_STOP; /* versions before 0.3 give no reason */
    }
    return strcmp(reason, "length") == 0 ? LLM_FINISH_LENGTH : LLM_FINISH_OTHER;
}

static void take_tool_calls(struct llm_stream *s, const struct fd_json *list)
{
    if (list == NULL || list->type != FD_JSON_ARRAY) {
        return;
    }
    for (const struct fd_json *item = list->child; item != NULL && !s->stopped; item = item->next) {
        const struct fd_json *function = fd_json_get(item, "function");
        const struct fd_json *arguments = fd_json_get(function, "arguments");
        struct tool_call *call = tool_call_open(s, TOOL_CALL_NO_KEY);
        if (call == NULL) {
            return;
        }
        tool_call_identify(s, call, fd_json_string(item, "id"), fd_json_string(function, "name"));
        if (arguments != NULL && arguments->type == FD_JSON_OBJECT) {
            tool_call_object(s, call, arguments);
        } else if (arguments != NULL && arguments->type == FD_JSON_STRING) {
            tool_call_arguments(s, call, arguments->text, arguments->text_len);
        }
        (void)tool_call_end(s, call); /* a failure is in the stream */
    }
}

static void take_line(struct llm_stream *s, const struct fd_json *line)
{
    const struct fd_json *error = llm_error_find(line);
    if (error != NULL) {
        stream_fail_json(s, error);
        return;
    }
    stream_seed(s, fd_json_string(line, "created_at"));
    stream_model(s, fd_json_string(line, "model"));
    const struct fd_json *message = fd_json_get(line, "message");
    stream_text(s, LLM_EVENT_THINKING, fd_json_get(message, "thinking"));
    stream_text(s, LLM_EVENT_TEXT, fd_json_get(message, "content"));
    take_tool_calls(s, fd_json_get(message, "tool_calls"));
    if (fd_json_bool(line, "done", false) && !s->stopped) {
        s->decoder->usage.input = stream_count(line, "prompt_eval_count");
        s->decoder->usage.output = stream_count(line, "eval_count");
        s->decoder->finish = finish_of(fd_json_string(line, "done_reason"));
        stream_finish(s);
    }
}

static void on_line(struct llm_stream *s, const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL) {
        len--;
    }
    if (len == 0 || s->decoder->ended) {
        return;
    }
    stream_event_begin(s);
    const struct fd_json *line = stream_parse_object(s, text, len);
    if (line != NULL) {
        take_line(s, line);
    }
    stream_event_end(s);
}

static bool ollama_decode(struct llm_decoder *decoder, const char *bytes, size_t len,
                          llm_event_fn *fn, void *arg)
{
    struct ollama *o = decoder->state;
    struct llm_stream *s = &o->stream;
    stream_enter(s, decoder, fn, arg);
    while (len > 0 && !s->stopped) {
        const char *end = memchr(bytes, '\n', len);
        size_t part = end != NULL ? (size_t)(end - bytes) : len;
        bool whole = end != NULL && o->line.len == 0;
        if (!whole && !buf_append(&o->line, bytes, part)) {
            stream_fail(s, LLM_ERROR_PROTOCOL, "a line of more than %d bytes", LLM_EVENT_BYTES_MAX);
            break;
        }
        if (whole) {
            on_line(s, bytes, part);
        } else if (end != NULL) {
            on_line(s, o->line.data, o->line.len);
            buf_reset(&o->line);
        }
        size_t used = end != NULL ? part + 1 : part;
        bytes += used;
        len -= used;
    }
    return !s->stopped;
}

static void ollama_end(struct llm_decoder *decoder, llm_event_fn *fn, void *arg)
{
    struct ollama *o = decoder->state;
    struct llm_stream *s = &o->stream;
    stream_enter(s, decoder, fn, arg);
    s->at_end = true;
    if (o->line.len > 0 && !s->stopped) {
        on_line(s, o->line.data, o->line.len);
    }
    stream_close(s);
}

const struct llm_protocol llm_ollama = {.name = "ollama",
                                        .abilities = LLM_CAN_KEEP_FORMAT,
                                        .encode = ollama_encode,
                                        .decoder_init = ollama_init,
                                        .decoder_free = ollama_free,
                                        .decode = ollama_decode,
                                        .decode_end = ollama_end,
                                        .decode_error = llm_error_http};
