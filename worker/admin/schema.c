#include "admin/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- the check ------------------------------------------------------------------------------ */

/* Where we are, from the outside in. */
struct place {
    const struct place *outer;
    const char *name;
    size_t index;
    bool listed;
};

static size_t write_place(const struct place *place, char out[SCHEMA_FIELD_MAX])
{
    size_t len = place->outer != NULL ? write_place(place->outer, out) : 0;

    if (place->name != NULL)
        len += (size_t)snprintf(out + len, SCHEMA_FIELD_MAX - len, "%s%.*s", len > 0 ? "." : "", 64,
                                place->name);
    else if (place->listed)
        len += (size_t)snprintf(out + len, SCHEMA_FIELD_MAX - len, "[%zu]", place->index);
    return len < SCHEMA_FIELD_MAX ? len : SCHEMA_FIELD_MAX - 1;
}

__attribute__((format(printf, 3, 4))) static bool refuse(const struct place *place,
                                                         struct schema_fault *fault,
                                                         const char *format, ...)
{
    va_list args;

    fault->field[0] = '\0';
    write_place(place, fault->field);
    va_start(args, format);
    vsnprintf(fault->detail, sizeof(fault->detail), format, args);
    va_end(args);
    return false;
}

static bool is_one_of(const char *choices, const char *text, size_t len)
{
    for (const char *at = choices;; at++) {
        size_t word = strcspn(at, "|");
        if (word == len && memcmp(at, text, len) == 0)
            return true;
        at += word;
        if (*at == '\0')
            return false;
    }
}

/* "read, write or admin" */
static void write_choices(const char *choices, char out[256])
{
    size_t len = 0;

    for (const char *at = choices; *at != '\0' && len < 250;) {
        size_t word = strcspn(at, "|");
        bool last = at[word] == '\0';
        len += (size_t)snprintf(out + len, 256 - len, "%s%.*s",
                                at == choices ? ""
                                : last        ? " or "
                                              : ", ",
                                (int)word, at);
        at += word + !last;
    }
}

static bool check_text(const struct admin_field *field, const struct fd_json *value,
                       const struct place *place, struct schema_fault *fault)
{
    char choices[256] = "";

    if (field->one_of != NULL && !is_one_of(field->one_of, value->text, value->text_len)) {
        write_choices(field->one_of, choices);
        return refuse(place, fault, "%s would be right", choices);
    }
    if ((value->text_len == 0 && !field->empty) ||
        (field->max > 0 && (uint64_t)value->text_len > (uint64_t)field->max))
        return refuse(place, fault, "a text of %d to %" PRId64 " bytes would be right",
                      field->empty ? 0 : 1, field->max);
    return true;
}

static bool check_number(const struct admin_field *field, const struct fd_json *value,
                         const struct place *place, struct schema_fault *fault)
{
    bool whole = (field->kind & ADMIN_NUMBER) == 0, bound = field->min != 0 || field->max != 0;
    bool fits =
        !bound || (value->number >= (double)field->min && value->number <= (double)field->max);

    if ((whole && !value->is_integer) || !fits)
        return bound ? refuse(place, fault,
                              "a %snumber from %" PRId64 " to %" PRId64 " would be right",
                              whole ? "whole " : "", field->min, field->max)
                     : refuse(place, fault, "a whole number would be right");
    return true;
}

static bool check_members(const struct admin_body *body, const struct fd_json *object,
                          const struct place *place, struct schema_fault *fault);

static bool check_list(const struct admin_field *field, const struct fd_json *value,
                       const struct place *place, struct schema_fault *fault)
{
    struct place item_place = {.outer = place, .listed = true};
    bool texts = (field->kind & ADMIN_TEXTS) != 0;

    if (field->max > 0 && value->count > (size_t)field->max)
        return refuse(place, fault, "an array of at most %" PRId64 " %s would be right", field->max,
                      texts ? "texts" : "objects");
    for (const struct fd_json *item = value->child; item != NULL; item = item->next) {
        if (texts && item->type != FD_JSON_STRING)
            return refuse(&item_place, fault, "a text would be right");
        if (texts && field->one_of != NULL && !check_text(field, item, &item_place, fault))
            return false;
        if (!texts && item->type != FD_JSON_OBJECT)
            return refuse(&item_place, fault, "an object would be right");
        if (!texts && field->members != NULL &&
            !check_members(field->members, item, &item_place, fault))
            return false;
        item_place.index++;
    }
    return true;
}

