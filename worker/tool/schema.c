#include "tool/line.h"
#include "tool/schema_node.h"
#include "tool/schema_path.h"
#include "tool/schema_pointer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATTERN_MAX 1000 /* bytes */

/* Every schema that was compiled, for references to find. */
struct compiled {
    const struct fd_json *json;
    struct tool_schema *schema;
    struct compiled *next;
};

struct reference {
    struct tool_schema *from;
    const struct fd_json *target;
    const char *text;
    struct reference *next;
};

struct compiler {
    struct arena *a;
    const struct fd_json *root;
    struct tool_schema_fault *fault;
    struct compiled *all;
    struct reference *references;
    struct reference **references_end;
    pcre2_compile_context *patterns; /* its memory is the arena's */
};

struct keyword;

/* One keyword of one schema. */
struct reading {
    struct compiler *c;
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

static struct tool_schema *compile(struct compiler *c, const struct fd_json *json,
                                   const struct schema_path *at);

static bool wrong(struct compiler *c, const struct schema_path *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(struct compiler *c, const struct schema_path *at, const char *format, ...)
{
    va_list args;

    schema_path_print(at, c->fault->where, sizeof(c->fault->where));
    va_start(args, format);
    vsnprintf(c->fault->text, sizeof(c->fault->text), format, args);
    va_end(args);
    return false;
}

static void *member(const struct reading *r)
{
    return (char *)r->s + r->keyword->offset;
}

/* -- keywords -------------------------------------------------------------------------------- */

static bool ignore(struct reading *r, const struct fd_json *value)
{
    (void)r, (void)value;
    return true;
}

static bool refuse(struct reading *r, const struct fd_json *value)
{
    (void)value;
    return wrong(r->c, &r->at, "\"%s\" is not supported: %s", r->keyword->name, r->keyword->hint);
}

/* Another base for references is not followed. */
static bool read_id(struct reading *r, const struct fd_json *value)
{
    (void)value;
    return r->at.depth == 1 || wrong(r->c, &r->at, "\"$id\" is supported at the root only");
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
           wrong(r->c, &r->at,
                 "\"type\" must be one, or an array, of \"string\", \"integer\", \"number\", "
                 "\"boolean\", \"object\", \"array\", \"null\"");
}

static bool read_enum(struct reading *r, const struct fd_json *value)
{
    r->s->enumeration = value;
    return (value->type == FD_JSON_ARRAY && value->count > 0) ||
           wrong(r->c, &r->at, "\"enum\" must be an array with at least one value");
}

static bool read_const(struct reading *r, const struct fd_json *value)
{
    r->s->constant = value;
    return true;
}

static bool read_schema(struct reading *r, const struct fd_json *value)
{
    if (value->type == FD_JSON_ARRAY && strcmp(r->keyword->name, "items") == 0)
        return wrong(r->c, &r->at, "\"items\" must be one schema: use \"prefixItems\" for a tuple");
    struct tool_schema *schema = compile(r->c, value, &r->at);
    memcpy(member(r), &schema, sizeof(struct tool_schema *));
    return schema != NULL;
}

static bool read_schemas(struct reading *r, const struct fd_json *value)
{
    struct schema_list *schemas = member(r);
    struct schema_path item = {.up = &r->at, .depth = r->at.depth + 1};

    if (value->type != FD_JSON_ARRAY || value->count == 0)
        return wrong(r->c, &r->at, "\"%s\" must be an array with at least one schema",
                     r->keyword->name);
    schemas->list = arena_alloc(r->c->a, value->count * sizeof(struct tool_schema *));
    for (const struct fd_json *v = value->child; v != NULL; v = v->next, item.index++) {
        struct tool_schema *schema = compile(r->c, v, &item);
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
        return wrong(r->c, &r->at, "\"%s\" must be an object of schemas", r->keyword->name);
    *list = arena_alloc(r->c->a, (value->count + 1) * sizeof(struct schema_property));
    for (const struct fd_json *v = value->child; v != NULL; v = v->next) {
        inner.key = v->key;
        struct tool_schema *schema = compile(r->c, v, &inner);
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
    return good || wrong(r->c, &r->at, "\"required\" must be an array of different names");
}

static bool read_count(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_NUMBER || value->number < 0 || floor(value->number) != value->number)
        return wrong(r->c, &r->at, "\"%s\" must be a whole number, 0 or more", r->keyword->name);
    int64_t count = value->number < 9e15 ? (int64_t)value->number : INT64_MAX;
    memcpy(member(r), &count, sizeof(count));
    return true;
}

static bool read_number(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_NUMBER)
        return wrong(r->c, &r->at, "\"%s\" must be a number", r->keyword->name);
    memcpy(member(r), &value, sizeof(value));
    return true;
}

static bool read_multiple(struct reading *r, const struct fd_json *value)
{
    return read_number(r, value) &&
           (value->number > 0 || wrong(r->c, &r->at, "\"multipleOf\" must be more than 0"));
}

static bool read_unique(struct reading *r, const struct fd_json *value)
{
    r->s->unique_items = value->boolean;
    return value->type == FD_JSON_BOOL ||
           wrong(r->c, &r->at, "\"uniqueItems\" must be true or false");
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
        return wrong(r->c, &r->at, "\"pattern\" must be a string");
    r->s->pattern_text = value->text;
    r->s->pattern = pcre2_compile((PCRE2_SPTR)value->text, value->text_len, options, &error,
                                  &offset, r->c->patterns);
    if (r->s->pattern != NULL)
        return true;
    pcre2_get_error_message(error, why, sizeof(why));
    return wrong(r->c, &r->at, "\"pattern\" cannot be used: %s at byte %zu", (const char *)why,
                 offset);
}

static bool read_format(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_STRING)
        return wrong(r->c, &r->at, "\"format\" must be a string");
    r->s->format = schema_format_named(value->text);
    return true;
}

static bool read_ref(struct reading *r, const struct fd_json *value)
{
    if (value->type != FD_JSON_STRING || value->text[0] != '#')
        return wrong(r->c, &r->at,
                     "\"$ref\" must point into this schema, such as \"#/$defs/address\"");
    const struct fd_json *target = schema_pointed(r->c->a, r->c->root, value->text + 1);
    if (target == NULL)
        return wrong(r->c, &r->at, "\"$ref\" leads nowhere: there is no \"%.*s\"",
                     line_cut(value->text, 100), value->text);
    struct reference *reference = arena_alloc(r->c->a, sizeof(*reference));
    *reference = (struct reference){.from = r->s, .target = target, .text = value->text};
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

static const struct keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    }
    return NULL;
}

