/* The messages of a completion: their roles, their contents, and that every call of a
 * tool has its result, since a provider refuses a conversation in which one has not. */
#include "protocol/completion_check.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE 128

/* What a message of a role may and must have. */
struct role {
    const char *name;
    bool needs_content;
    bool may_refuse;
    bool may_call;
    bool answers_call;
};

static const struct role roles[] = {
    {"system", true, false, false, false}, {"developer", true, false, false, false},
    {"user", true, false, false, false},   {"assistant", false, true, true, false},
    {"tool", true, false, false, true},
};

static const struct role *find_role(const char *name)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    }
    return NULL;
}

static const char *path_of(char path[PATH_SIZE], size_t index, const char *member)
{
    snprintf(path, PATH_SIZE, "messages[%zu]%s", index, member);
    return path;
}

/* -- content --------------------------------------------------------------------------- */

static bool check_part(const struct fd_json *part, const struct role *role, const char *path,
                       struct fd_completion_fault *fault)
{
    if (part->type != FD_JSON_OBJECT)
        return fd_completion_wrong_type(fault, path, "an object", part);
    const char *type = fd_json_string(part, "type");
    if (type == NULL)
        return fd_completion_fault(fault, FD_FAULT_MISSING, path, "'%s' needs a type.", path);
    const char *member = strcmp(type, "text") == 0 ? "text" : NULL;
    if (role->may_refuse && strcmp(type, "refusal") == 0)
        member = "refusal";
    if (member == NULL)
        return fd_completion_fault(fault, FD_FAULT_VALUE, path,
                                   "'%s' is of a type that is not taken here: only text is.", path);
    if (fd_json_string(part, member) == NULL)
        return fd_completion_fault(fault, FD_FAULT_TYPE, path, "'%s.%s' must be a string.", path,
                                   member);
    return true;
}

static bool check_content(const struct fd_json *content, const struct role *role, size_t index,
                          struct fd_completion_fault *fault)
{
    char path[PATH_SIZE], member[64];
    path_of(path, index, ".content");
    if (content->type == FD_JSON_STRING)
        return true;
    if (content->type != FD_JSON_ARRAY)
        return fd_completion_wrong_type(fault, path, "a string or an array of parts", content);
    if (content->count == 0)
        return fd_completion_fault(fault, FD_FAULT_VALUE, path, "'%s' must not be empty.", path);
    size_t n = 0;
    for (const struct fd_json *part = content->child; part != NULL; part = part->next) {
        snprintf(member, sizeof(member), ".content[%zu]", n++);
        if (!check_part(part, role, path_of(path, index, member), fault))
            return false;
    }
    return true;
}

/* -- calls ----------------------------------------------------------------------------- */

static bool is_text(const struct fd_json *value, size_t most)
{
    return value != NULL && value->type == FD_JSON_STRING && value->text_len > 0 &&
           value->text_len <= most;
}

static bool check_call(const struct fd_json *call, const char *path,
                       struct fd_completion_fault *fault)
{
    const char *type = fd_json_string(call, "type");
    const struct fd_json *function = fd_json_get(call, "function");
    if (!is_text(fd_json_get(call, "id"), FD_COMPLETION_ID_MAX))
        return fd_completion_fault(fault, FD_FAULT_MISSING, path, "'%s' needs an id.", path);
    if (type == NULL || strcmp(type, "function") != 0)
        return fd_completion_fault(fault, FD_FAULT_VALUE, path, "'%s' must be of type 'function'.",
                                   path);
    if (!is_text(fd_json_get(function, "name"), FD_COMPLETION_ID_MAX) ||
        fd_json_string(function, "arguments") == NULL)
        return fd_completion_fault(fault, FD_FAULT_VALUE, path,
                                   "'%s.function' needs a name and arguments, both strings.", path);
    return true;
}

static bool check_calls(const struct fd_json *calls, size_t index,
                        struct fd_completion_fault *fault)
{
    char path[PATH_SIZE], member[64];
    path_of(path, index, ".tool_calls");
    if (calls->type != FD_JSON_ARRAY)
        return fd_completion_wrong_type(fault, path, "an array of calls", calls);
    if (calls->count == 0 || calls->count > FD_COMPLETION_CALLS_MAX)
        return fd_completion_fault(fault, FD_FAULT_VALUE, path, "'%s' must hold 1 to %d calls.",
                                   path, FD_COMPLETION_CALLS_MAX);
    size_t n = 0;
    for (const struct fd_json *call = calls->child; call != NULL; call = call->next) {
        snprintf(member, sizeof(member), ".tool_calls[%zu]", n++);
        if (!check_call(call, path_of(path, index, member), fault))
            return false;
    }
    return true;
}

static bool is_tool(const struct fd_json *message)
{
    const char *role = fd_json_string(message, "role");
    return role != NULL && strcmp(role, "tool") == 0;
}

