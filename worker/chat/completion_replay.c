#include "chat/completion_replay.h"

#include "chat/completion.h"
#include "core/arena.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

/* A chunk's JSON is at most its text's, escaped, and the names around it. */
#define CHUNK_MAX ((size_t)16 * FD_EVENT_DATA_MAX)

struct replay {
    struct outbox *outbox;
    struct completion completion;
    struct buf data;
};

static void begin(struct replay *r, struct fd_json_writer *w)
{
    buf_reset(&r->data);
    buf_json(&r->data, w);
}

static void send(struct replay *r, struct fd_json_writer *w)
{
    if (buf_json_end(&r->data, w))
        outbox_event(r->outbox, FD_EVENT_DELTA, r->data.data, r->data.len);
}

static void send_text(struct replay *r, const struct fd_json *content)
{
    if (content == NULL || content->type != FD_JSON_STRING)
        return;
    for (size_t done = 0; done < content->text_len;) {
        size_t part = outbox_fit(content->text + done, content->text_len - done);
        struct fd_json_writer w;
        begin(r, &w);
        completion_text(&r->completion, &w, content->text + done, part);
        send(r, &w);
        done += part;
    }
}

static void send_arguments(struct replay *r, int index, const struct fd_json *arguments)
{
    size_t len = arguments != NULL ? arguments->text_len : 0;
    for (size_t done = 0; done < len;) {
        size_t part = outbox_fit(arguments->text + done, len - done);
        struct fd_json_writer w;
        begin(r, &w);
        completion_arguments(&r->completion, &w, index, arguments->text + done, part);
        send(r, &w);
        done += part;
    }
}

static void send_calls(struct replay *r, const struct fd_json *calls)
{
    int index = 0;
    for (const struct fd_json *call = calls != NULL ? calls->child : NULL; call != NULL;
         call = call->next) {
        const struct fd_json *function = fd_json_get(call, "function");
        struct fd_json_writer w;
        begin(r, &w);
        completion_call(&r->completion, &w, index, fd_json_string(call, "id"),
                        fd_json_string(function, "name"));
        send(r, &w);
        send_arguments(r, index++, fd_json_get(function, "arguments"));
    }
}

static void send_usage(struct replay *r, const struct fd_json *usage)
{
    const struct fd_json *details = fd_json_get(usage, "prompt_tokens_details");
    int64_t cached = fd_json_int(details, "cached_tokens", 0);
    struct llm_usage sum = {.input = fd_json_int(usage, "prompt_tokens", 0) - cached,
                            .output = fd_json_int(usage, "completion_tokens", 0),
                            .cache_read = cached};
    struct fd_json_writer w;
    begin(r, &w);
    completion_usage(&r->completion, &w, &sum);
    send(r, &w);
}

static void take_head(struct completion *c, const struct fd_json *whole)
{
    const char *id = fd_json_string(whole, "id");
    const char *fingerprint = fd_json_string(whole, "system_fingerprint");
    snprintf(c->id, sizeof(c->id), "%s", id != NULL ? id : "");
    snprintf(c->fingerprint, sizeof(c->fingerprint), "%s", fingerprint != NULL ? fingerprint : "");
    c->created = fd_json_int(whole, "created", 0);
    c->model = fd_json_string(whole, "model");
}

static void write_chunks(struct replay *r, const struct fd_json *whole)
{
    const struct fd_json *choices = fd_json_get(whole, "choices");
    const struct fd_json *choice = choices != NULL ? choices->child : NULL;
    const struct fd_json *message = fd_json_get(choice, "message");
    const char *reason = fd_json_string(choice, "finish_reason");
    if (reason == NULL)
        return;
    take_head(&r->completion, whole);
    send_text(r, fd_json_get(message, "content"));
    send_calls(r, fd_json_get(message, "tool_calls"));
    struct fd_json_writer w;
    begin(r, &w);
    completion_finish(&r->completion, &w, reason);
    send(r, &w);
    if (r->completion.include_usage)
        send_usage(r, fd_json_get(whole, "usage"));
}

void completion_replay(struct outbox *outbox, const char *json, bool usage)
{
    struct arena a;
    struct fd_json_fault fault;
    struct fd_json_limits limits = {.nodes = FD_COMPLETION_NODES_MAX};
    struct replay r = {.outbox = outbox, .completion.include_usage = usage};
    arena_init(&a);
    buf_init(&r.data, CHUNK_MAX);
    const struct fd_json *whole =
        fd_json_parse(json, strlen(json), limits, arena_allocator(&a), &fault);
    if (whole != NULL)
        write_chunks(&r, whole);
    buf_free(&r.data);
    arena_free(&a);
}
