#include "llm/stream.h"

#include "llm/error.h"
#include "llm/tool_calls.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EVENT_DEPTH 28 /* written again as Ollama's arguments: fd_json_writer goes to 31 */
#define EVENT_NODES 16384

void decoder_reset(struct llm_decoder *decoder, void *state)
{
    *decoder = (struct llm_decoder){
        .usage = {.input = -1, .output = -1, .cache_read = -1, .cache_write = -1, .cost_micro = -1},
        .state = state};
    llm_error_clear(&decoder->error);
}

void stream_init(struct llm_stream *s)
{
    *s = (struct llm_stream){0};
    arena_init(&s->arena);
}

void stream_free(struct llm_stream *s)
{
    tool_calls_free(s);
    arena_free(&s->arena);
}

void stream_enter(struct llm_stream *s, struct llm_decoder *decoder, llm_event_fn *fn, void *arg)
{
    s->decoder = decoder;
    s->fn = fn;
    s->arg = arg;
}

void stream_event_begin(struct llm_stream *s)
{
    s->emitted = false;
}

void stream_event_end(struct llm_stream *s)
{
    if (!s->emitted && !s->decoder->ended) {
        stream_emit(s, &(struct llm_event){.type = LLM_EVENT_KEEPALIVE});
    }
    arena_free(&s->arena);
}

const struct fd_json *stream_parse(struct llm_stream *s, const char *text, size_t len)
{
    struct fd_json_fault fault;
    return fd_json_parse(text, len,
                         (struct fd_json_limits){.depth = EVENT_DEPTH, .nodes = EVENT_NODES},
                         arena_allocator(&s->arena), &fault);
}

const struct fd_json *stream_parse_object(struct llm_stream *s, const char *text, size_t len)
{
    const struct fd_json *value = stream_parse(s, text, len);
    if (value != NULL && value->type == FD_JSON_OBJECT) {
        return value;
    }
    if (s->at_end) {
        stream_fail(s, LLM_ERROR_CUT, "the stream was cut inside an event");
    } else {
        stream_fail(s, LLM_ERROR_PROTOCOL, "an event is not a JSON object");
    }
    return NULL;
}

void stream_emit(struct llm_stream *s, const struct llm_event *event)
{
    if (s->stopped) {
        return;
    }
    struct llm_event whole = *event;
    if (whole.text == NULL) {
        whole.text = "";
    }
    s->emitted = true;
    if (!s->fn(s->arg, &whole)) {
        s->stopped = true;
    }
}

void stream_text(struct llm_stream *s, enum llm_event_type type, const struct fd_json *string)
{
    if (string == NULL || string->type != FD_JSON_STRING || string->text_len == 0) {
        return;
    }
    stream_emit(
        s, &(struct llm_event){.type = type, .text = string->text, .text_len = string->text_len});
}

void stream_model(struct llm_stream *s, const char *model)
{
    if (model == NULL || *model == '\0' || strlen(model) >= sizeof(s->model) ||
        strcmp(model, s->model) == 0) {
        return;
    }
    (void)snprintf(s->model, sizeof(s->model), "%s", model);
    stream_emit(s, &(struct llm_event){
                       .type = LLM_EVENT_MODEL, .text = s->model, .text_len = strlen(s->model)});
}

void stream_seed(struct llm_stream *s, const char *seed)
{
    if (seed != NULL && *s->seed == '\0') {
        (void)snprintf(s->seed, sizeof(s->seed), "%s", seed);
    }
}

void stream_fail(struct llm_stream *s, enum llm_error_class class, const char *format, ...)
{
    if (s->decoder->error.class != LLM_ERROR_NONE) {
        return;
    }
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    llm_error_set(&s->decoder->error, class, "%s", text);
    s->stopped = true;
}

void stream_fail_json(struct llm_stream *s, const struct fd_json *error)
{
    llm_error_read(&s->decoder->error, 0, error);
    s->stopped = true;
}

void stream_finish(struct llm_stream *s)
{
    struct llm_decoder *d = s->decoder;
    if (d->finish == LLM_FINISH_NONE) {
        stream_fail(s, LLM_ERROR_CUT, "the stream ended without a reason to finish");
        return;
    }
    if (!tool_calls_end_all(s)) {
        return;
    }
    /* Ollama and some OpenAI-compatible servers say "stop" after tool calls; the
     * calls are what the worker acts on, so they decide. */
    if (d->finish == LLM_FINISH_STOP && s->call_count > 0) {
        d->finish = LLM_FINISH_TOOLS;
    } else if (d->finish == LLM_FINISH_TOOLS && s->call_count == 0) {
        d->finish = LLM_FINISH_STOP;
    }
    d->ended = true;
}

void stream_close(struct llm_stream *s)
{
    if (!s->decoder->ended && !s->stopped) {
        stream_fail(s, LLM_ERROR_CUT, "the stream ended without its terminal event");
    }
}

int64_t stream_count(const struct fd_json *object, const char *key)
{
    int64_t count = fd_json_int(object, key, -1);
    return count >= 0 ? count : -1;
}
