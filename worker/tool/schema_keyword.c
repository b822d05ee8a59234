/* The keywords of JSON Schema that are known, and what each says of a value. */
#include "tool/line.h"
#include "tool/schema_compiler.h"
#include "tool/schema_pointer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct keyword;

/* One keyword of one schema. */
struct reading {
    struct schema_compiler *c;
    struct tool_schema *s;
    const struct keyword *keyword;
    struct schema_path at;
};

struct keyword {
    const char *name;
    bool (*read)(struct reading *r, const struct fd_json *value);
    size_t offset;    /* in struct tool_schema */
    const char *hint; /* what to use, where it is not supported */
};

static void *member(const struct reading *r)
{
    return (char *)r->s + r->keyword->offset;
}

static bool ignore(struct reading *r, const struct fd_json *value)
{
    (void)r, (void)value;
    return true;
}

static bool refuse(struct reading *r, const struct fd_json *value)
{
    (void)value;
    return schema_wrong(r->c, &r->at, "\"%s\" is not supported: %s", r->keyword->name,
                        r->keyword->hint);
}

/* Another base for references is not followed. */
static bool read_id(struct reading *r, const struct fd_json *value)
{
    (void)value;
    return r->at.depth == 1 || schema_wrong(r->c, &r->at, "\"$id\" is supported at the root only");
}

static unsigned type_named(const char *name)
{
    static const struct {
        const char *name;
        unsigned type;
    } types[] = {{"null", SCHEMA_NULL},       {"boolean", SCHEMA_BOOLEAN},
                 {"integer", SCHEMA_INTEGER}, {"number", SCHEMA_NUMBER},
                 {"string", SCHEMA_STRING},   {"array", SCHEMA_ARRAY},
                 {"object", SCHEMA_OBJECT}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    }
    return 0;
}

static bool read_type(struct reading *r, const struct fd_json *value)
{
    const bool several = value->type == FD_JSON_ARRAY;
    bool good = true;

    for (const struct fd_json *name = several ? value->child : value; good && name != NULL;
         name = several ? name->next : NULL) {
        unsigned type = name->type == FD_JSON_STRING ? type_named(name->text) : 0;
        good = type != 0 && (r->s->types & type) == 0;
        r->s->types |= type;
    }
    return (good && r->s->types != 0) ||
           schema_wrong(
               r->c, &r->at,
               "\"type\" must be one, or an array, of \"string\", \"integer\", \"number\", "
               "\"boolean\", \"object\", \"array\", \"null\"");
}

static bool read_enum(struct reading *r, const struct fd_json *value)
{
    r->s->enumeration = value;
    return (value->type == FD_JSON_ARRAY && value->count > 0) ||
           schema_wrong(r->c, &r->at, "\"enum\" must be an array with at least one value");
}

static bool read_const(struct reading *r, const struct fd_json *value)
{
    r->s->constant = value;
    return true;
}

static bool read_schema(struct reading *r, const struct fd_json *value)
{
    if (value->type == FD_JSON_ARRAY && strcmp(r->keyword->name, "items") == 0)
        return schema_wrong(r->c, &r->at,
                            "\"items\" must be one schema: use \"prefixItems\" for a tuple");
    struct tool_schema *schema = schema_compile(r->c, value, &r->at);
    memcpy(member(r), &schema, sizeof(struct tool_schema *));
    return schema != NULL;
}

static bool read_schemas(struct reading *r, const struct fd_json *value)
{
    struct schema_list *schemas = member(r);
    struct schema_path item = {.up = &r->at, .depth = r->at.depth + 1};

    if (value->type != FD_JSON_ARRAY || value->count == 0)
        return schema_wrong(r->c, &r->at, "\"%s\" must be an array with at least one schema",
                            r->keyword->name);
    schemas->list = arena_alloc(r->c->a, value->count * sizeof(struct tool_schema *));
    for (const struct fd_json *v = value->child; v != NULL; v = v->next, item.index++) {
        struct tool_schema *schema = schema_compile(r->c, v, &item);
        if (schema == NULL)
            return false;
        schemas->list[schemas->count++] = schema;
    }
    return true;
}

static bool read_named(struct reading *r, const struct fd_json *value,
                       struct schema_property **list)
{
    struct schema_path inner = {.up = &r->at, .depth = r->at.depth + 1};
    size_t count = 0;

