#include "llm/encode.h"

#include <string.h>

const char *encode_header(struct arena *a, const char *name, const char *prefix, const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            return NULL;
        }
    }
    return arena_printf(a, "%s: %s%s", name, prefix, value);
}

bool encode_is_blank(const char *text)
{
    return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

void encode_json(struct fd_json_writer *w, const char *json)
{
    if (encode_is_blank(json)) {
        json = "{}";
    }
    fd_jw_raw(w, json, strlen(json));
}

void encode_number(struct fd_json_writer *w, const char *key, double value, double unsaid)
{
    if (value != unsaid) {
        fd_jw_key(w, key);
        fd_jw_double(w, value);
    }
}

void encode_stop(struct fd_json_writer *w, const char *key, const struct llm_wishes *wishes)
{
    if (wishes->stop_count == 0) {
        return;
    }
    fd_jw_key(w, key);
    fd_jw_array(w);
    for (size_t i = 0; i < wishes->stop_count; i++) {
        fd_jw_cstring(w, wishes->stop[i]);
    }
    fd_jw_end_array(w);
}

void encode_tools(struct fd_json_writer *w, const struct llm_request *request)
{
    if (request->tool_count == 0) {
        return;
    }
    fd_jw_key(w, "tools");
    fd_jw_array(w);
    for (size_t i = 0; i < request->tool_count; i++) {
        const struct llm_tool *tool = &request->tools[i];
        fd_jw_object(w);
        fd_jw_member(w, "type", "function");
        fd_jw_key(w, "function");
        fd_jw_object(w);
        fd_jw_member(w, "name", tool->name);
        fd_jw_member(w, "description", tool->description != NULL ? tool->description : "");
        fd_jw_key(w, "parameters");
        encode_json(w, tool->parameters);
        if (tool->strict) {
            fd_jw_member_bool(w, "strict", true);
        }
        fd_jw_end_object(w);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}