/* "a text, true or false, or null" */
static bool refuse_kind(const struct admin_field *field, const struct place *place,
                        struct schema_fault *fault)
{
    static const struct {
        unsigned kind;
        const char *name;
    } names[] = {
        {ADMIN_TEXT, "a text"},
        {ADMIN_NUMBER, "a number"},
        {ADMIN_INT, "a whole number"},
        {ADMIN_BOOL, "true or false"},
        {ADMIN_TEXTS, "an array of texts"},
        {ADMIN_OBJECT, "an object"},
        {ADMIN_LIST, "an array of objects"},
        {ADMIN_NULL, "null"},
    };
    char text[160] = "", range[80] = "";
    size_t len = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((field->kind & names[i].kind) != 0 && len < sizeof(text))
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " or " : "",
                                    names[i].name);
    }
    if ((field->kind & (ADMIN_INT | ADMIN_NUMBER)) != 0 && (field->min != 0 || field->max != 0))
        snprintf(range, sizeof(range), " from %" PRId64 " to %" PRId64, field->min, field->max);
    else if ((field->kind & ADMIN_TEXT) != 0 && field->one_of == NULL && field->max > 0)
        snprintf(range, sizeof(range), " of %d to %" PRId64 " bytes", field->empty ? 0 : 1,
                 field->max);
    return field->one_of != NULL
               ? refuse(place, fault, "%s (%s) would be right", text, field->one_of)
               : refuse(place, fault, "%s%s would be right", text, range);
}

static bool check_value(const struct admin_field *field, const struct fd_json *value,
                        const struct place *place, struct schema_fault *fault)
{
    unsigned kind = field->kind;

    if ((kind & ADMIN_ANY) != 0)
        return true;
    switch (value->type) {
    case FD_JSON_NULL: return (kind & ADMIN_NULL) != 0 || refuse_kind(field, place, fault);
    case FD_JSON_BOOL: return (kind & ADMIN_BOOL) != 0 || refuse_kind(field, place, fault);
    case FD_JSON_STRING:
        return (kind & ADMIN_TEXT) != 0 ? check_text(field, value, place, fault)
                                        : refuse_kind(field, place, fault);
    case FD_JSON_NUMBER:
        return (kind & (ADMIN_INT | ADMIN_NUMBER)) != 0 ? check_number(field, value, place, fault)
                                                        : refuse_kind(field, place, fault);
    case FD_JSON_ARRAY:
        return (kind & (ADMIN_TEXTS | ADMIN_LIST)) != 0 ? check_list(field, value, place, fault)
                                                        : refuse_kind(field, place, fault);
    case FD_JSON_OBJECT:
        if ((kind & ADMIN_OBJECT) == 0)
            return refuse_kind(field, place, fault);
        return field->members == NULL || check_members(field->members, value, place, fault);
    }
    return false;
}

static const struct admin_field *find(const struct admin_body *body, const char *name)
{
    for (size_t i = 0; body != NULL && i < body->count; i++) {
        if (strcmp(body->fields[i].name, name) == 0)
            return &body->fields[i];
    }
    return NULL;
}

static bool check_members(const struct admin_body *body, const struct fd_json *object,
                          const struct place *place, struct schema_fault *fault)
{
    for (const struct fd_json *m = object->child; m != NULL; m = m->next) {
        const struct admin_field *field = find(body, m->key);
        const struct place here = {.outer = place, .name = m->key};
        if (field == NULL)
            return refuse(&here, fault, "there is no such field here");
        if (!check_value(field, m, &here, fault))
            return false;
    }
    for (size_t i = 0; body != NULL && i < body->count; i++) {
        const struct place here = {.outer = place, .name = body->fields[i].name};
        if (body->fields[i].required && fd_json_get(object, body->fields[i].name) == NULL)
            return refuse(&here, fault, "this field is required");
    }
    return true;
}

bool schema_check(const struct admin_body *body, const struct fd_json *object,
                  struct schema_fault *fault)
{
    const struct place top = {0};

    return (body != NULL && body->write != NULL) || check_members(body, object, &top, fault);
}

/* -- the description ------------------------------------------------------------------------ */

