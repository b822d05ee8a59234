#include "core/utf8.h"
#include "tool/line.h"
#include "tool/schema_describe.h"
#include "tool/schema_equal.h"
#include "tool/schema_node.h"
#include "tool/schema_path.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define STEPS_MAX     100000
#define DEPTH_MAX     128   /* of schemas in one another, references included */
#define MATCH_LIMIT   20000 /* of one pattern on one string */
#define MATCH_HEAP_KB 2048
#define MATCHING_US   5000 /* processor time of all patterns on all strings */

struct check {
    unsigned steps; /* that are left; 0: it took too long */
    unsigned depth;
    pcre2_match_data *match; /* made with the first pattern */
    pcre2_match_context *limits;
    int64_t match_until_us; /* of this thread's processor time, looked at now and then */
    unsigned matches;
    /* The best fault so far: the one deepest inside of the value, for where alternatives
     * fail the one that comes closest says most. */
    struct tool_schema_fault *fault;
    unsigned fault_depth; /* 0 = none yet; else path depth + 1 */
    unsigned quiet;       /* alternatives that are only tried: nothing is told */
};

static bool check(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                  const struct schema_path *at);

/* Begins to tell what is wrong here; false: something deeper is already told. */
static bool tell(struct check *c, const struct schema_path *at, struct line *line)
{
    if (c->quiet > 0 || c->fault_depth > at->depth)
        return false;
    c->fault_depth = at->depth + 1;
    schema_path_print(at, c->fault->where, sizeof(c->fault->where));
    line_init(line, c->fault->text, sizeof(c->fault->text));
    return true;
}

static bool exhausted(struct check *c, const struct schema_path *at)
{
    struct line line;

    c->steps = 0;
    c->fault_depth = 0;
    if (tell(c, at, &line))
        line_add(&line, "is too much to be checked: send less");
    return false;
}

/* "must be ..., not ..." */
static bool mismatch(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                     const struct schema_path *at)
{
    struct line line;

    if (tell(c, at, &line)) {
        line_add(&line, "must be ");
        schema_describe(&line, s);
        line_add(&line, ", not ");
        schema_describe_value(&line, value);
    }
    return false;
}

/* -- one kind of value ----------------------------------------------------------------------- */

static unsigned types_of(const struct fd_json *value)
{
    switch (value->type) {
    case FD_JSON_NULL: return SCHEMA_NULL;
    case FD_JSON_BOOL: return SCHEMA_BOOLEAN;
    case FD_JSON_STRING: return SCHEMA_STRING;
    case FD_JSON_ARRAY: return SCHEMA_ARRAY;
    case FD_JSON_OBJECT: return SCHEMA_OBJECT;
    case FD_JSON_NUMBER:
        if (value->is_integer || floor(value->number) == value->number)
            return SCHEMA_NUMBER | SCHEMA_INTEGER;
        return SCHEMA_NUMBER;
    }
    return 0;
}

static bool check_number(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                         const struct schema_path *at)
{
    bool good =
        (s->minimum == NULL || schema_number_compare(value, s->minimum) >= 0) &&
        (s->maximum == NULL || schema_number_compare(value, s->maximum) <= 0) &&
        (s->exclusive_minimum == NULL || schema_number_compare(value, s->exclusive_minimum) > 0) &&
        (s->exclusive_maximum == NULL || schema_number_compare(value, s->exclusive_maximum) < 0) &&
        (s->multiple_of == NULL || schema_number_divides(s->multiple_of, value));
    return good || mismatch(c, s, value, at);
}

