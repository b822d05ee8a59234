#include "integration/endpoint_check.h"
#include "integration/query_text.h"
#include "integration/shape.h"
#include "integration/template.h"
#include "net/outbound_check.h"
#include "tool/bind.h"
#include "tool/schema.h"
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define DESCRIPTION_MAX 2000
#define JSON_MAX        65536
#define NO_ARGUMENTS    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}"

struct checking {
    struct arena *a;
    const struct endpoint_new *spec;
    struct endpoint_row *row;
    const struct fd_json *schema;
    struct tool_problem *problem;
};

static bool __attribute__((format(printf, 3, 4)))
wrong(struct checking *c, const char *field, const char *format, ...)
{
    va_list args;

    c->problem->field = field;
    va_start(args, format);
    vsnprintf(c->problem->text, sizeof(c->problem->text), format, args);
    va_end(args);
    return false;
}

/* -- arguments --------------------------------------------------------------------------- */

static bool is_known(const struct checking *c, const char *argument)
{
    return fd_json_get(fd_json_get(c->schema, "properties"), argument) != NULL;
}

/* In every call: required of the model, or bound by the server. */
static bool is_certain(const struct checking *c, const char *argument)
{
    const struct fd_json *required = fd_json_get(c->schema, "required");

    if (c->spec->bindings != NULL && fd_json_get(c->spec->bindings, argument) != NULL)
        return true;
    for (const struct fd_json *r = required != NULL ? required->child : NULL; r != NULL;
         r = r->next) {
        if (r->type == FD_JSON_STRING && strcmp(r->text, argument) == 0)
            return true;
    }
    return false;
}

static bool check_schema(struct checking *c)
{
    const char *text = c->spec->schema != NULL ? c->spec->schema : NO_ARGUMENTS;
    const struct tool_binding *bindings;
    struct tool_schema_fault fault;
    char error[256];
    size_t count;

    c->row->schema = text;
    if (tool_schema_read(c->a, text, strlen(text), &c->schema, &fault) == NULL)
        return wrong(c, "parameters_schema", "%.100s: %.400s", fault.where, fault.text);
    if (c->spec->bindings == NULL)
        return true;
    if (!bindings_read(c->a, c->spec->bindings, &bindings, &count, error) ||
        bindings_strip(c->a, c->schema, bindings, count, error) == NULL)
        return wrong(c, "bindings", "%s", error);
    for (size_t i = 0; i < count; i++) {
        if (!is_known(c, bindings[i].argument))
            return wrong(c, "bindings", "parameters_schema has no property \"%.60s\"",
                         bindings[i].argument);
    }
    return true;
}

/* -- where they go ------------------------------------------------------------------------ */

static bool check_url(struct checking *c)
{
    struct template_names names;
    char error[256];

    c->row->kind = "endpoint";
    c->row->url = c->spec->url != NULL ? c->spec->url : "";
    c->row->method = c->spec->method != NULL ? c->spec->method : "GET";
    if (c->spec->query != NULL)
        return wrong(c, "query", "only a database has queries");
    if (!outbound_check_method(c->row->method, error))
        return wrong(c, "method", "%s", error);
    if (!template_check(c->a, c->row->url, &names, error))
        return wrong(c, "url", "%s", error);
    for (size_t i = 0; i < names.count; i++) {
        if (!is_known(c, names.list[i]))
            return wrong(c, "url", "parameters_schema has no property \"%.60s\"", names.list[i]);
        if (i < names.in_path && !is_certain(c, names.list[i]))
            return wrong(c, "url", "\"%.60s\" stands in the path: it must be required or bound",
                         names.list[i]);
    }
    c->row->risk = strcmp(c->row->method, "GET") == 0 ? "read" : "write";
    return true;
}

static bool check_query(struct checking *c)
{
    struct query_text query;
    char error[256];

    c->row->kind = "query";
    c->row->url = "";
    c->row->method = "GET";
    c->row->risk = "read";
    c->row->query = c->spec->query;
    if (c->spec->url != NULL || c->spec->method != NULL)
        return wrong(c, "url", "a database has queries, not URLs");
    if (c->spec->query == NULL)
        return wrong(c, "query", "this field is required");
    if (!query_text_read(c->a, c->spec->query, &query, error))
        return wrong(c, "query", "%s", error);
    for (size_t i = 0; i < query.count; i++) {
        if (!is_known(c, query.names[i]))
            return wrong(c, "query", "parameters_schema has no property \"%.60s\"", query.names[i]);
    }
    return true;
}

static bool check_risk(struct checking *c)
{
    const char *risk = c->spec->risk;

    if (risk == NULL)
        return true;
    if (strcmp(risk, "read") != 0 && strcmp(risk, "write") != 0 && strcmp(risk, "high") != 0)
        return wrong(c, "risk", "read, write or high would be right");
    c->row->risk = risk;
    return true;
}

/* -- what comes back ------------------------------------------------------------------------ */

static const char *text_of(struct arena *a, const struct fd_json *json)
{
    const char *text = "{}";
    struct fd_json_writer w;
    struct buf out;

    if (json == NULL)
        return text;
    buf_init(&out, JSON_MAX);
    buf_json(&out, &w);
    fd_jw_json(&w, json);
    text = buf_json_end(&out, &w) ? arena_strndup(a, out.data, out.len) : NULL;
    buf_free(&out);
    return text;
}

static bool check_config(struct checking *c)
{
    const struct fd_json *rules = fd_json_get(c->spec->config, "match");
    char error[256];

    if (c->spec->config != NULL && !shape_config_check(c->spec->config, error))
        return wrong(c, "config", "%s", error);
    if (rules != NULL && c->row->query != NULL)
        return wrong(c, "config", "a query has its own WHERE instead of \"match\"");
    for (const struct fd_json *rule = rules != NULL ? rules->child : NULL; rule != NULL;
         rule = rule->next) {
        const char *argument = fd_json_string(rule, "argument");

        /* without the argument the rule would let everything through */
        if (!is_known(c, argument) || !is_certain(c, argument))
            return wrong(c, "config", "\"match\": \"%.60s\" must be a required or bound argument",
                         argument);
    }
    c->row->config = text_of(c->a, c->spec->config);
    c->row->bindings = text_of(c->a, c->spec->bindings);
    return (c->row->config != NULL && c->row->bindings != NULL) ||
           wrong(c, "config", "it is too long");
}

bool endpoint_check(struct arena *a, enum integration_type type, const struct endpoint_new *spec,
                    struct endpoint_row *row, struct tool_problem *problem)
{
    struct checking c = {.a = a, .spec = spec, .row = row, .problem = problem};
    const char *name = spec->name != NULL ? spec->name : "";
    const char *description = spec->description != NULL ? spec->description : "";

    *row = (struct endpoint_row){.name = name, .description = description};
    if (name[0] == '\0' || strlen(name) > 64 || name[strspn(name, NAME_CHARACTERS)] != '\0')
        return wrong(&c, "name", "1 to 64 letters, digits, _ and - would be right");
    if (description[0] == '\0' || strlen(description) > DESCRIPTION_MAX)
        return wrong(&c, "description",
                     "a text of 1 to 2000 bytes would be right: the model goes by it");
    return check_schema(&c) && (type == INTEGRATION_DATABASE ? check_query(&c) : check_url(&c)) &&
           check_risk(&c) && check_config(&c);
}
