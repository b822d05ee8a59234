/* GET and PUT ai-settings: what an organisation sets of its assistant (ENG-3). */
#include "tenant/ai_settings.h"

#include "admin/admin.h"
#include "tenant/ai_field.h"

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status = ai_settings_read(request->db, request->org, &reply->body);

    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    }
}

/* Members that are not sent stay as they are. */
static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct ai_fault fault;

    enum db_status status =
        ai_settings_change(request->db, request->org, request->body, &fault, &reply->body);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (fault.detail[0] != '\0') {
        admin_problem(reply, request, FD_PROBLEM_FIELD, fault.field, fault.detail);
    } else {
        admin_settings_changed(request);
    }
}

static const char *type_of(const struct ai_field *field)
{
    switch (field->kind) {
    case AI_BOOL: return "boolean";
    case AI_INT: return "integer";
    case AI_NUMBER: return "number";
    case AI_TEXT:
    case AI_MODEL:
    case AI_CHOICE: return "string";
    case AI_WORDS: return "array";
    case AI_TREE: return NULL;
    }
    return NULL;
}

/* From the operation's own table, which it checks by. */
static void write_field(struct fd_json_writer *w, const struct ai_field *field)
{
    const char *type = type_of(field);

    fd_jw_key(w, field->name);
    fd_jw_object(w);
    if (type != NULL) {
        fd_jw_key(w, "type");
        fd_jw_array(w);
        fd_jw_cstring(w, type);
        fd_jw_cstring(w, "null");
        fd_jw_end_array(w);
    }
    if ((field->kind == AI_INT || field->kind == AI_NUMBER) && field->max > field->min) {
        fd_jw_key(w, "minimum");
        fd_jw_double(w, field->min);
        fd_jw_key(w, "maximum");
        fd_jw_double(w, field->max);
    }
    fd_jw_end_object(w);
}

static void write_schema(struct fd_json_writer *w)
{
    fd_jw_object(w);
    fd_jw_member(w, "type", "object");
    fd_jw_key(w, "properties");
    fd_jw_object(w);
    for (size_t i = 0; i < ai_field_count; i++)
        write_field(w, &ai_fields[i]);
    fd_jw_end_object(w);
    fd_jw_member_bool(w, "additionalProperties", false);
    fd_jw_end_object(w);
}

static const struct admin_body body = {.write = write_schema};

static const struct admin_route routes[] = {
    {"GET", "ai-settings", ADMIN_STAFF, 0, show, .summary = "What is set of the assistant",
     .answer = "object"},
    {"PUT", "ai-settings", ADMIN_ADMIN, 0, change,
     .summary = "Changes what is sent; null takes the built-in value back", .body = &body,
     .answer = "object"},
};

const struct admin_resource admin_ai_settings = {routes, sizeof(routes) / sizeof(routes[0])};
