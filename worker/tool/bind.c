#include "tool/bind.h"

#include "core/buf.h"
#include "tool/line.h"
#include "tool/schema.h"

#include <stdio.h>
#include <string.h>

#define ARGUMENTS_MAX 262144 /* bytes, bound ones included */
#define SOURCE_MAX    512

static const char *visitor_user_id(const struct tool_context *c)
{
    return c->user_verified ? c->user_id : NULL;
}

static const char *visitor_email(const struct tool_context *c)
{
    return c->user_verified ? c->user_email : NULL;
}

static const char *session(const struct tool_context *c)
{
    return c->session;
}

static const char *conversation(const struct tool_context *c)
{
    return c->conversation_id;
}

static const char *job(const struct tool_context *c)
{
    return c->job_id;
}

static const char *org(const struct tool_context *c)
{
    return c->org;
}

static const char *org_name(const struct tool_context *c)
{
    return c->org_name;
}

static const char *language(const struct tool_context *c)
{
    return c->language;
}

static const char *channel(const struct tool_context *c)
{
    return c->channel;
}

#define SIGN_IN                                                                                    \
    "This needs a visitor who is signed in, and this one is not. Say so; do not try again."

static const struct source {
    const char *name;
    const char *(*value)(const struct tool_context *context);
    const char *missing; /* for the model */
} sources[] = {
    {"visitor.user_id", visitor_user_id, SIGN_IN},
    {"visitor.email", visitor_email, SIGN_IN},
    {"session_id", session, NULL},
    {"conversation_id", conversation, NULL},
    {"job_id", job, NULL},
    {"org_id", org, NULL},
    {"org_name", org_name, NULL},
    {"language", language, NULL},
    {"channel", channel, NULL},
};

static const struct source *find_source(const char *name)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    }
    return NULL;
}

static bool complain(char error[256], const char *argument)
{
    struct line line;

    line_init(&line, error, 256);
    line_add(&line, "\"%.*s\" must be bound to one of", line_cut(argument, 64), argument);
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        line_add(&line, " %s,", sources[i].name);
    line_add(&line, " or to \"=text\"");
    return false;
}

bool bindings_read(struct arena *a, const struct fd_json *json, const struct tool_binding **list,
                   size_t *count, char error[256])
{
    *count = 0;
    if (json == NULL || json->type == FD_JSON_NULL)
        return true;
    if (json->type != FD_JSON_OBJECT || json->count > BIND_MAX) {
        snprintf(error, 256, "bindings are an object of at most %d: {\"argument\": \"source\"}",
                 BIND_MAX);
        return false;
    }
    struct tool_binding *bindings = arena_alloc(a, (json->count + 1) * sizeof(*bindings));
    for (const struct fd_json *v = json->child; v != NULL; v = v->next) {
        if (v->type != FD_JSON_STRING || v->text_len > SOURCE_MAX ||
            (v->text[0] != '=' && find_source(v->text) == NULL))
            return complain(error, v->key);
        bindings[(*count)++] = (struct tool_binding){v->key, v->text};
    }
    *list = bindings;
    return true;
}

static bool is_bound(const struct tool_binding *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].argument, name) == 0)
            return true;
    }
    return false;
}

/* What else a root may say of its properties. */
static const char *combination(const struct fd_json *schema)
{
    static const char *const names[] = {"allOf", "anyOf",         "oneOf",        "not",
                                        "$ref",  "minProperties", "maxProperties"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (fd_json_get(schema, names[i]) != NULL)
            return names[i];
    }
    return NULL;
}

static void write_stripped(struct fd_json_writer *w, const struct fd_json *member,
                           const struct tool_binding *list, size_t count)
{
    bool names = strcmp(member->key, "required") == 0;

    fd_jw_key(w, member->key);
    if (!names && strcmp(member->key, "properties") != 0) {
        fd_jw_json(w, member);
        return;
    }
    names ? fd_jw_array(w) : fd_jw_object(w);
    for (const struct fd_json *v = member->child; v != NULL; v = v->next) {
        if (is_bound(list, count, names ? v->text : v->key))
            continue;
        if (!names)
            fd_jw_key(w, v->key);
        fd_jw_json(w, v);
    }
    names ? fd_jw_end_array(w) : fd_jw_end_object(w);
}

