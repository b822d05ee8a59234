#include "tool/line.h"
#include "tool/schema_compiler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATTERN_MAX 1000 /* bytes */

bool schema_wrong(struct schema_compiler *c, const struct schema_path *at, const char *format, ...)
{
    va_list args;

    schema_path_print(at, c->fault->where, sizeof(c->fault->where));
    va_start(args, format);
    vsnprintf(c->fault->text, sizeof(c->fault->text), format, args);
    va_end(args);
    return false;
}

/* A keyword that is not known may be a slip ("requird"): it is not taken for an annotation. */
static bool read_keywords(struct schema_compiler *c, struct tool_schema *schema,
                          const struct fd_json *json, const struct schema_path *at)
{
    for (const struct fd_json *value = json->child; value != NULL; value = value->next) {
        const struct schema_path here = {.up = at, .key = value->key, .depth = at->depth + 1};
        bool known;

        if (!schema_keyword_read(c, schema, value, &here, &known))
            return false;
        if (!known && strncmp(value->key, "x-", 2) != 0)
            return schema_wrong(c, &here,
                                "\"%.*s\" is not a keyword of JSON Schema that is known here",
                                line_cut(value->key, 60), value->key);
    }
    return true;
}

struct tool_schema *schema_compile(struct schema_compiler *c, const struct fd_json *json,
                                   const struct schema_path *at)
{
    struct tool_schema *schema = arena_zalloc(c->a, sizeof(*schema));
    struct schema_compiled *entry = arena_alloc(c->a, sizeof(*entry));

    *entry = (struct schema_compiled){json, schema, c->all};
    c->all = entry;
    schema->max_properties = schema->max_items = schema->max_length = INT64_MAX;
    if (json->type == FD_JSON_BOOL) {
        schema->never = !json->boolean;
        return schema;
    }
    if (json->type != FD_JSON_OBJECT) {
        schema_wrong(c, at, "a schema must be an object, true or false");
        return NULL;
    }
    return read_keywords(c, schema, json, at) ? schema : NULL;
}

/* A target that is no schema yet is compiled, and may add references of its own. */
static bool resolve(struct schema_compiler *c)
{
    const struct schema_path root = {0};

    for (const struct schema_reference *r = c->references; r != NULL; r = r->next) {
        const struct schema_path at = {.up = &root, .key = r->text, .depth = 1};
        const struct schema_compiled *found = c->all;

        while (found != NULL && found->json != r->target)
            found = found->next;
        r->from->ref = found != NULL ? found->schema : schema_compile(c, r->target, &at);
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
    struct schema_compiler c = {.a = a, .root = json, .fault = fault, .patterns = pattern_rules(a)};
    const struct schema_path root = {0};

    *fault = (struct tool_schema_fault){0};
    c.references_end = &c.references;
    struct tool_schema *schema = schema_compile(&c, json, &root);
    if (schema == NULL || !resolve(&c))
        return NULL;
    for (const struct schema_compiled *entry = c.all; entry != NULL; entry = entry->next) {
        if (is_endless(entry->schema)) {
            schema_wrong(&c, &root, "\"$ref\" leads back to itself without reading anything");
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
