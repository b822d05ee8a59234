#include "admin/field.h"

#include <string.h>

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
