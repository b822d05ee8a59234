/* OpenAI chat completions as a stream: also OpenRouter, vLLM, llama.cpp and others,
 * each with its own deviations (which are named where they are met). */
#include "llm/encode.h"
#include "llm/error.h"
#include "llm/event_source.h"
#include "llm/tool_calls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COST_DOLLARS_MAX 1e6

struct openai {
    struct llm_stream stream;
    struct event_source source;
};

static bool openai_init(struct llm_decoder *decoder)
{
    struct openai *o = malloc(sizeof(*o));
    if (o == NULL) {
        return false;
    }
    decoder_reset(decoder, o);
    stream_init(&o->stream);
    event_source_init(&o->source);
    return true;
}

static void openai_free(struct llm_decoder *decoder)
{
    struct openai *o = decoder->state;
    if (o == NULL) {
        return;
    }
    event_source_free(&o->source);
    stream_free(&o->stream);
    free(o);
    decoder->state = NULL;
}

/* "error" is OpenRouter's and comes with an error; other words are not standard. */
static enum llm_finish finish_of(const char *reason)
{
    static const struct {
        const char *reason;
        enum llm_finish finish;
    } known[] = {{"stop", LLM_FINISH_STOP},
                 {"length", LLM_FINISH_LENGTH},
                 {"tool_calls", LLM_FINISH_TOOLS},
                 {"function_call", LLM_FINISH_TOOLS},
                 {"content_filter", LLM_FINISH_FILTER}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].reason, reason) == 0) {
            return known[i].finish;
        }
    }
    return LLM_FINISH_OTHER;
}

/* prompt_tokens includes what was read from and written to the cache; ours are
 * disjoint. Taken from any chunk that has it; the last one counts. */
static void take_usage(struct llm_stream *s, const struct fd_json *usage)
{
    struct llm_usage *to = &s->decoder->usage;
    int64_t prompt = stream_count(usage, "prompt_tokens");
    int64_t output = stream_count(usage, "completion_tokens");
    if (prompt < 0 && output < 0) {
        return;
    }
    const struct fd_json *details = fd_json_get(usage, "prompt_tokens_details");
    int64_t cached = stream_count(details, "cached_tokens");
    int64_t written = stream_count(details, "cache_write_tokens");
    cached = prompt >= 0 && cached > prompt ? prompt : cached;
    int64_t rest = prompt - (cached > 0 ? cached : 0);
    written = prompt >= 0 && written > rest ? rest : written;
    *to = (struct llm_usage){.input = prompt < 0 ? -1 : rest - (written > 0 ? written : 0),
                             .output = output,
                             .cache_read = cached,
                             .cache_write = written,
                             .cost_micro = -1};

    double cost = fd_json_double(usage, "cost", -1);
    if (cost >= 0 && cost <= COST_DOLLARS_MAX) {
        /* rounded up, but not for what binary fractions add to 0.00014 dollars */
        to->cost_micro = (int64_t)ceil(cost * 1e6 - 1e-6);
    }
}

/* By index; where that is missing (Google) by id, else the latest. A new id with a
 * new name under an index in use is another call: Gemini numbers them all 0. */
static struct tool_call *call_of(struct llm_stream *s, const struct fd_json *index, const char *id,
                                 const char *name)
{
    bool keyed = index != NULL && index->type == FD_JSON_NUMBER && index->is_integer;
    bool has_id = id != NULL && *id != '\0';
    bool has_name = name != NULL && *name != '\0';
    struct tool_call *call;
    if (keyed) {
        call = tool_call_by_key(s, index->integer);
    } else if (has_id) {
        call = tool_call_by_id(s, id);
        struct tool_call *last = tool_call_last(s);
        if (call == NULL && last != NULL && last->id.len == 0) {
            call = last; /* its id comes late */
        }
    } else {
        call = tool_call_last(s);
    }
    bool another = call != NULL && has_name && call->name.len > 0 &&
                   (has_id ? call->id.len > 0 && strcmp(call->id.data, id) != 0 : !keyed);
    if (call == NULL || another) {
        call = tool_call_open(s, keyed ? index->integer : TOOL_CALL_NO_KEY);
    }
    return call;
}

static void take_function(struct llm_stream *s, struct tool_call *call,
                          const struct fd_json *function)
{
    const struct fd_json *arguments = fd_json_get(function, "arguments");
    if (arguments != NULL && arguments->type == FD_JSON_STRING) {
        tool_call_arguments(s, call, arguments->text, arguments->text_len);
    } else if (arguments != NULL && arguments->type == FD_JSON_OBJECT) {
        tool_call_object(s, call, arguments);
    }
}

static void take_tool_calls(struct llm_stream *s, const struct fd_json *list)
{
    if (list == NULL || list->type != FD_JSON_ARRAY) {
        return;
    }
    for (const struct fd_json *item = list->child; item != NULL && !s->stopped; item = item->next) {
        const struct fd_json *function = fd_json_get(item, "function");
        const char *id = fd_json_string(item, "id");
        const char *name = fd_json_string(function, "name");
        struct tool_call *call = call_of(s, fd_json_get(item, "index"), id, name);
        if (call == NULL) {
            return;
        }
        tool_call_identify(s, call, id, name);
        take_function(s, call, function);
    }
}