static int64_t thread_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool prepare_matching(struct check *c)
{
    if (c->match != NULL)
        return true;
    c->match = pcre2_match_data_create(1, NULL);
    c->limits = pcre2_match_context_create(NULL);
    if (c->match == NULL || c->limits == NULL)
        return false;
    pcre2_set_match_limit(c->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(c->limits, MATCH_HEAP_KB);
    c->match_until_us = thread_us() + MATCHING_US;
    return true;
}

/* PCRE2_ERROR_NOMATCH, another error of PCRE2, or 0 and more: it matches. */
static int match(struct check *c, const struct tool_schema *s, const struct fd_json *value)
{
    if (!prepare_matching(c))
        return PCRE2_ERROR_NOMEMORY;
    int matched = pcre2_match(s->pattern, (PCRE2_SPTR)value->text, value->text_len, 0,
                              PCRE2_NO_UTF_CHECK, c->match, c->limits);
    if (++c->matches % 8 == 0 && thread_us() > c->match_until_us)
        return PCRE2_ERROR_MATCHLIMIT;
    return matched;
}

static int64_t code_points(const struct fd_json *value)
{
    int64_t count = 0;

    for (size_t i = 0; i < value->text_len; i++)
        count += ((unsigned char)value->text[i] & 0xC0) != 0x80;
    return count;
}

static bool check_string(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                         const struct schema_path *at)
{
    int64_t length = code_points(value);

    if (length < s->min_length || length > s->max_length)
        return mismatch(c, s, value, at);
    if (!schema_format_holds(s->format, value->text, value->text_len))
        return mismatch(c, s, value, at);
    int matched = s->pattern == NULL ? 0 : match(c, s, value);
    if (matched >= 0)
        return true;
    return matched == PCRE2_ERROR_NOMATCH ? mismatch(c, s, value, at) : exhausted(c, at);
}

static bool check_array(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                        const struct schema_path *at)
{
    struct schema_path item = {.up = at, .depth = at->depth + 1};
    bool good = true;

    if ((int64_t)value->count < s->min_items || (int64_t)value->count > s->max_items)
        return mismatch(c, s, value, at);
    for (const struct fd_json *v = value->child; good && v != NULL; v = v->next, item.index++) {
        const struct tool_schema *schema =
            item.index < s->prefix.count ? s->prefix.list[item.index] : s->items;
        good = schema == NULL || check(c, schema, v, &item);
        for (const struct fd_json *w = v->next; good && s->unique_items && w != NULL; w = w->next)
            good = !schema_values_equal(v, w, &c->steps) || mismatch(c, s, value, at);
    }
    return good;
}

static const struct tool_schema *property(const struct tool_schema *s, const char *name)
{
    for (size_t i = 0; i < s->property_count; i++) {
        if (strcmp(s->properties[i].name, name) == 0)
            return s->properties[i].schema;
    }
    return NULL;
}

/* Every name that is missing at once, so that one correction is enough. */
static bool check_required(struct check *c, const struct tool_schema *s,
                           const struct fd_json *value, const struct schema_path *at)
{
    struct line line;
    bool told = false, good = true;

    for (const struct fd_json *name = s->required != NULL ? s->required->child : NULL; name != NULL;
         name = name->next) {
        if (fd_json_get(value, name->text) != NULL)
            continue;
        if (good && !(told = tell(c, at, &line)))
            return false;
        line_add(&line, "%s\"%.*s\"", good ? "must have " : " and ", line_cut(name->text, 100),
                 name->text);
        const struct tool_schema *schema = property(s, name->text);
        if (schema != NULL) {
            line_add(&line, " (");
            schema_describe(&line, schema);
            line_add(&line, ")");
        }
        good = false;
    }
    return good;
}

static bool unknown_property(struct check *c, const struct tool_schema *s, const char *name,
                             const struct schema_path *at)
{
    struct line line;

    if (tell(c, at, &line)) {
        line_add(&line, "has no \"%.*s\"; its properties are", line_cut(name, 100), name);
        for (size_t i = 0; i < s->property_count; i++)
            line_add(&line, "%s \"%.*s\"", i > 0 ? "," : "", line_cut(s->properties[i].name, 100),
                     s->properties[i].name);
        if (s->property_count == 0)
            line_add(&line, " none");
    }
    return false;
}

static bool check_object(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                         const struct schema_path *at)
{
    struct schema_path inner = {.up = at, .depth = at->depth + 1};

    if ((int64_t)value->count < s->min_properties || (int64_t)value->count > s->max_properties)
        return mismatch(c, s, value, at);
    if (!check_required(c, s, value, at))
        return false;
    for (const struct fd_json *v = value->child; v != NULL; v = v->next) {
        const struct tool_schema *schema = property(s, v->key);

        inner.key = v->key;
        if (schema == NULL && s->additional != NULL && s->additional->never)
            return unknown_property(c, s, v->key, at);
        if (schema == NULL)
            schema = s->additional;
        if (schema != NULL && !check(c, schema, v, &inner))
            return false;
    }
    return true;
}

/* -- combinations ---------------------------------------------------------------------------- */

static size_t count_matches(struct check *c, const struct schema_list *schemas,
                            const struct fd_json *value, const struct schema_path *at,
                            size_t enough)
{
    size_t matches = 0;

    for (size_t i = 0; i < schemas->count && matches < enough && c->steps > 0; i++)
        matches += check(c, schemas->list[i], value, at);
    return matches;
}

/* None of the alternatives. What they said of this very place is less than all of them
 * together; what they said of a place further inside is more. */
static bool no_alternative(struct check *c, const struct schema_list *schemas,
                           const struct fd_json *value, const struct schema_path *at)
{
    struct line line;

    if (c->fault_depth == at->depth + 1)
        c->fault_depth = 0;
    if (tell(c, at, &line)) {
        line_add(&line, "must be ");
        for (size_t i = 0; i < schemas->count; i++) {
            line_add(&line, "%s", i > 0 ? " or " : "");
            schema_describe(&line, schemas->list[i]);
        }
        line_add(&line, ", not ");
        schema_describe_value(&line, value);
    }
    return false;
}

/* At least one of the alternatives, at most `most`. Only where none is met they are heard a
 * second time, for what to say of it. */
static bool check_alternatives(struct check *c, const struct schema_list *schemas, size_t most,
                               const struct fd_json *value, const struct schema_path *at)
{
    struct line line;

    c->quiet++;
    size_t matches = count_matches(c, schemas, value, at, most < schemas->count ? most + 1 : 1);
    c->quiet--;
    if (matches > 0 && matches <= most)
        return true;
    if (matches > most && tell(c, at, &line))
        line_add(&line, "meets more than one of the alternatives of which exactly one is right");
    if (matches > 0 || c->quiet > 0)
        return false;
    count_matches(c, schemas, value, at, schemas->count);
    return no_alternative(c, schemas, value, at);
}

static bool check_not(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                      const struct schema_path *at)
{
    struct line line;

    c->quiet++;
    bool holds = check(c, s->negated, value, at);
    c->quiet--;
    if (holds && tell(c, at, &line)) {
        line_add(&line, "must not be ");
        schema_describe(&line, s->negated);
    }
    return !holds && c->steps > 0;
}

static bool check_combinations(struct check *c, const struct tool_schema *s,
                               const struct fd_json *value, const struct schema_path *at)
{
    if (s->ref != NULL && !check(c, s->ref, value, at))
        return false;
    if (count_matches(c, &s->all_of, value, at, s->all_of.count) < s->all_of.count)
        return false;
    if (s->any_of.count > 0 && !check_alternatives(c, &s->any_of, s->any_of.count, value, at))
        return false;
    if (s->one_of.count > 0 && !check_alternatives(c, &s->one_of, 1, value, at))
        return false;
    return s->negated == NULL || check_not(c, s, value, at);
}

static bool is_listed(struct check *c, const struct fd_json *list, const struct fd_json *value)
{
    for (const struct fd_json *v = list->child; v != NULL; v = v->next) {
        if (schema_values_equal(v, value, &c->steps))
            return true;
    }
    return false;
}

static bool check_here(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                       const struct schema_path *at)
{
    if (s->never || (s->types != 0 && (s->types & types_of(value)) == 0) ||
        (s->constant != NULL && !schema_values_equal(s->constant, value, &c->steps)) ||
        (s->enumeration != NULL && !is_listed(c, s->enumeration, value)))
        return mismatch(c, s, value, at);
    switch (value->type) {
    case FD_JSON_NUMBER:
        if (!check_number(c, s, value, at))
            return false;
        break;
    case FD_JSON_STRING:
        if (!check_string(c, s, value, at))
            return false;
        break;
    case FD_JSON_ARRAY:
        if (!check_array(c, s, value, at))
            return false;
        break;
    case FD_JSON_OBJECT:
        if (!check_object(c, s, value, at))
            return false;
        break;
    default: break;
    }
    return check_combinations(c, s, value, at);
}

static bool check(struct check *c, const struct tool_schema *s, const struct fd_json *value,
                  const struct schema_path *at)
{
    if (c->steps == 0)
        return false;
    c->steps--;
    if (c->depth >= DEPTH_MAX)
        return exhausted(c, at);
    c->depth++;
    bool good = check_here(c, s, value, at);
    c->depth--;
    return good && c->steps > 0;
}

bool tool_schema_check(const struct tool_schema *schema, const struct fd_json *value,
                       struct tool_schema_fault *fault)
{
    struct check c = {.steps = STEPS_MAX, .fault = fault};
    const struct schema_path root = {0};

    *fault = (struct tool_schema_fault){0};
    bool good = check(&c, schema, value, &root);
    if (c.steps == 0)
        good = exhausted(&c, &root);
    if (good)
        *fault = (struct tool_schema_fault){0};
    pcre2_match_data_free(c.match);
    pcre2_match_context_free(c.limits);
    return good;
}
