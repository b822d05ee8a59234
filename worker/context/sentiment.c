#include "context/sentiment.h"

#include "context/history.h"
#include "core/buf.h"
#include "protocol/json.h"

#define MESSAGE_TOKENS 1000 /* of the message that the model is shown */
#define MESSAGE_BYTES  131072

/* JSON, so that no message can end where it likes. */
static const char *material(struct arena *a, const char *message)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, MESSAGE_BYTES);
    buf_json(&out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "message", history_shorten(a, message, MESSAGE_TOKENS));
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&out, &w) ? arena_strndup(a, out.data, out.len) : "{}";
    buf_free(&out);
    return text;
}

void sentiment_request(struct arena *a, const char *rules, const char *message,
                       struct llm_request *request)
{
    static const struct llm_wishes wishes = {
        .top_p = -1, .parallel_calls = -1, .think_little = true};
    struct llm_message *turn = arena_zalloc(a, sizeof(*turn));

    turn->role = LLM_USER;
    turn->text = material(a, message);
    *request = (struct llm_request){.system = rules,
                                    .messages = turn,
                                    .message_count = 1,
                                    .temperature = 0,
                                    .max_tokens = SENTIMENT_TOKENS,
                                    .wishes = &wishes,
                                    .question = "",
                                    .context = ""};
}

bool sentiment_read(const char *text, size_t len, int *score)
{
    struct fd_json_fault fault;
    struct arena a;

    if (len == 0 || len > SENTIMENT_ANSWER)
        return false;
    arena_init(&a);
    const struct fd_json *json =
        fd_json_parse(text, len, (struct fd_json_limits){0}, arena_allocator(&a), &fault);
    const struct fd_json *value = fd_json_get(json, "score");
    bool good = value != NULL && json->count == 1 && value->type == FD_JSON_NUMBER &&
                value->is_integer && value->integer >= -SENTIMENT_MOST &&
                value->integer <= SENTIMENT_MOST;
    if (good)
        *score = (int)value->integer;
    arena_free(&a);
    return good;
}