    if (value->type != FD_JSON_OBJECT)
        return schema_wrong(r->c, &r->at, "\"%s\" must be an object of schemas", r->keyword->name);
    *list = arena_alloc(r->c->a, (value->count + 1) * sizeof(struct schema_property));
    for (const struct fd_json *v = value->child; v != NULL; v = v->next) {
        inner.key = v->key;
        struct tool_schema *schema = schema_compile(r->c, v, &inner);
        if (schema == NULL)
            return false;
        (*list)[count++] = (struct schema_property){v->key, schema};
    }
    return true;
}

static bool read_properties(struct reading *r, const struct fd_json *value)
{
    r->s->property_count = value->count;
    return read_named(r, value, &r->s->properties);
}

/* Compiled for their faults; references find them later. */
static bool read_definitions(struct reading *r, const struct fd_json *value)
{
    struct schema_property *unused;

    return read_named(r, value, &unused);
}

static bool read_required(struct reading *r, const struct fd_json *value)
{
    const struct fd_json *first = value->child;
    bool good = value->type == FD_JSON_ARRAY;

    for (const struct fd_json *name = first; good && name != NULL; name = name->next) {
        good = name->type == FD_JSON_STRING;
        for (const struct fd_json *other = first; good && other != name; other = other->next)
            good = strcmp(other->text, name->text) != 0;
    }
    r->s->required = value;
    return good || schema_wrong(r->c, &r->at, "\"required\" must be an array of different names");
}

static bool read_count(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_NUMBER || value->number < 0 || floor(value->number) != value->number)
        return schema_wrong(r->c, &r->at, "\"%s\" must be a whole number, 0 or more",
                            r->keyword->name);
    int64_t count = value->number < 9e15 ? (int64_t)value->number : INT64_MAX;
    memcpy(member(r), &count, sizeof(count));
    return true;
}

static bool read_number(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_NUMBER)
        return schema_wrong(r->c, &r->at, "\"%s\" must be a number", r->keyword->name);
    memcpy(member(r), &value, sizeof(value));
    return true;
}

static bool read_multiple(struct reading *r, const struct fd_json *value)
{
    return read_number(r, value) &&
           (value->number > 0 || schema_wrong(r->c, &r->at, "\"multipleOf\" must be more than 0"));
}

static bool read_unique(struct reading *r, const struct fd_json *value)
{
    r->s->unique_items = value->boolean;
    return value->type == FD_JSON_BOOL ||
           schema_wrong(r->c, &r->at, "\"uniqueItems\" must be true or false");
}

/* ECMA-262's meaning as far as PCRE2 has it: not anchored, by code points. */
static bool read_pattern(struct reading *r, const struct fd_json *value)
{
    const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
                             PCRE2_NEVER_BACKSLASH_C;
    PCRE2_UCHAR why[128];
    PCRE2_SIZE offset;
    int error;

    if (value->type != FD_JSON_STRING)
        return schema_wrong(r->c, &r->at, "\"pattern\" must be a string");
    r->s->pattern_text = value->text;
    r->s->pattern = pcre2_compile((PCRE2_SPTR)value->text, value->text_len, options, &error,
                                  &offset, r->c->patterns);
    if (r->s->pattern != NULL)
        return true;
    pcre2_get_error_message(error, why, sizeof(why));
    return schema_wrong(r->c, &r->at, "\"pattern\" cannot be used: %s at byte %zu",
                        (const char *)why, offset);
}

static bool read_format(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_STRING)
        return schema_wrong(r->c, &r->at, "\"format\" must be a string");
    r->s->format = schema_format_named(value->text);
    return true;
}

static bool read_ref(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_STRING || value->text[0] != '#')
        return schema_wrong(r->c, &r->at,
                            "\"$ref\" must point into this schema, such as \"#/$defs/address\"");
    const struct fd_json *target = schema_pointed(r->c->a, r->c->root, value->text + 1);
    if (target == NULL)
        return schema_wrong(r->c, &r->at, "\"$ref\" leads nowhere: there is no \"%.*s\"",
                            line_cut(value->text, 100), value->text);
    struct schema_reference *reference = arena_alloc(r->c->a, sizeof(*reference));
    *reference = (struct schema_reference){.from = r->s, .target = target, .text = value->text};
    *r->c->references_end = reference;
    r->c->references_end = &reference->next;
    return true;
}