/* -- the whole ------------------------------------------------------------------------------- */

/* A keyword that is not known may be a slip ("requird"): it is not taken for an annotation. */
static bool read_keywords(struct compiler *c, struct tool_schema *schema,
                          const struct fd_json *json, const struct schema_path *at)
{
    for (const struct fd_json *value = json->child; value != NULL; value = value->next) {
        struct reading r = {c,
                            schema,
                            find_keyword(value->key),
                            {.up = at, .key = value->key, .depth = at->depth + 1}};

        if (r.keyword != NULL) {
            if (!r.keyword->read(&r, value))
                return false;
        } else if (strncmp(value->key, "x-", 2) != 0) {
            return wrong(c, &r.at, "\"%.*s\" is not a keyword of JSON Schema that is known here",
                         line_cut(value->key, 60), value->key);
        }
    }
    return true;
}

static struct tool_schema *compile(struct compiler *c, const struct fd_json *json,
                                   const struct schema_path *at)
{
    struct tool_schema *schema = arena_zalloc(c->a, sizeof(*schema));
    struct compiled *entry = arena_alloc(c->a, sizeof(*entry));

    *entry = (struct compiled){json, schema, c->all};
    c->all = entry;
    schema->max_properties = schema->max_items = schema->max_length = INT64_MAX;
    if (json->type == FD_JSON_BOOL) {
        schema->never = !json->boolean;
        return schema;
    }
    if (json->type != FD_JSON_OBJECT) {
        wrong(c, at, "a schema must be an object, true or false");
        return NULL;
    }
    return read_keywords(c, schema, json, at) ? schema : NULL;
}

