#include "llm/encode.h"

#include <string.h>

#define ANTHROPIC_VERSION  "2023-06-01"
#define MAX_TOKENS_DEFAULT 4096 /* the field is required */

/* Newer models refuse sampling parameters; leaving them out is right for all. */
static bool takes_temperature(const char *model)
{
    static const char *const families[] = {"claude-3",        "claude-haiku-4",  "claude-sonnet-4",
                                           "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2",
                                           "claude-opus-4-5", "claude-opus-4-6"};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strncmp(model, families[i], strlen(families[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Ids may hold [A-Za-z0-9_-] only; those of another provider, earlier in the
 * conversation, may hold more. The same id is always rewritten the same way. */
static const char *plain_id(struct arena *a, const char *id)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (id == NULL || *id == '\0') {
        return "call_0";
    }
    char *plain = arena_strdup(a, id);
    for (char *p = plain + strspn(plain, allowed); *p != '\0'; p += strspn(p, allowed)) {
        *p = '_';
    }
    return plain;
}

static void write_text(struct fd_json_writer *w, const char *text)
{
    if (encode_is_blank(text)) {
        return; /* an empty block is refused */
    }
    fd_jw_object(w);
    fd_jw_member(w, "type", "text");
    fd_jw_member(w, "text", text);
    fd_jw_end_object(w);
}

static void write_tool_use(struct fd_json_writer *w, struct arena *a,
                           const struct llm_tool_call *call)
{
    fd_jw_object(w);
    fd_jw_member(w, "type", "tool_use");
    fd_jw_member(w, "id", plain_id(a, call->id));
    fd_jw_member(w, "name", call->name);
    fd_jw_key(w, "input");
    encode_json(w, call->arguments);
    fd_jw_end_object(w);
}

static void write_blocks(struct fd_json_writer *w, struct arena *a,
                         const struct llm_message *message)
{
    if (message->role == LLM_TOOL) {
        fd_jw_object(w);
        fd_jw_member(w, "type", "tool_result");
        fd_jw_member(w, "tool_use_id", plain_id(a, message->tool_call_id));
        fd_jw_member(w, "content", message->text != NULL ? message->text : "");
        fd_jw_end_object(w);
        return;
    }
    write_text(w, message->text);
    for (size_t i = 0; i < message->tool_call_count; i++) {
        write_tool_use(w, a, &message->tool_calls[i]);
    }
}

static bool has_blocks(const struct llm_message *message)
{
    return message->role == LLM_TOOL || message->tool_call_count > 0 ||
           !encode_is_blank(message->text);
}

/* Turns must alternate and the first be the user's, and the results of all calls of
 * a turn belong into one message: neighbours of a side are written as one. */
static bool write_messages(struct fd_json_writer *w, struct arena *a,
                           const struct llm_request *request)
{
    const char *open = NULL;
    fd_jw_key(w, "messages");
    fd_jw_array(w);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct llm_message *message = &request->messages[i];
        bool leads_wrongly = open == NULL && message->role != LLM_USER;
        if (message->role == LLM_SYSTEM || leads_wrongly || !has_blocks(message)) {
            continue;
        }
        const char *role = message->role == LLM_ASSISTANT ? "assistant" : "user";
        if (open == NULL || strcmp(open, role) != 0) {
            if (open != NULL) {
                fd_jw_end_array(w);
                fd_jw_end_object(w);
            }
            fd_jw_object(w);
            fd_jw_member(w, "role", role);
            fd_jw_key(w, "content");
            fd_jw_array(w);
            open = role;
        }
        write_blocks(w, a, message);
    }
    if (open != NULL) {
        fd_jw_end_array(w);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
    return open != NULL;
}

/* There is no system role among the messages: such text joins the top-level one. */
static void write_system(struct fd_json_writer *w, struct arena *a,
                         const struct llm_request *request)
{
    const char *system = encode_is_blank(request->system) ? NULL : request->system;
    for (size_t i = 0; i < request->message_count; i++) {
        const struct llm_message *message = &request->messages[i];
        if (message->role == LLM_SYSTEM && !encode_is_blank(message->text)) {
            system =
                system == NULL ? message->text : arena_printf(a, "%s\n\n%s", system, message->text);
        }
    }
    if (system != NULL) {
        fd_jw_member(w, "system", system);
    }
}

/* A choice without a word of ours would be the protocol's own default. */
static void write_choice(struct fd_json_writer *w, const struct llm_wishes *wishes)
{
    bool alone = wishes != NULL && wishes->parallel_calls == 0;
    if (wishes == NULL || (!wishes->must_call && !alone)) {
        return;
    }
    fd_jw_key(w, "tool_choice");
    fd_jw_object(w);
    if (wishes->must_call && wishes->must_call_name != NULL) {
        fd_jw_member(w, "type", "tool");
        fd_jw_member(w, "name", wishes->must_call_name);
    } else {
        fd_jw_member(w, "type", wishes->must_call ? "any" : "auto");
    }
    if (alone) {
        fd_jw_member_bool(w, "disable_parallel_tool_use", true);
    }
    fd_jw_end_object(w);
}

static void write_tools(struct fd_json_writer *w, const struct llm_request *request)
{
    if (request->tool_count == 0) {
        return;
    }
    fd_jw_key(w, "tools");
    fd_jw_array(w);
    for (size_t i = 0; i < request->tool_count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "name", request->tools[i].name);
        if (!encode_is_blank(request->tools[i].description)) {
            fd_jw_member(w, "description", request->tools[i].description);
        }
        fd_jw_key(w, "input_schema");
        encode_json(w, encode_is_blank(request->tools[i].parameters)
                           ? "{\"type\":\"object\"}"
                           : request->tools[i].parameters);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
    if (request->tools_closed) { /* they must be named as long as their calls are */
        fd_jw_key(w, "tool_choice");
        fd_jw_object(w);
        fd_jw_member(w, "type", "none");
        fd_jw_end_object(w);
    } else {
        write_choice(w, request->wishes);
    }
}

/* Temperature and top_p together are refused by the newer ones. */
static void write_wishes(struct fd_json_writer *w, const struct llm_request *request)
{
    const struct llm_wishes *wishes = request->wishes;
    if (wishes == NULL) {
        return;
    }
    if (request->temperature < 0 && takes_temperature(request->model)) {
        encode_number(w, "top_p", wishes->top_p, -1);
    }
    encode_stop(w, "stop_sequences", wishes);
}

static bool write_body(struct buf *body, struct arena *a, const struct llm_request *request)
{
    struct fd_json_writer w;
    buf_json(body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "model", request->model);
    fd_jw_member_int(&w, "max_tokens",
                     request->max_tokens > 0 ? request->max_tokens : MAX_TOKENS_DEFAULT);
    write_system(&w, a, request);
    bool has_messages = write_messages(&w, a, request);
    write_tools(&w, request);
    if (request->temperature >= 0 && takes_temperature(request->model)) {
        fd_jw_key(&w, "temperature");
        fd_jw_double(&w, request->temperature < 1 ? request->temperature : 1);
    }
    write_wishes(&w, request);
    fd_jw_member_bool(&w, "stream", true);
    fd_jw_end_object(&w);
    return buf_json_end(body, &w) && has_messages;
}

bool anthropic_encode(const struct llm_request *request, const char *api_key, struct arena *a,
                      const char **path, const char *const **headers, struct buf *body)
{
    const char **list = arena_zalloc(a, 5 * sizeof(*list));
    size_t count = 0;
    list[count++] = "Content-Type: application/json";
    list[count++] = "Accept: text/event-stream";
    list[count++] = "anthropic-version: " ANTHROPIC_VERSION;
    if (api_key != NULL) {
        list[count] = encode_header(a, "x-api-key", "", api_key);
        if (list[count] == NULL) {
            return false;
        }
    }
    *path = "/v1/messages";
    *headers = list;
    return request->model != NULL && write_body(body, a, request);
}
