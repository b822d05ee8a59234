#include "llm/tool_calls.h"

#include "protocol/ids.h"

#include <stdlib.h>
#include <string.h>

struct tool_call *tool_call_open(struct llm_stream *s, int64_t key)
{
    if (s->call_count == LLM_TOOL_CALLS_MAX) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "more than %d tool calls in one answer",
                    LLM_TOOL_CALLS_MAX);
        return NULL;
    }
    struct tool_call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "out of memory for a tool call");
        return NULL;
    }
    call->index = (int)s->call_count;
    call->key = key;
    buf_init(&call->id, LLM_TOOL_ID_MAX);
    buf_init(&call->name, LLM_TOOL_NAME_MAX);
    buf_init(&call->arguments, LLM_TOOL_ARGUMENTS_MAX);
    s->calls[s->call_count++] = call;
    return call;
}

struct tool_call *tool_call_by_key(const struct llm_stream *s, int64_t key)
{
    for (size_t i = s->call_count; i-- > 0;) {
        if (s->calls[i]->key == key && !s->calls[i]->ended) {
            return s->calls[i];
        }
    }
    return NULL;
}

struct tool_call *tool_call_by_id(const struct llm_stream *s, const char *id)
{
    for (size_t i = s->call_count; i-- > 0;) {
        struct tool_call *call = s->calls[i];
        if (!call->ended && call->id.len > 0 && strcmp(call->id.data, id) == 0) {
            return call;
        }
    }
    return NULL;
}

struct tool_call *tool_call_last(const struct llm_stream *s)
{
    struct tool_call *call = s->call_count > 0 ? s->calls[s->call_count - 1] : NULL;
    return call != NULL && !call->ended ? call : NULL;
}

static void emit(struct llm_stream *s, const struct tool_call *call, enum llm_event_type type,
                 const char *text, size_t len)
{
    bool named = type != LLM_EVENT_TOOL_ARGS;
    stream_emit(s, &(struct llm_event){.type = type,
                                       .index = call->index,
                                       .id = named ? call->id.data : NULL,
                                       .name = named ? call->name.data : NULL,
                                       .text = text,
                                       .text_len = len});
}

static void start_when_known(struct llm_stream *s, struct tool_call *call)
{
    if (call->started || call->id.len == 0 || call->name.len == 0) {
        return;
    }
    call->started = true;
    emit(s, call, LLM_EVENT_TOOL_START, NULL, 0);
    if (call->arguments.len > 0) {
        emit(s, call, LLM_EVENT_TOOL_ARGS, call->arguments.data, call->arguments.len);
    }
}

void tool_call_identify(struct llm_stream *s, struct tool_call *call, const char *id,
                        const char *name)
{
    if (id != NULL && call->id.len == 0) {
        (void)buf_puts(&call->id, id);
    }
    if (name != NULL && call->name.len == 0) {
        (void)buf_puts(&call->name, name);
    }
    if (call->id.over || call->name.over) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "a tool call's id or name is too long");
        return;
    }
    start_when_known(s, call);
}

void tool_call_arguments(struct llm_stream *s, struct tool_call *call, const char *text, size_t len)
{
    if (len == 0) {
        return;
    }
    if (!buf_append(&call->arguments, text, len)) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "a tool call's arguments pass %d bytes",
                    LLM_TOOL_ARGUMENTS_MAX);
        return;
    }
    if (call->started) {
        emit(s, call, LLM_EVENT_TOOL_ARGS, text, len);
    }
}

void tool_call_object(struct llm_stream *s, struct tool_call *call, const struct fd_json *object)
{
    struct buf text;
    struct fd_json_writer w;
    buf_init(&text, LLM_TOOL_ARGUMENTS_MAX);
    buf_json(&text, &w);
    fd_jw_json(&w, object);
    if (buf_json_end(&text, &w)) {
        tool_call_arguments(s, call, text.data, text.len);
    } else {
        stream_fail(s, LLM_ERROR_PROTOCOL, "a tool call's arguments are too large");
    }
    buf_free(&text);
}

/* Unique over the rounds of a job, so that a stored result is never taken for the
 * answer to another call; the same bytes give the same id. */
static void invent_id(struct llm_stream *s, struct tool_call *call)
{
    struct buf seed;
    buf_init(&seed, sizeof(s->seed) + LLM_TOOL_NAME_MAX + LLM_TOOL_ARGUMENTS_MAX + 64);
    (void)buf_printf(&seed, "%s:%d:%s:", s->seed, call->index, call->name.data);
    (void)buf_append(&seed, call->arguments.data != NULL ? call->arguments.data : "",
                     call->arguments.len);
    char hex[FD_SHA256_HEX_SIZE];
    fd_sha256_hex(hex, seed.data, seed.len);
    (void)buf_printf(&call->id, "call_%.24s", hex);
    buf_free(&seed);
}

static bool blank(const struct buf *b)
{
    return b->len == 0 || strspn(b->data, " \t\r\n") == b->len;
}

bool tool_call_end(struct llm_stream *s, struct tool_call *call)
{
    if (s->stopped) {
        return false;
    }
    if (call->name.len == 0) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "a tool call without a name");
        return false;
    }
    if (blank(&call->arguments)) {
        buf_reset(&call->arguments);
        (void)buf_puts(&call->arguments, "{}");
    }
    const struct fd_json *arguments = stream_parse(s, call->arguments.data, call->arguments.len);
    if (arguments == NULL || arguments->type != FD_JSON_OBJECT) {
        stream_fail(s, LLM_ERROR_PROTOCOL, "the arguments of a call of %s are no JSON object",
                    call->name.data);
        return false;
    }
    if (call->id.len == 0) {
        invent_id(s, call);
    }
    start_when_known(s, call);
    call->ended = true;
    emit(s, call, LLM_EVENT_TOOL_END, call->arguments.data, call->arguments.len);
    return !s->stopped;
}

bool tool_calls_end_all(struct llm_stream *s)
{
    for (size_t i = 0; i < s->call_count; i++) {
        if (!s->calls[i]->ended && !tool_call_end(s, s->calls[i])) {
            return false;
        }
    }
    return true;
}

void tool_calls_free(struct llm_stream *s)
{
    for (size_t i = 0; i < s->call_count; i++) {
        buf_free(&s->calls[i]->id);
        buf_free(&s->calls[i]->name);
        buf_free(&s->calls[i]->arguments);
        free(s->calls[i]);
    }
    s->call_count = 0;
}
