/* The tools of a completion, which of them the model is to use, and the form of its
 * answer. */
#include "protocol/completion_check.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

static bool is(const struct fd_json *value, const char *word)
{
    return value != NULL && value->type == FD_JSON_STRING && strcmp(value->text, word) == 0;
}

bool fd_completion_is_name(const struct fd_json *value)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return value != NULL && value->type == FD_JSON_STRING && value->text_len > 0 &&
           value->text_len <= 64 && strspn(value->text, allowed) == value->text_len;
}

/* Absent, null or of the type. */
static bool may_be(const struct fd_json *value, enum fd_json_type type)
{
    return !fd_completion_given(value) || value->type == type;
}

/* -- tools ----------------------------------------------------------------------------- */

static bool check_function(const struct fd_json *function, const char *path,
                           struct fd_completion_fault *fault)
{
    if (function == NULL || function->type != FD_JSON_OBJECT)
        return fd_completion_fault(fault, FD_FAULT_MISSING, path, "'%s.function' is required.",
                                   path);
    if (!fd_completion_is_name(fd_json_get(function, "name")))
        return fd_completion_fault(fault, FD_FAULT_VALUE, path,
                                   "'%s.function.name' must be 1 to 64 letters, digits, '_' or "
                                   "'-'.",
                                   path);
    if (!may_be(fd_json_get(function, "description"), FD_JSON_STRING))
        return fd_completion_fault(fault, FD_FAULT_TYPE, path,
                                   "'%s.function.description' must be a string.", path);
    if (!may_be(fd_json_get(function, "parameters"), FD_JSON_OBJECT))
        return fd_completion_fault(fault, FD_FAULT_TYPE, path,
                                   "'%s.function.parameters' must be a JSON Schema, an object.",
                                   path);
    if (!may_be(fd_json_get(function, "strict"), FD_JSON_BOOL))
        return fd_completion_fault(fault, FD_FAULT_TYPE, path,
                                   "'%s.function.strict' must be true or false.", path);
    return true;
}

bool fd_completion_check_tools(const struct fd_json *tools, struct fd_completion_fault *fault)
{
    if (tools->type != FD_JSON_ARRAY)
        return fd_completion_wrong_type(fault, "tools", "an array of objects", tools);
    if (tools->count > FD_COMPLETION_TOOLS_MAX)
        return fd_completion_fault(fault, FD_FAULT_VALUE, "tools",
                                   "'tools' must hold at most %d tools.", FD_COMPLETION_TOOLS_MAX);
    size_t index = 0;
    for (const struct fd_json *tool = tools->child; tool != NULL; tool = tool->next) {
        char path[64];
        snprintf(path, sizeof(path), "tools[%zu]", index++);
        if (tool->type != FD_JSON_OBJECT)
            return fd_completion_wrong_type(fault, path, "an object", tool);
        if (!is(fd_json_get(tool, "type"), "function"))
            return fd_completion_fault(fault, FD_FAULT_VALUE, path, "'%s.type' must be 'function'.",
                                       path);
        if (!check_function(fd_json_get(tool, "function"), path, fault))
            return false;
    }
    return true;
}

/* -- tool_choice ----------------------------------------------------------------------- */

static bool has_tool(const struct fd_json *tools, const char *name)
{
    for (const struct fd_json *tool = tools->child; tool != NULL; tool = tool->next) {
        if (strcmp(fd_json_string(fd_json_get(tool, "function"), "name"), name) == 0)
            return true;
    }
    return false;
}

bool fd_completion_check_choice(const struct fd_json *choice, const struct fd_json *tools,
                                struct fd_completion_fault *fault)
{
    if (tools == NULL)
        return fd_completion_fault(fault, FD_FAULT_VALUE, "tool_choice",
                                   "'tool_choice' is only allowed when 'tools' are specified.");
    if (is(choice, "none") || is(choice, "auto") || is(choice, "required"))
        return true;
    if (choice->type != FD_JSON_STRING && choice->type != FD_JSON_OBJECT)
        return fd_completion_wrong_type(fault, "tool_choice", "a string or an object", choice);
    const char *name = fd_json_string(fd_json_get(choice, "function"), "name");
    if (!is(fd_json_get(choice, "type"), "function") || name == NULL)
        return fd_completion_fault(fault, FD_FAULT_VALUE, "tool_choice",
                                   "'tool_choice' must be 'none', 'auto', 'required' or "
                                   "{\"type\": \"function\", \"function\": {\"name\": ...}}.");
    if (!has_tool(tools, name))
        return fd_completion_fault(fault, FD_FAULT_VALUE, "tool_choice",
                                   "'tool_choice' names a tool that is not among 'tools'.");
    return true;
}

/* -- response_format ------------------------------------------------------------------- */

static bool check_schema(const struct fd_json *schema, struct fd_completion_fault *fault)
{
    static const char path[] = "response_format.json_schema";
    if (schema == NULL || schema->type != FD_JSON_OBJECT)
        return fd_completion_missing(fault, path);
    if (!fd_completion_is_name(fd_json_get(schema, "name")))
        return fd_completion_fault(fault, FD_FAULT_VALUE, "response_format.json_schema.name",
                                   "'%s.name' must be 1 to 64 letters, digits, '_' or '-'.", path);
    if (!may_be(fd_json_get(schema, "schema"), FD_JSON_OBJECT) ||
        !may_be(fd_json_get(schema, "strict"), FD_JSON_BOOL) ||
        !may_be(fd_json_get(schema, "description"), FD_JSON_STRING))
        return fd_completion_fault(fault, FD_FAULT_TYPE, path,
                                   "'%s' takes a schema (an object), strict (true or false) and "
                                   "a description (a string).",
                                   path);
    return true;
}

bool fd_completion_check_format(const struct fd_json *format, struct fd_completion_fault *fault)
{
    if (format->type != FD_JSON_OBJECT)
        return fd_completion_wrong_type(fault, "response_format", "an object", format);
    const struct fd_json *type = fd_json_get(format, "type");
    if (is(type, "text") || is(type, "json_object"))
        return true;
    if (is(type, "json_schema"))
        return check_schema(fd_json_get(format, "json_schema"), fault);
    return fd_completion_fault(fault, FD_FAULT_VALUE, "response_format.type",
                               "'response_format.type' must be 'text', 'json_object' or "
                               "'json_schema'.");
}