/* The predecessor of tool_calls: one call, no id. */
static void take_function_call(struct llm_stream *s, const struct fd_json *function)
{
    if (function == NULL || function->type != FD_JSON_OBJECT) {
        return;
    }
    struct tool_call *call = tool_call_by_key(s, TOOL_CALL_NO_KEY);
    if (call == NULL) {
        call = tool_call_open(s, TOOL_CALL_NO_KEY);
    }
    if (call != NULL) {
        tool_call_identify(s, call, NULL, fd_json_string(function, "name"));
        take_function(s, call, function);
    }
}

static void take_delta(struct llm_stream *s, const struct fd_json *delta)
{
    /* Most say reasoning_content, OpenRouter and gpt-oss reasoning, some both. */
    const struct fd_json *thought = fd_json_get(delta, "reasoning_content");
    if (thought == NULL || thought->type != FD_JSON_STRING) {
        thought = fd_json_get(delta, "reasoning");
    }
    stream_text(s, LLM_EVENT_THINKING, thought);
    stream_text(s, LLM_EVENT_TEXT, fd_json_get(delta, "content"));
    stream_text(s, LLM_EVENT_TEXT, fd_json_get(delta, "refusal"));
    take_tool_calls(s, fd_json_get(delta, "tool_calls"));
    take_function_call(s, fd_json_get(delta, "function_call"));
}

static void take_choice(struct llm_stream *s, const struct fd_json *choice)
{
    if (fd_json_int(choice, "index", 0) != 0) {
        return;
    }
    const struct fd_json *error = llm_error_find(choice);
    if (error != NULL) {
        stream_fail_json(s, error);
        return;
    }
    take_delta(s, fd_json_get(choice, "delta"));
    const char *reason = fd_json_string(choice, "finish_reason");
    if (reason == NULL || *reason == '\0') {
        return;
    }
    if (strcmp(reason, "error") == 0) {
        stream_fail(s, LLM_ERROR_OVERLOADED, "the provider ended the answer with an error");
    } else {
        /* OpenRouter says it again with the usage: the same, not a second end. */
        s->decoder->finish = finish_of(reason);
    }
}

static void take_chunk(struct llm_stream *s, const struct fd_json *chunk)
{
    stream_seed(s, fd_json_string(chunk, "id"));
    stream_model(s, fd_json_string(chunk, "model"));
    take_usage(s, fd_json_get(chunk, "usage"));
    const struct fd_json *choices = fd_json_get(chunk, "choices");
    if (choices == NULL || choices->type != FD_JSON_ARRAY) {
        return;
    }
    for (const struct fd_json *choice = choices->child; choice != NULL && !s->stopped;
         choice = choice->next) {
        take_choice(s, choice);
    }
}

static void take_data(struct llm_stream *s, const char *event, const char *data, size_t len)
{
    bool is_error = strcmp(event, "error") == 0;
    bool is_named = *event != '\0' && strcmp(event, "message") != 0;
    if (is_error || is_named) {
        const struct fd_json *value = stream_parse(s, data, len);
        const struct fd_json *error = llm_error_find(value);
        if (is_error && error == NULL && value != NULL && value->type == FD_JSON_OBJECT) {
            error = value;
        }
        if (error != NULL) {
            stream_fail_json(s, error);
        } else if (is_error) {
            stream_fail(s, LLM_ERROR_OVERLOADED, "%.*s", (int)(len < 400 ? len : 400), data);
        } else if (value != NULL && value->type == FD_JSON_OBJECT) {
            take_chunk(s, value);
        }
        return; /* a named event that is no JSON is not for us */
    }
    const struct fd_json *chunk = stream_parse_object(s, data, len);
    if (chunk == NULL) {
        return;
    }
    const struct fd_json *error = llm_error_find(chunk);
    if (error != NULL) {
        stream_fail_json(s, error);
    } else {
        take_chunk(s, chunk);
    }
}

static bool on_sse(void *arg, const char *event, const char *data, size_t len)
{
    static const char done[] = "[DONE]";
    struct llm_stream *s = arg;
    if (s->decoder->ended) {
        return true;
    }
    stream_event_begin(s);
    if (len >= sizeof(done) - 1 && memcmp(data, done, sizeof(done) - 1) == 0) {
        stream_finish(s);
    } else if (len > 0) {
        take_data(s, event, data, len);
    }
    stream_event_end(s);
    return !s->stopped;
}

static bool openai_decode(struct llm_decoder *decoder, const char *bytes, size_t len,
                          llm_event_fn *fn, void *arg)
{
    struct openai *o = decoder->state;
    stream_enter(&o->stream, decoder, fn, arg);
    event_source_feed(&o->source, &o->stream, bytes, len, on_sse);
    return !o->stream.stopped;
}

static void openai_end(struct llm_decoder *decoder, llm_event_fn *fn, void *arg)
{
    struct openai *o = decoder->state;
    stream_enter(&o->stream, decoder, fn, arg);
    event_source_end(&o->source, &o->stream, on_sse);
    stream_close(&o->stream);
}

const struct llm_protocol llm_openai = {.name = "openai",
                                        .abilities = LLM_CAN_BE_MADE_TO_CALL | LLM_CAN_KEEP_FORMAT,
                                        .encode = openai_encode,
                                        .decoder_init = openai_init,
                                        .decoder_free = openai_free,
                                        .decode = openai_decode,
                                        .decode_end = openai_end,
                                        .decode_error = llm_error_http};
