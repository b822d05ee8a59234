#include "llm/encode.h"

#include <ctype.h>
#include <string.h>

/* OpenAI's own reasoning models take no temperature and another name for the
 * bound; the same models behind a gateway ("openai/o3") are adapted there. */
static bool is_reasoning_model(const char *model)
{
    bool o_series = model[0] == 'o' && isdigit((unsigned char)model[1]);
    return o_series || strncmp(model, "gpt-5", 5) == 0;
}

static void write_message(struct fd_json_writer *w, const char *role, const char *text)
{
    fd_jw_object(w);
    fd_jw_member(w, "role", role);
    fd_jw_member(w, "content", text != NULL ? text : "");
    fd_jw_end_object(w);
}

static void write_assistant(struct fd_json_writer *w, const struct llm_message *message)
{
    fd_jw_object(w);
    fd_jw_member(w, "role", "assistant");
    bool has_text = message->text != NULL && *message->text != '\0';
    fd_jw_member(w, "content", has_text || message->tool_call_count == 0 ? message->text : NULL);
    if (message->tool_call_count > 0) {
        fd_jw_key(w, "tool_calls");
        fd_jw_array(w);
        for (size_t i = 0; i < message->tool_call_count; i++) {
            const struct llm_tool_call *call = &message->tool_calls[i];
            fd_jw_object(w);
            fd_jw_member(w, "id", call->id);
            fd_jw_member(w, "type", "function");
            fd_jw_key(w, "function");
            fd_jw_object(w);
            fd_jw_member(w, "name", call->name);
            fd_jw_member(w, "arguments", encode_is_blank(call->arguments) ? "{}" : call->arguments);
            fd_jw_end_object(w);
            fd_jw_end_object(w);
        }
        fd_jw_end_array(w);
    }
    fd_jw_end_object(w);
}

static void write_tool_result(struct fd_json_writer *w, const struct llm_message *message)
{
    fd_jw_object(w);
    fd_jw_member(w, "role", "tool");
    fd_jw_member(w, "tool_call_id", message->tool_call_id);
    fd_jw_member(w, "content", message->text != NULL ? message->text : "");
    fd_jw_end_object(w);
}

static void write_messages(struct fd_json_writer *w, const struct llm_request *request)
{
    fd_jw_key(w, "messages");
    fd_jw_array(w);
    if (!encode_is_blank(request->system)) {
        write_message(w, "system", request->system);
    }
    for (size_t i = 0; i < request->message_count; i++) {
        const struct llm_message *message = &request->messages[i];
        switch (message->role) {
        case LLM_SYSTEM: write_message(w, "system", message->text); break;
        case LLM_USER: write_message(w, "user", message->text); break;
        case LLM_ASSISTANT: write_assistant(w, message); break;
        case LLM_TOOL: write_tool_result(w, message); break;
        }
    }
    fd_jw_end_array(w);
}

static void write_choice(struct fd_json_writer *w, const struct llm_request *request)
{
    const struct llm_wishes *wishes = request->wishes;
    if (request->tool_count == 0 || request->tools_closed) {
        return;
    }
    if (wishes->must_call && wishes->must_call_name == NULL) {
        fd_jw_member(w, "tool_choice", "required");
    } else if (wishes->must_call) {
        fd_jw_key(w, "tool_choice");
        fd_jw_object(w);
        fd_jw_member(w, "type", "function");
        fd_jw_key(w, "function");
        fd_jw_object(w);
        fd_jw_member(w, "name", wishes->must_call_name);
        fd_jw_end_object(w);
        fd_jw_end_object(w);
    }
    if (wishes->parallel_calls >= 0) {
        fd_jw_member_bool(w, "parallel_tool_calls", wishes->parallel_calls > 0);
    }
}

/* The ones named for chats are made of the same, but do not reason, and refuse the word. */
static const char *effort_of(const struct llm_request *request, bool reasoning)
{
    const struct llm_wishes *wishes = request->wishes;
    bool thinks = reasoning && strstr(request->model, "-chat") == NULL;
    bool unsaid = wishes->reasoning_effort == NULL;
    return unsaid && wishes->think_little && thinks ? "low" : wishes->reasoning_effort;
}

static void write_wishes(struct fd_json_writer *w, const struct llm_request *request,
                         bool reasoning)
{
    const struct llm_wishes *wishes = request->wishes;
    if (wishes == NULL) {
        return;
    }
    write_choice(w, request);
    if (!reasoning) {
        encode_number(w, "top_p", wishes->top_p, -1);
        encode_number(w, "frequency_penalty", wishes->frequency_penalty, 0);
        encode_number(w, "presence_penalty", wishes->presence_penalty, 0);
    }
    if (wishes->has_seed) {
        fd_jw_member_int(w, "seed", wishes->seed);
    }
    encode_stop(w, "stop", wishes);
    if (wishes->format != NULL) {
        fd_jw_key(w, "response_format");
        encode_json(w, wishes->format);
    }
    const char *effort = effort_of(request, reasoning);
    if (effort != NULL) {
        fd_jw_member(w, "reasoning_effort", effort);
    }
    if (wishes->verbosity != NULL) {
        fd_jw_member(w, "verbosity", wishes->verbosity);
    }
}

static bool write_body(struct buf *body, const struct llm_request *request)
{
    struct fd_json_writer w;
    bool reasoning = is_reasoning_model(request->model);
    buf_json(body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "model", request->model);
    write_messages(&w, request);
    encode_tools(&w, request);
    if (request->tools_closed && request->tool_count > 0) {
        fd_jw_member(&w, "tool_choice", "none");
    }
    if (request->temperature >= 0 && !reasoning) {
        fd_jw_key(&w, "temperature");
        fd_jw_double(&w, request->temperature);
    }
    if (request->max_tokens > 0) {
        fd_jw_member_int(&w, reasoning ? "max_completion_tokens" : "max_tokens",
                         request->max_tokens);
    }
    write_wishes(&w, request, reasoning);
    fd_jw_member_bool(&w, "stream", true);
    fd_jw_key(&w, "stream_options");
    fd_jw_object(&w);
    fd_jw_member_bool(&w, "include_usage", true);
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    return buf_json_end(body, &w);
}

bool openai_encode(const struct llm_request *request, const char *api_key, struct arena *a,
                   const char **path, const char *const **headers, struct buf *body)
{
    const char **list = arena_zalloc(a, 4 * sizeof(*list));
    size_t count = 0;
    list[count++] = "Content-Type: application/json";
    list[count++] = "Accept: text/event-stream";
    if (api_key != NULL) {
        list[count] = encode_header(a, "Authorization", "Bearer ", api_key);
        if (list[count] == NULL) {
            return false;
        }
    }
    *path = "/chat/completions";
    *headers = list;
    return request->model != NULL && write_body(body, request);
}