const char *bindings_strip(struct arena *a, const struct fd_json *schema,
                           const struct tool_binding *list, size_t count, char error[256])
{
    struct fd_json_writer w;
    struct buf out;

    if (count > 0 && combination(schema) != NULL) {
        snprintf(error, 256, "bound arguments need a schema without \"%s\" at its root",
                 combination(schema));
        return NULL;
    }
    buf_init(&out, 2 * TOOL_SCHEMA_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (const struct fd_json *member = schema->child; member != NULL; member = member->next)
        write_stripped(&w, member, list, count);
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&out, &w) ? arena_strndup(a, out.data, out.len) : NULL;
    buf_free(&out);
    if (text == NULL)
        snprintf(error, 256, "the schema is too large");
    return text;
}

/* -- a call ---------------------------------------------------------------------------------- */

static const char *bound_value(const struct tool_binding *binding,
                               const struct tool_context *context, char why[TOOL_WHY_SIZE])
{
    if (binding->source[0] == '=')
        return binding->source + 1;
    const struct source *source = find_source(binding->source);
    const char *value = source != NULL ? source->value(context) : NULL;
    if (value != NULL && value[0] != '\0')
        return value;
    if (source != NULL && source->missing != NULL)
        snprintf(why, TOOL_WHY_SIZE, "%s", source->missing);
    else
        snprintf(why, TOOL_WHY_SIZE, "This is not possible in this conversation.");
    return NULL;
}

static bool write_bound(struct fd_json_writer *w, const struct tool *tool,
                        const struct tool_context *context, char why[TOOL_WHY_SIZE])
{
    for (size_t i = 0; i < tool->binding_count; i++) {
        const char *value = bound_value(&tool->bindings[i], context, why);
        if (value == NULL)
            return false;
        fd_jw_member(w, tool->bindings[i].argument, value);
    }
    return true;
}

/* What the model may choose, without what it may not: that it tried is no fault of the
 * call. */
static struct fd_json *choose(struct arena *a, const struct tool *tool, const struct fd_json *sent)
{
    struct fd_json *chosen = arena_alloc(a, sizeof(*chosen));

    *chosen = *sent;
    chosen->count = 0;
    struct fd_json **end = &chosen->child;
    for (const struct fd_json *v = sent->child; v != NULL; v = v->next) {
        if (is_bound(tool->bindings, tool->binding_count, v->key))
            continue;
        struct fd_json *kept = arena_alloc(a, sizeof(*kept));
        *kept = *v;
        *end = kept;
        end = &kept->next;
        chosen->count++;
    }
    *end = NULL;
    return chosen;
}

static enum tool_failure complete_arguments(const struct tool *tool, const struct fd_json *chosen,
                                            const struct tool_context *context, struct arena *a,
                                            const char **complete, char why[TOOL_WHY_SIZE])
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, ARGUMENTS_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (const struct fd_json *v = chosen->child; v != NULL; v = v->next) {
        fd_jw_key(&w, v->key);
        fd_jw_json(&w, v);
    }
    bool known = write_bound(&w, tool, context, why);
    fd_jw_end_object(&w);
    enum tool_failure failure = known ? TOOL_OK : TOOL_REFUSED;
    if (!buf_json_end(&out, &w) && known) {
        snprintf(why, TOOL_WHY_SIZE, "The arguments are too large: send less.");
        failure = TOOL_ARGUMENTS;
    }
    if (failure == TOOL_OK)
        *complete = arena_strndup(a, out.data, out.len);
    buf_free(&out);
    return failure;
}

enum tool_failure tool_arguments(const struct tool *tool, const char *arguments,
                                 const struct tool_context *context, struct arena *a,
                                 const char **complete, char why[TOOL_WHY_SIZE])
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, 0};
    struct tool_schema_fault wrong;
    struct fd_json_fault broken;

    const struct fd_json *sent =
        fd_json_parse(arguments, strlen(arguments), limits, arena_allocator(a), &broken);
    if (sent == NULL || sent->type != FD_JSON_OBJECT) {
        snprintf(why, TOOL_WHY_SIZE, "The arguments are no JSON object: %s.",
                 sent == NULL ? fd_json_error_text(broken.error) : "another value was sent");
        return TOOL_ARGUMENTS;
    }
    const struct fd_json *chosen = choose(a, tool, sent);
    if (!tool_schema_check(tool->schema, chosen, &wrong)) {
        snprintf(why, TOOL_WHY_SIZE, "%s %s", wrong.where, wrong.text);
        return TOOL_ARGUMENTS;
    }
    return complete_arguments(tool, chosen, context, a, complete, why);
}