static bool not_a_response(size_t index, struct fd_completion_fault *fault)
{
    char path[PATH_SIZE];
    return fd_completion_fault(fault, FD_FAULT_VALUE, path_of(path, index, ".role"),
                               "messages[%zu] with role 'tool' must be a response to a "
                               "preceding message with 'tool_calls'.",
                               index);
}

struct calls {
    const char *ids[FD_COMPLETION_CALLS_MAX];
    bool answered[FD_COMPLETION_CALLS_MAX];
    size_t count;
};

static bool take_answer(struct calls *calls, const char *id)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (!calls->answered[i] && strcmp(calls->ids[i], id) == 0)
            return calls->answered[i] = true;
    }
    return false;
}

/* The results stand right behind the calls, in any order, one each. One that does not name its
 * call is told so as a message of its own. */
static bool check_results(const struct fd_json *message, const struct fd_json *own, size_t index,
                          struct fd_completion_fault *fault)
{
    char path[PATH_SIZE];
    struct calls calls = {.count = 0};
    for (const struct fd_json *call = own->child; call != NULL; call = call->next)
        calls.ids[calls.count++] = fd_json_string(call, "id");
    size_t at = index;
    for (const struct fd_json *after = message->next; after != NULL && is_tool(after);
         after = after->next) {
        const char *id = fd_json_string(after, "tool_call_id");
        at++;
        if (id != NULL && !take_answer(&calls, id))
            return not_a_response(at, fault);
    }
    for (size_t i = 0; i < calls.count; i++) {
        if (!calls.answered[i])
            return fd_completion_fault(
                fault, FD_FAULT_VALUE, path_of(path, index, ".tool_calls"),
                "An assistant message with 'tool_calls' must be followed by tool messages that "
                "respond to each 'tool_call_id'; in messages[%zu] one has no response.",
                index);
    }
    return true;
}

/* -- a message ------------------------------------------------------------------------- */

/* `calls`: those that a tool's message may answer, NULL = none. */
static bool check_members(const struct fd_json *message, const struct role *role, size_t index,
                          const struct fd_json *calls, struct fd_completion_fault *fault)
{
    char path[PATH_SIZE];
    const struct fd_json *content = fd_json_get(message, "content");
    const struct fd_json *own_calls = fd_json_get(message, "tool_calls");
    const struct fd_json *id = fd_json_get(message, "tool_call_id");
    bool calls_tools = role->may_call && fd_completion_given(own_calls);

    if (role->answers_call && !is_text(id, FD_COMPLETION_ID_MAX))
        return fd_completion_missing(fault, path_of(path, index, ".tool_call_id"));
    if (role->answers_call && calls == NULL)
        return not_a_response(index, fault);
    if (fd_completion_given(content) && !check_content(content, role, index, fault))
        return false;
    bool says = fd_completion_given(content) ||
                (role->may_refuse && fd_json_string(message, "refusal") != NULL);
    if (!says && !calls_tools)
        return fd_completion_missing(fault, path_of(path, index, ".content"));
    if (!calls_tools)
        return true;
    return check_calls(own_calls, index, fault) && check_results(message, own_calls, index, fault);
}

static bool check_message(const struct fd_json *message, size_t index, const struct fd_json **calls,
                          struct fd_completion_fault *fault)
{
    char path[PATH_SIZE];
    if (message->type != FD_JSON_OBJECT)
        return fd_completion_wrong_type(fault, path_of(path, index, ""), "an object", message);
    const char *name = fd_json_string(message, "role");
    if (name == NULL)
        return fd_completion_missing(fault, path_of(path, index, ".role"));
    const struct role *role = find_role(name);
    if (role == NULL)
        return fd_completion_fault(fault, FD_FAULT_VALUE, path_of(path, index, ".role"),
                                   "'%s' must be one of 'system', 'developer', 'user', "
                                   "'assistant' and 'tool'.",
                                   path);
    if (!check_members(message, role, index, *calls, fault))
        return false;
    const struct fd_json *own = role->may_call ? fd_json_get(message, "tool_calls") : NULL;
    if (!role->answers_call)
        *calls = fd_completion_given(own) ? own : NULL;
    return true;
}

bool fd_completion_check_messages(const struct fd_json *messages, struct fd_completion_fault *fault)
{
    const struct fd_json *calls = NULL;
    if (messages->type != FD_JSON_ARRAY)
        return fd_completion_wrong_type(fault, "messages", "an array of objects", messages);
    if (messages->count == 0)
        return fd_completion_fault(fault, FD_FAULT_VALUE, "messages",
                                   "'messages' must hold at least one message.");
    size_t index = 0;
    for (const struct fd_json *message = messages->child; message != NULL;
         message = message->next) {
        if (!check_message(message, index++, &calls, fault))
            return false;
    }
    return true;
}