/* A target that is no schema yet is compiled, and may add references of its own. */
static bool resolve(struct compiler *c)
{
    const struct schema_path root = {0};

    for (const struct reference *r = c->references; r != NULL; r = r->next) {
        const struct schema_path at = {.up = &root, .key = r->text, .depth = 1};
        const struct compiled *found = c->all;

        while (found != NULL && found->json != r->target)
            found = found->next;
        r->from->ref = found != NULL ? found->schema : compile(c, r->target, &at);
        if (r->from->ref == NULL)
            return false;
    }
    return true;
}

/* Is there a way back to the same schema that consumes nothing of the value? */
static bool is_endless(struct tool_schema *s)
{
    const struct schema_list *lists[] = {&s->all_of, &s->any_of, &s->one_of};

    if (s->entered)
        return !s->left;
    s->entered = true;
    bool endless =
        (s->ref != NULL && is_endless(s->ref)) || (s->negated != NULL && is_endless(s->negated));
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < lists[i]->count; k++)
            endless = endless || is_endless(lists[i]->list[k]);
    }
    s->left = true;
    return endless;
}

static void *from_arena(PCRE2_SIZE size, void *a)
{
    return arena_alloc(a, size);
}

static void to_arena(void *memory, void *a)
{
    (void)memory, (void)a;
}

static pcre2_compile_context *pattern_rules(struct arena *a)
{
    pcre2_compile_context *rules =
        pcre2_compile_context_create(pcre2_general_context_create(from_arena, to_arena, a));

    pcre2_set_max_pattern_length(rules, PATTERN_MAX);
    pcre2_set_newline(rules, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_compile_extra_options(rules, PCRE2_EXTRA_ALT_BSUX);
    return rules;
}

const struct tool_schema *tool_schema_compile(struct arena *a, const struct fd_json *json,
                                              struct tool_schema_fault *fault)
{
    struct compiler c = {.a = a, .root = json, .fault = fault, .patterns = pattern_rules(a)};
    const struct schema_path root = {0};

    *fault = (struct tool_schema_fault){0};
    c.references_end = &c.references;
    struct tool_schema *schema = compile(&c, json, &root);
    if (schema == NULL || !resolve(&c))
        return NULL;
    for (const struct compiled *entry = c.all; entry != NULL; entry = entry->next) {
        if (is_endless(entry->schema)) {
            wrong(&c, &root, "\"$ref\" leads back to itself without reading anything");
            return NULL;
        }
    }
    return schema;
}

const struct tool_schema *tool_schema_read(struct arena *a, const char *text, size_t len,
                                           const struct fd_json **json,
                                           struct tool_schema_fault *fault)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, TOOL_SCHEMA_NODES};
    struct fd_json_fault broken;
    struct line line;

    *fault = (struct tool_schema_fault){.where = "$"};
    line_init(&line, fault->text, sizeof(fault->text));
    if (len > TOOL_SCHEMA_MAX) {
        line_add(&line, "the schema is longer than %d bytes", TOOL_SCHEMA_MAX);
        return NULL;
    }
    *json = fd_json_parse(text, len, limits, arena_allocator(a), &broken);
    if (*json == NULL) {
        line_add(&line, "%s, at byte %zu", fd_json_error_text(broken.error), broken.offset);
        return NULL;
    }
    const struct tool_schema *schema = tool_schema_compile(a, *json, fault);
    if (schema != NULL && schema->types != SCHEMA_OBJECT) {
        *fault = (struct tool_schema_fault){.where = "$"};
        line_add(&line, "the arguments are an object: the root must have \"type\": \"object\"");
        return NULL;
    }
    return schema;
}
