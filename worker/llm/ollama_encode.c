#include "llm/encode.h"

#include "llm/tokens.h"

#include <string.h>

/* Results name their tool, not the call. */
static const char *tool_of_call(const struct llm_request *request, size_t before, const char *id)
{
    for (size_t i = before; id != NULL && i-- > 0;) {
        const struct llm_message *message = &request->messages[i];
        for (size_t k = 0; k < message->tool_call_count; k++) {
            if (message->tool_calls[k].id != NULL && strcmp(message->tool_calls[k].id, id) == 0) {
                return message->tool_calls[k].name;
            }
        }
    }
    return NULL;
}

static void write_calls(struct fd_json_writer *w, const struct llm_message *message)
{
    if (message->tool_call_count == 0) {
        return;
    }
    fd_jw_key(w, "tool_calls");
    fd_jw_array(w);
    for (size_t i = 0; i < message->tool_call_count; i++) {
        fd_jw_object(w);
        fd_jw_key(w, "function");
        fd_jw_object(w);
        fd_jw_member(w, "name", message->tool_calls[i].name);
        fd_jw_key(w, "arguments");
        encode_json(w, message->tool_calls[i].arguments);
        fd_jw_end_object(w);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void write_message(struct fd_json_writer *w, const struct llm_request *request, size_t at)
{
    static const char *const roles[] = {[LLM_SYSTEM] = "system",
                                        [LLM_USER] = "user",
                                        [LLM_ASSISTANT] = "assistant",
                                        [LLM_TOOL] = "tool"};
    const struct llm_message *message = &request->messages[at];
    fd_jw_object(w);
    fd_jw_member(w, "role", roles[message->role]);
    fd_jw_member(w, "content", message->text != NULL ? message->text : "");
    if (message->thinking != NULL) {
        fd_jw_member(w, "thinking", message->thinking);
    }
    write_calls(w, message);
    const char *tool = tool_of_call(request, at, message->tool_call_id);
    if (message->role == LLM_TOOL && tool != NULL) {
        fd_jw_member(w, "tool_name", tool);
    }
    fd_jw_end_object(w);
}

static void write_messages(struct fd_json_writer *w, const struct llm_request *request)
{
    fd_jw_key(w, "messages");
    fd_jw_array(w);
    if (!encode_is_blank(request->system)) {
        fd_jw_object(w);
        fd_jw_member(w, "role", "system");
        fd_jw_member(w, "content", request->system);
        fd_jw_end_object(w);
    }
    for (size_t i = 0; i < request->message_count; i++) {
        write_message(w, request, i);
    }
    fd_jw_end_array(w);
}

static int estimate(const char *text)
{
    return text != NULL ? tokens_estimate(text, strlen(text)) : 0;
}

/* Ollama cuts a prompt that its window does not hold without a word. Few sizes,
 * because each change of the window loads the model anew. */
static int window_for(const struct llm_request *request)
{
    int64_t tokens = estimate(request->system) + (int64_t)request->max_tokens;
    for (size_t i = 0; i < request->message_count; i++) {
        tokens += estimate(request->messages[i].text);
    }
    for (size_t i = 0; i < request->tool_count; i++) {
        tokens += estimate(request->tools[i].description) + estimate(request->tools[i].parameters);
    }
    int window = 8192;
    while (window < 131072 && tokens + tokens / 4 > window) {
        window *= 2;
    }
    return window;
}

static void write_format(struct fd_json_writer *w, const struct llm_wishes *wishes)
{
    fd_jw_key(w, "format");
    if (wishes->schema != NULL) {
        encode_json(w, wishes->schema);
    } else {
        fd_jw_cstring(w, "json");
    }
}

/* Members of `options`. */
static void write_wishes(struct fd_json_writer *w, const struct llm_wishes *wishes)
{
    encode_number(w, "top_p", wishes->top_p, -1);
    encode_number(w, "frequency_penalty", wishes->frequency_penalty, 0);
    encode_number(w, "presence_penalty", wishes->presence_penalty, 0);
    if (wishes->has_seed) {
        fd_jw_member_int(w, "seed", wishes->seed);
    }
    encode_stop(w, "stop", wishes);
}

static bool write_body(struct buf *body, const struct llm_request *request)
{
    struct fd_json_writer w;
    buf_json(body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "model", request->model);
    write_messages(&w, request);
    if (!request->tools_closed) {
        encode_tools(&w, request);
    }
    if (request->wishes != NULL && request->wishes->format != NULL) {
        write_format(&w, request->wishes);
    }
    fd_jw_member_bool(&w, "stream", true);
    fd_jw_key(&w, "options");
    fd_jw_object(&w);
    if (request->temperature >= 0) {
        fd_jw_key(&w, "temperature");
        fd_jw_double(&w, request->temperature);
    }
    if (request->max_tokens > 0) {
        fd_jw_member_int(&w, "num_predict", request->max_tokens);
    }
    if (request->wishes != NULL) {
        write_wishes(&w, request->wishes);
    }
    fd_jw_member_int(&w, "num_ctx", window_for(request));
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    return buf_json_end(body, &w);
}

bool ollama_encode(const struct llm_request *request, const char *api_key, struct arena *a,
                   const char **path, const char *const **headers, struct buf *body)
{
    const char **list = arena_zalloc(a, 3 * sizeof(*list));
    size_t count = 0;
    list[count++] = "Content-Type: application/json";
    if (api_key != NULL) {
        list[count] = encode_header(a, "Authorization", "Bearer ", api_key);
        if (list[count] == NULL) {
            return false;
        }
    }
    *path = "/api/chat";
    *headers = list;
    return request->model != NULL && write_body(body, request);
}
