#include "admin/field.h"

#include <inttypes.h>
#include <string.h>

static bool wrong(const struct admin_request *request, struct admin_reply *reply, const char *name,
                  const char *detail)
{
    admin_problem(reply, request, FD_PROBLEM_FIELD, name, detail);
    return false;
}

bool field_known(const struct admin_request *request, struct admin_reply *reply,
                 const char *const *known)
{
    for (const struct fd_json *m = request->body->child; m != NULL; m = m->next) {
        const char *const *name = known;
        while (*name != NULL && strcmp(*name, m->key) != 0)
            name++;
        if (*name == NULL)
            return wrong(request, reply, m->key, "there is no such field here");
    }
    return true;
}

bool field_text(const struct admin_request *request, struct admin_reply *reply, const char *name,
                bool required, size_t max, const char **text)
{
    const struct fd_json *value = fd_json_get(request->body, name);

    *text = NULL;
    if (value == NULL)
        return !required || wrong(request, reply, name, "this field is required");
    if (value->type != FD_JSON_STRING || value->text_len == 0 || value->text_len > max)
        return wrong(request, reply, name,
                     arena_printf(request->arena, "a text of 1 to %zu bytes would be right", max));
    *text = value->text;
    return true;
}

bool field_int(const struct admin_request *request, struct admin_reply *reply, const char *name,
               int64_t min, int64_t max, int64_t otherwise, int64_t *value)
{
    const struct fd_json *given = fd_json_get(request->body, name);

    *value = given != NULL && given->is_integer ? given->integer : otherwise;
    if (given == NULL || (given->is_integer && *value >= min && *value <= max))
        return true;
    return wrong(request, reply, name,
                 arena_printf(request->arena,
                              "a whole number from %" PRId64 " to %" PRId64 " would be right", min,
                              max));
}

bool field_texts(const struct admin_request *request, struct admin_reply *reply, const char *name,
                 size_t max, const char *const **texts, size_t *count)
{
    const struct fd_json *array = fd_json_get(request->body, name);
    size_t room = array != NULL ? array->count : 0;
    const char **list = arena_alloc(request->arena, (room + 1) * sizeof(*list));

    *texts = list;
    *count = 0;
    if (array == NULL)
        return true;
    bool good = array->type == FD_JSON_ARRAY && room <= max;
    for (const struct fd_json *item = array->child; good && item != NULL; item = item->next) {
        good = item->type == FD_JSON_STRING;
        list[(*count)++] = item->text;
    }
    return good ||
           wrong(request, reply, name,
                 arena_printf(request->arena, "an array of at most %zu texts would be right", max));
}

void field_refuse(const struct admin_request *request, struct admin_reply *reply,
                  enum db_status status)
{
    const char *why = db_error(request->db), *colon = strstr(why, ": ");

    if (status != DB_FAILED || db_sqlstate(request->db)[0] != '\0' || colon == NULL)
        admin_db_problem(reply, request, status);
    else
        wrong(request, reply, arena_strndup(request->arena, why, (size_t)(colon - why)),
              arena_strdup(request->arena, colon + 2));
}
