#include "tool/schema_describe.h"

#include "tool/schema_node.h"

#include <inttypes.h>

#define VALUES_SHOWN 12
#define VALUE_BYTES  60

/* A scalar as JSON writes it, cut; the kind of anything larger. */
static void add_value(struct line *line, const struct fd_json *value)
{
    switch (value->type) {
    case FD_JSON_NULL: line_add(line, "null"); break;
    case FD_JSON_BOOL: line_add(line, value->boolean ? "true" : "false"); break;
    case FD_JSON_NUMBER: line_quote(line, value->text, value->text_len, VALUE_BYTES); break;
    case FD_JSON_STRING:
        line_add(line, "\"");
        line_quote(line, value->text, value->text_len, VALUE_BYTES);
        line_add(line, "\"");
        break;
    case FD_JSON_ARRAY: line_add(line, "an array of %zu", value->count); break;
    case FD_JSON_OBJECT: line_add(line, "an object with %zu properties", value->count); break;
    }
}

void schema_describe_value(struct line *line, const struct fd_json *value)
{
    if (value->type == FD_JSON_STRING)
        line_add(line, "the string ");
    else if (value->type == FD_JSON_NUMBER)
        line_add(line, "the number ");
    add_value(line, value);
}

static void add_types(struct line *line, unsigned types)
{
    static const char *const names[] = {"null",     "true or false", "an integer", "a number",
                                        "a string", "an array",      "an object"};
    const char *between = "";

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((types & 1u << i) != 0) {
            line_add(line, "%s%s", between, names[i]);
            between = " or ";
        }
    }
}

static void add_range(struct line *line, const char *before, int64_t min, int64_t max,
                      const char *unit)
{
    if (min > 0 && max != INT64_MAX)
        line_add(line, "%s%" PRId64 " to %" PRId64 " %s", before, min, max, unit);
    else if (min > 0)
        line_add(line, "%sat least %" PRId64 " %s", before, min, unit);
    else if (max != INT64_MAX)
        line_add(line, "%sat most %" PRId64 " %s", before, max, unit);
}

static void add_bound(struct line *line, const char *word, const struct fd_json *bound)
{
    if (bound != NULL)
        line_add(line, " %s %.40s", word, bound->text);
}

static void add_required(struct line *line, const struct fd_json *required)
{
    const char *between = " with ";

    for (const struct fd_json *v = required != NULL ? required->child : NULL; v != NULL;
         v = v->next) {
        line_add(line, "%s\"%.*s\"", between, line_cut(v->text, 60), v->text);
        between = " and ";
    }
}

static void add_limits(struct line *line, const struct tool_schema *s)
{
    add_bound(line, "of at least", s->minimum);
    add_bound(line, "of at most", s->maximum);
    add_bound(line, "above", s->exclusive_minimum);
    add_bound(line, "below", s->exclusive_maximum);
    add_bound(line, "that is a multiple of", s->multiple_of);
    add_range(line, " of ", s->min_length, s->max_length, "characters");
    add_range(line, " of ", s->min_items, s->max_items, "items");
    add_required(line, s->required);
    add_range(line, " with ", s->min_properties, s->max_properties, "properties");
    if (s->unique_items)
        line_add(line, " that are all different");
    if (s->pattern_text != NULL)
        line_add(line, " that matches the regular expression %.*s", line_cut(s->pattern_text, 120),
                 s->pattern_text);
}

static void add_alternatives(struct line *line, const struct fd_json *values)
{
    size_t shown = 0;

    line_add(line, values->count > 1 ? "one of " : "");
    for (const struct fd_json *v = values->child; v != NULL; v = v->next, shown++) {
        if (shown == VALUES_SHOWN) {
            line_add(line, ", ... (%zu in all)", values->count);
            return;
        }
        line_add(line, "%s", shown > 0 ? ", " : "");
        add_value(line, v);
    }
}

void schema_describe(struct line *line, const struct tool_schema *s)
{
    if (s->never) {
        line_add(line, "left out");
    } else if (s->constant != NULL) {
        add_value(line, s->constant);
    } else if (s->enumeration != NULL) {
        add_alternatives(line, s->enumeration);
    } else {
        if (s->format != SCHEMA_ANY_FORMAT && (s->types & ~(unsigned)SCHEMA_STRING) == 0)
            line_add(line, "%s", schema_format_example(s->format));
        else if (s->types != 0)
            add_types(line, s->types);
        else if (s->ref != NULL)
            schema_describe(line, s->ref);
        else
            line_add(line, s->required != NULL ? "an object" : "a value");
        add_limits(line, s);
    }
}
