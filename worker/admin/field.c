#include "admin/field.h"

#include <string.h>

#define OBJECT_MAX 1048576 /* bytes as text */

size_t field_texts(const struct admin_request *request, const char *name, const char *const **texts)
{
    const struct fd_json *array = fd_json_get(request->body, name);
    size_t count = 0;

    *texts = NULL;
    if (array == NULL)
        return 0;
    const char **list = arena_alloc(request->arena, (array->count + 1) * sizeof(*list));
    for (const struct fd_json *item = array->child; item != NULL; item = item->next)
        list[count++] = item->text;
    *texts = list;
    return count;
}

bool field_object(const struct admin_request *request, struct admin_reply *reply, const char *name,
                  const char **text)
{
    const struct fd_json *value = fd_json_get(request->body, name);
    struct fd_json_writer w;
    struct buf out;

    if (value == NULL)
        return true;
    buf_init(&out, OBJECT_MAX);
    buf_json(&out, &w);
    fd_jw_json(&w, value);
    bool fits = buf_json_end(&out, &w);
    *text = fits ? arena_strndup(request->arena, out.data, out.len) : NULL;
    buf_free(&out);
    if (!fits)
        admin_problem(reply, request, FD_PROBLEM_FIELD, name, "it is too long");
    return fits;
}

void field_refuse(const struct admin_request *request, struct admin_reply *reply,
                  enum db_status status)
{
    const char *why = db_error(request->db), *colon = strstr(why, ": ");

    if (status != DB_FAILED || db_sqlstate(request->db)[0] != '\0' || colon == NULL)
        admin_db_problem(reply, request, status);
    else
        admin_problem(reply, request, FD_PROBLEM_FIELD,
                      arena_strndup(request->arena, why, (size_t)(colon - why)),
                      arena_strdup(request->arena, colon + 2));
}
