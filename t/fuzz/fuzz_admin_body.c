/* The admin API's bodies and tags: what a client sends, against a table of every kind of
 * member. What is let through is as the table says. */
#include "admin/schema.h"
#include "admin/tag.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct admin_field point_fields[] = {
    {"label", ADMIN_TEXT, .required = true, .max = 3},
};
static const struct admin_field fields[] = {
    {"name", ADMIN_TEXT, .required = true, .max = 5},
    {"kind", ADMIN_TEXT | ADMIN_NULL, .one_of = "pk|sk"},
    {"count", ADMIN_INT, .min = 1, .max = 9},
    {"on", ADMIN_BOOL},
    {"words", ADMIN_TEXTS, .max = 2, .one_of = "a|b"},
    {"points", ADMIN_LIST, .max = 2, .members = ADMIN_BODY(point_fields)},
    {"free", ADMIN_OBJECT},
};
static const struct admin_body body = {.fields = fields,
                                       .count = sizeof(fields) / sizeof(fields[0])};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_taken(const struct fd_json *object)
{
    const struct fd_json *name = fd_json_get(object, "name");
    const struct fd_json *points = fd_json_get(object, "points");
    int64_t count = fd_json_int(object, "count", 1);

    if (name == NULL || name->type != FD_JSON_STRING || name->text_len < 1 || name->text_len > 5)
        abort();
    if (count < 1 || count > 9 || object->count > body.count)
        abort();
    for (const struct fd_json *p = points != NULL ? points->child : NULL; p != NULL; p = p->next) {
        if (p->type != FD_JSON_OBJECT || fd_json_string(p, "label") == NULL || p->count != 1)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fd_json_fault broken;
    struct schema_fault fault;
    struct arena a;

    if (size > 8192)
        return 0;
    arena_init(&a);
    char *text = arena_strndup(&a, (const char *)data, size);
    const struct fd_json *json =
        fd_json_parse(text, size, (struct fd_json_limits){0}, arena_allocator(&a), &broken);
    if (json != NULL && json->type == FD_JSON_OBJECT) {
        if (schema_check(&body, json, &fault))
            check_taken(json);
        else if (strlen(fault.field) >= SCHEMA_FIELD_MAX || fault.detail[0] == '\0')
            abort();
    }
    /* the same bytes as a list of tags: whoever knows the tag has written it */
    static const char tag[] = "\"0123456789abcdef012345.0123456789abcdef012345\"";
    if (tag_is_known(text, tag) && strstr(text, tag) == NULL && strchr(text, '*') == NULL)
        abort();
    if (tag_allows(text, tag) && strstr(text, "0123456789abcdef012345") == NULL &&
        strchr(text, '*') == NULL)
        abort();
    arena_free(&a);
    return 0;
}