#define AT(member_) offsetof(struct tool_schema, member_)

static const struct keyword keywords[] = {
    {"type", read_type, 0, NULL},
    {"properties", read_properties, 0, NULL},
    {"required", read_required, 0, NULL},
    {"additionalProperties", read_schema, AT(additional), NULL},
    {"description", ignore, 0, NULL},
    {"enum", read_enum, 0, NULL},
    {"const", read_const, 0, NULL},
    {"items", read_schema, AT(items), NULL},
    {"prefixItems", read_schemas, AT(prefix), NULL},
    {"minItems", read_count, AT(min_items), NULL},
    {"maxItems", read_count, AT(max_items), NULL},
    {"uniqueItems", read_unique, 0, NULL},
    {"minProperties", read_count, AT(min_properties), NULL},
    {"maxProperties", read_count, AT(max_properties), NULL},
    {"minLength", read_count, AT(min_length), NULL},
    {"maxLength", read_count, AT(max_length), NULL},
    {"pattern", read_pattern, 0, NULL},
    {"format", read_format, 0, NULL},
    {"minimum", read_number, AT(minimum), NULL},
    {"maximum", read_number, AT(maximum), NULL},
    {"exclusiveMinimum", read_number, AT(exclusive_minimum), NULL},
    {"exclusiveMaximum", read_number, AT(exclusive_maximum), NULL},
    {"multipleOf", read_multiple, AT(multiple_of), NULL},
    {"allOf", read_schemas, AT(all_of), NULL},
    {"anyOf", read_schemas, AT(any_of), NULL},
    {"oneOf", read_schemas, AT(one_of), NULL},
    {"not", read_schema, AT(negated), NULL},
    {"$ref", read_ref, 0, NULL},
    {"$defs", read_definitions, 0, NULL},
    {"definitions", read_definitions, 0, NULL},
    {"$id", read_id, 0, NULL},
    {"$schema", ignore, 0, NULL},
    {"$comment", ignore, 0, NULL},
    {"title", ignore, 0, NULL},
    {"default", ignore, 0, NULL},
    {"examples", ignore, 0, NULL},
    {"deprecated", ignore, 0, NULL},
    {"readOnly", ignore, 0, NULL},
    {"writeOnly", ignore, 0, NULL},
    {"contentEncoding", ignore, 0, NULL},
    {"contentMediaType", ignore, 0, NULL},
    {"contentSchema", ignore, 0, NULL},
    {"nullable", refuse, 0, "use \"type\": [\"string\", \"null\"]"},
    {"patternProperties", refuse, 0, "name the properties in \"properties\""},
    {"propertyNames", refuse, 0, "name the properties in \"properties\""},
    {"additionalItems", refuse, 0, "use \"prefixItems\" and \"items\""},
    {"contains", refuse, 0, "describe every item with \"items\""},
    {"minContains", refuse, 0, "use \"minItems\""},
    {"maxContains", refuse, 0, "use \"maxItems\""},
    {"unevaluatedProperties", refuse, 0, "use \"additionalProperties\""},
    {"unevaluatedItems", refuse, 0, "use \"items\""},
    {"dependentRequired", refuse, 0, "use \"anyOf\" with \"required\""},
    {"dependentSchemas", refuse, 0, "use \"anyOf\""},
    {"dependencies", refuse, 0, "use \"anyOf\""},
    {"if", refuse, 0, "use \"anyOf\""},
    {"then", refuse, 0, "use \"anyOf\""},
    {"else", refuse, 0, "use \"anyOf\""},
    {"$anchor", refuse, 0, "refer to \"#/$defs/...\""},
    {"$dynamicRef", refuse, 0, "use \"$ref\""},
    {"$dynamicAnchor", refuse, 0, "refer to \"#/$defs/...\""},
    {"$recursiveRef", refuse, 0, "use \"$ref\""},
    {"$vocabulary", refuse, 0, "it belongs into a meta-schema"},
};

bool schema_keyword_read(struct schema_compiler *c, struct tool_schema *schema,
                         const struct fd_json *value, const struct schema_path *at, bool *known)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        struct reading r = {c, schema, &keywords[i], *at};

        *known = strcmp(keywords[i].name, value->key) == 0;
        if (*known)
            return keywords[i].read(&r, value);
    }
    return true;
}
