#include "chat/test_chat.h"

#include "protocol/json.h"
#include "protocol/limits.h"

#include <string.h>

#define BODY_MAX ((size_t)6 * FD_BODY_MAX) /* a control character is six bytes */

const char *test_chat_body(struct arena *a, const struct fd_chat_request *asked,
                           struct fd_field_fault *fault)
{
    struct fd_chat_request request = *asked, read;
    const struct fd_json *object;
    struct fd_json_fault json_fault;
    struct fd_json_writer w;
    struct buf body;

    request.stream = request.has_stream = true;
    request.cache = false;
    buf_init(&body, BODY_MAX);
    buf_json(&body, &w);
    fd_chat_request_write(&w, &request);
    const char *text = buf_json_end(&body, &w) ? arena_strndup(a, body.data, body.len) : NULL;
    buf_free(&body);
    object = text != NULL ? fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                          arena_allocator(a), &json_fault)
                          : NULL;
    *fault = (struct fd_field_fault){.detail = "it cannot be written as JSON"};
    return object != NULL && fd_chat_request_read(object, &read, fault) ? text : NULL;
}

bool test_chat_write(struct buf *out, const struct test_chat *test)
{
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member_bool(&w, "trace", test->trace);
    fd_jw_member_bool(&w, "unattended", test->unattended);
    fd_jw_member_bool(&w, "allow_writes", test->allow_writes);
    fd_jw_member(&w, "by", test->by);
    fd_jw_member(&w, "channel", test->channel);
    fd_jw_member(&w, "prompt", test->prompt);
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

const struct test_chat *test_chat_read(struct arena *a, const char *json, size_t len)
{
    struct fd_json_fault fault;
    const struct fd_json *object =
        fd_json_parse(json, len, (struct fd_json_limits){0}, arena_allocator(a), &fault);
    bool sound = object != NULL && object->type == FD_JSON_OBJECT;
    const char *channel = sound ? fd_json_string(object, "channel") : NULL;
    const char *by = sound ? fd_json_string(object, "by") : NULL;

    if (channel == NULL || by == NULL)
        return NULL;
    struct test_chat *test = arena_zalloc(a, sizeof(*test));
    *test = (struct test_chat){.trace = fd_json_bool(object, "trace", false),
                               .unattended = fd_json_bool(object, "unattended", false),
                               .allow_writes = fd_json_bool(object, "allow_writes", false),
                               .by = by,
                               .channel = channel,
                               .prompt = fd_json_string(object, "prompt")};
    return test;
}