static void write_types(struct fd_json_writer *w, unsigned kind)
{
    static const struct {
        unsigned kind;
        const char *name;
    } types[] = {
        {ADMIN_TEXT, "string"},
        {ADMIN_NUMBER, "number"},
        {ADMIN_INT, "integer"},
        {ADMIN_BOOL, "boolean"},
        {ADMIN_TEXTS | ADMIN_LIST, "array"},
        {ADMIN_OBJECT, "object"},
        {ADMIN_NULL, "null"},
    };
    const char *one = NULL;
    size_t count = 0;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if ((kind & types[i].kind) != 0) {
            one = types[i].name;
            count++;
        }
    }
    fd_jw_key(w, "type");
    if (count == 1) {
        fd_jw_cstring(w, one);
        return;
    }
    fd_jw_array(w);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if ((kind & types[i].kind) != 0)
            fd_jw_cstring(w, types[i].name);
    }
    fd_jw_end_array(w);
}

static void write_one_of(struct fd_json_writer *w, const char *choices, bool null)
{
    fd_jw_key(w, "enum");
    fd_jw_array(w);
    for (const char *at = choices; *at != '\0';) {
        size_t word = strcspn(at, "|");
        fd_jw_string(w, at, word);
        at += word + (at[word] == '|');
    }
    if (null)
        fd_jw_null(w);
    fd_jw_end_array(w);
}

static void write_members(struct fd_json_writer *w, const struct admin_body *body);

static void write_items(struct fd_json_writer *w, const struct admin_field *field)
{
    fd_jw_key(w, "items");
    fd_jw_object(w);
    fd_jw_member(w, "type", (field->kind & ADMIN_TEXTS) != 0 ? "string" : "object");
    if (field->one_of != NULL)
        write_one_of(w, field->one_of, false);
    if (field->members != NULL)
        write_members(w, field->members);
    fd_jw_end_object(w);
}

static void write_bounds(struct fd_json_writer *w, const struct admin_field *field)
{
    unsigned kind = field->kind;
    bool number = (kind & (ADMIN_INT | ADMIN_NUMBER)) != 0 && (field->min != 0 || field->max != 0);

    if (number) {
        fd_jw_member_int(w, "minimum", field->min);
        fd_jw_member_int(w, "maximum", field->max);
    }
    if ((kind & ADMIN_TEXT) != 0 && !field->empty && field->one_of == NULL)
        fd_jw_member_int(w, "minLength", 1);
    if ((kind & ADMIN_TEXT) != 0 && !number && field->max > 0)
        fd_jw_member_int(w, "maxLength", field->max);
    if ((kind & (ADMIN_TEXTS | ADMIN_LIST)) != 0 && field->max > 0)
        fd_jw_member_int(w, "maxItems", field->max);
}

static void write_field(struct fd_json_writer *w, const struct admin_field *field)
{
    fd_jw_key(w, field->name);
    fd_jw_object(w);
    if ((field->kind & ADMIN_ANY) == 0)
        write_types(w, field->kind);
    if (field->one_of != NULL && (field->kind & ADMIN_TEXT) != 0)
        write_one_of(w, field->one_of, (field->kind & ADMIN_NULL) != 0);
    write_bounds(w, field);
    if (field->format != NULL)
        fd_jw_member(w, "format", field->format);
    if (field->note != NULL)
        fd_jw_member(w, "description", field->note);
    if ((field->kind & (ADMIN_TEXTS | ADMIN_LIST)) != 0)
        write_items(w, field);
    else if (field->members != NULL)
        write_members(w, field->members);
    fd_jw_end_object(w);
}

static void write_members(struct fd_json_writer *w, const struct admin_body *body)
{
    bool required = false;

    fd_jw_key(w, "properties");
    fd_jw_object(w);
    for (size_t i = 0; i < body->count; i++) {
        write_field(w, &body->fields[i]);
        required = required || body->fields[i].required;
    }
    fd_jw_end_object(w);
    fd_jw_member_bool(w, "additionalProperties", false);
    if (!required)
        return;
    fd_jw_key(w, "required");
    fd_jw_array(w);
    for (size_t i = 0; i < body->count; i++) {
        if (body->fields[i].required)
            fd_jw_cstring(w, body->fields[i].name);
    }
    fd_jw_end_array(w);
}

void schema_write(struct fd_json_writer *w, const struct admin_body *body)
{
    if (body->write != NULL) {
        body->write(w);
        return;
    }
    fd_jw_object(w);
    fd_jw_member(w, "type", "object");
    write_members(w, body);
    fd_jw_end_object(w);
}
