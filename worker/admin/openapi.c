#include "admin/openapi.h"

#include "admin/identity.h"
#include "admin/record.h"
#include "admin/resources.h"
#include "admin/router.h"
#include "admin/shape.h"
#include "core/reason.h"
#include "tenant/deed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE_MAX   65536
#define REF(place)  "{\"$ref\":\"#/components/" place "\"}"
#define RAW(w, raw) fd_jw_raw(w, raw, sizeof(raw) - 1)

static const char security_schemes[] =
    "{"
    "\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"frontdesk\",\"description\":"
    "\"Of a signed-in user, from POST auth/login; over HTTPS it is called __Host-frontdesk. A "
    "change also needs X-Frontdesk-CSRF.\"},"
    "\"key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-Api-Key\"},"
    "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"The same key.\"}}";

static const char problem[] =
    "{\"type\":\"object\",\"description\":\"RFC 9457\","
    "\"required\":[\"type\",\"title\",\"status\",\"code\"],\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri\"},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},"
    "\"code\":{\"$ref\":\"#/components/schemas/ProblemCode\"},"
    "\"detail\":{\"type\":\"string\"},"
    "\"reason\":{\"type\":\"object\",\"description\":\"The detail as a code with values.\","
    "\"properties\":{\"code\":{\"$ref\":\"#/components/schemas/ReasonCode\"},"
    "\"params\":{\"type\":\"object\"}},\"required\":[\"code\",\"params\"]},"
    "\"field\":{\"type\":\"string\",\"description\":"
    "\"The member, parameter or header that is wrong.\"},"
    "\"job_id\":{\"type\":\"string\"},\"request_id\":{\"type\":\"string\"},"
    "\"retry_after\":{\"type\":\"integer\"},\"retryable\":{\"type\":\"boolean\"}}}";

static const char parameters[] =
    "{"
    "\"IfMatch\":{\"name\":\"If-Match\",\"in\":\"header\",\"schema\":{\"type\":\"string\"},"
    "\"description\":\"The ETag that this change is of; 412 where it is another by now.\"},"
    "\"IfNoneMatch\":{\"name\":\"If-None-Match\",\"in\":\"header\",\"schema\":{\"type\":"
    "\"string\"}},"
    "\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"schema\":{\"type\":"
    "\"string\",\"maxLength\":255},\"description\":\"The same key and request within a day are "
    "answered as the first time.\"},"
    "\"ExpectOrganization\":{\"name\":\"Expect-Organization\",\"in\":\"header\",\"schema\":{"
    "\"type\":"
    "\"string\",\"format\":\"uuid\"},\"description\":\"The organisation that is meant; 409 "
    "organization-changed where the caller acts in another by now.\"}}";

static const char headers[] =
    "{"
    "\"ETag\":{\"schema\":{\"type\":\"string\"}},"
    "\"IdempotencyReplayed\":{\"schema\":{\"const\":\"true\"},\"description\":\"It was answered "
    "before.\"}}";

static const char responses[] =
    "{"
    "\"Problem\":{\"description\":\"What is wrong\",\"content\":{\"application/problem+json\":{"
    "\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}},"
    "\"NotModified\":{\"description\":\"It is as If-None-Match says\"},"
    "\"Changed\":{\"description\":\"It is not as If-Match says\",\"headers\":{\"ETag\":{\"$ref\":"
    "\"#/components/headers/ETag\"}},\"content\":{\"application/problem+json\":{\"schema\":{"
    "\"$ref\":\"#/components/schemas/Problem\"}}}}}";

/* -- names ---------------------------------------------------------------------------------- */

static bool is_of_nginx(const struct admin_route *route)
{
    return route->pattern[0] == '/';
}

static bool is(const struct admin_route *route, const char *method)
{
    return strcmp(route->method, method) == 0;
}

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* "/api/admin/users/{id}" */
static const char *path_of(struct arena *a, const struct admin_route *route)
{
    const char *prefix = is_of_nginx(route) ? "" : ROUTER_PREFIX;
    char *path = arena_alloc(a, strlen(prefix) + 2 * strlen(route->pattern) + 1), *to = path;

    for (; *prefix != '\0'; prefix++)
        *to++ = *prefix;
    for (const char *at = route->pattern; *at != '\0'; at++) {
        if (*at == ':') {
            size_t len = strcspn(at + 1, "/");
            *to++ = '{';
            memcpy(to, at + 1, len);
            to += len;
            *to++ = '}';
            at += len;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return path;
}

/* "getUsersById" */
static const char *operation_id(struct arena *a, const struct admin_route *route)
{
    char *id = arena_printf(a, "%s%s", route->method, route->pattern), *to = id;
    bool upper = false;

    for (; isupper((unsigned char)*to); to++)
        *to = (char)tolower((unsigned char)*to);
    for (const char *at = route->pattern; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at)) {
            *to++ = (char)(upper || at == route->pattern ? toupper((unsigned char)*at) : *at);
            upper = false;
        } else {
            upper = true;
        }
    }
    *to = '\0';
    return id;
}

/* The first word of the path. */
static const char *tag_name(struct arena *a, const struct admin_route *route)
{
    return is_of_nginx(route) ? begins(route->pattern, "/v1/") ? "openai" : "chat"
                              : arena_strndup(a, route->pattern, strcspn(route->pattern, "/."));
}

/* -- one operation -------------------------------------------------------------------------- */

static void write_path_parameters(struct fd_json_writer *w, struct arena *a, const char *pattern)
{
    for (const char *at = strchr(pattern, ':'); at != NULL; at = strchr(at + 1, ':')) {
        fd_jw_object(w);
        fd_jw_member(w, "name", arena_strndup(a, at + 1, strcspn(at + 1, "/")));
        fd_jw_member(w, "in", "path");
        fd_jw_member_bool(w, "required", true);
        fd_jw_key(w, "schema");
        RAW(w, "{\"type\":\"string\"}");
        fd_jw_end_object(w);
    }
}

static bool is_required(const struct fd_json *schema, const char *name)
{
    const struct fd_json *required = fd_json_get(schema, "required");

    for (const struct fd_json *n = required != NULL ? required->child : NULL; n; n = n->next) {
        if (strcmp(n->text, name) == 0)
            return true;
    }
    return false;
}

static bool write_query_parameters(struct fd_json_writer *w, struct arena *a, const char *shape)
{
    struct fd_json_fault fault;
    struct fd_json_writer own;
    struct buf text;

    if (shape == NULL)
        return true;
    buf_init(&text, SHAPE_MAX);
    buf_json(&text, &own);
    bool ok = shape_write(&own, shape);
    ok = buf_json_end(&text, &own) && ok;
    const struct fd_json *schema =
        ok ? fd_json_parse(text.data, text.len, (struct fd_json_limits){0}, arena_allocator(a),
                           &fault)
           : NULL;
    const struct fd_json *members = fd_json_get(schema, "properties");
    for (const struct fd_json *m = members != NULL ? members->child : NULL; m; m = m->next) {
        fd_jw_object(w);
        fd_jw_member(w, "name", m->key);
        fd_jw_member(w, "in", "query");
        if (is_required(schema, m->key))
            fd_jw_member_bool(w, "required", true);
        fd_jw_key(w, "schema");
        fd_jw_json(w, m);
        fd_jw_end_object(w);
    }
    buf_free(&text);
    return members != NULL;
}

static bool may_be_repeated(const struct admin_route *route)
{
    return is(route, "POST") && !is_of_nginx(route) &&
           (route->flags & (ADMIN_OPEN | ADMIN_ASKS)) == 0;
}

static bool is_tagged(const struct admin_route *route)
{
    const char *answer = route->answer != NULL ? route->answer : "stream";

    return is(route, "GET") && !is_of_nginx(route) && !begins(answer, "stream") &&
           !begins(answer, "file");
}

static bool write_parameters(struct fd_json_writer *w, struct arena *a,
                             const struct admin_route *route)
{
    fd_jw_key(w, "parameters");
    fd_jw_array(w);
    write_path_parameters(w, a, route->pattern);
    bool ok = write_query_parameters(w, a, route->query);
    for (const char *const *name = route->parameters; name != NULL && *name != NULL; name++) {
        fd_jw_object(w);
        fd_jw_member(w, "name", *name);
        fd_jw_member(w, "in", "query");
        fd_jw_key(w, "schema");
        RAW(w, "{\"type\":\"string\"}");
        fd_jw_end_object(w);
    }
    if (is_tagged(route))
        RAW(w, REF("parameters/IfNoneMatch"));
    if (record_picture(route) != NULL)
        RAW(w, REF("parameters/IfMatch"));
    if (may_be_repeated(route))
        RAW(w, REF("parameters/IdempotencyKey"));
    if (!is_of_nginx(route) && (route->flags & ADMIN_OPEN) == 0)
        RAW(w, REF("parameters/ExpectOrganization"));
    fd_jw_end_array(w);
    return ok;
}

static void write_request(struct fd_json_writer *w, const struct admin_route *route)
{
    const struct admin_body *body = route->body;

    if (body == NULL)
        return;
    fd_jw_key(w, "requestBody");
    fd_jw_object(w);
    fd_jw_key(w, "content");
    fd_jw_object(w);
    if (body->fields != NULL || body->write != NULL) {
        fd_jw_key(w, "application/json");
        fd_jw_object(w);
        fd_jw_key(w, "schema");
        schema_write(w, body);
        fd_jw_end_object(w);
    }
    if (body->media != NULL) {
        fd_jw_key(w, body->media);
        RAW(w, "{\"schema\":{\"type\":\"string\"}}");
    }
    fd_jw_end_object(w);
    fd_jw_end_object(w);
}

static bool write_content(struct fd_json_writer *w, const char *answer)
{
    const char *rest = begins(answer, "stream|") ? answer + strlen("stream|") : answer;
    bool ok = true;

    fd_jw_key(w, "content");
    fd_jw_object(w);
    if (begins(answer, "stream")) {
        fd_jw_key(w, "text/event-stream");
        RAW(w, "{\"schema\":{\"type\":\"string\"}}");
    }
    if (strcmp(rest, "file") == 0) {
        fd_jw_key(w, "*/*");
        RAW(w, "{\"schema\":{\"type\":\"string\"}}");
    } else if (strcmp(rest, "stream") != 0) {
        fd_jw_key(w, "application/json");
        fd_jw_object(w);
        fd_jw_key(w, "schema");
        ok = shape_write(w, rest);
        fd_jw_end_object(w);
    }
    fd_jw_end_object(w);
    return ok;
}

static bool write_success(struct fd_json_writer *w, struct arena *a,
                          const struct admin_route *route)
{
    int status = route->status != 0 ? route->status : route->answer != NULL ? 200 : 204;
    bool tagged = is_tagged(route) || record_picture(route) != NULL, ok = true;

    fd_jw_key(w, arena_printf(a, "%d", status));
    fd_jw_object(w);
    fd_jw_member(w, "description", route->answer != NULL ? "The answer" : "It is done");
    if (tagged || may_be_repeated(route)) {
        fd_jw_key(w, "headers");
        fd_jw_object(w);
        fd_jw_key(w, tagged ? "ETag" : "Idempotency-Replayed");
        if (tagged)
            RAW(w, REF("headers/ETag"));
        else
            RAW(w, REF("headers/IdempotencyReplayed"));
        fd_jw_end_object(w);
    }
    if (route->answer != NULL)
        ok = write_content(w, route->answer);
    fd_jw_end_object(w);
    return ok;
}

static bool write_responses(struct fd_json_writer *w, struct arena *a,
                            const struct admin_route *route)
{
    fd_jw_key(w, "responses");
    fd_jw_object(w);
    bool ok = write_success(w, a, route);
    if (is_tagged(route)) {
        fd_jw_key(w, "304");
        RAW(w, REF("responses/NotModified"));
    }
    if (record_picture(route) != NULL) {
        fd_jw_key(w, "412");
        RAW(w, REF("responses/Changed"));
    }
    fd_jw_key(w, "default");
    RAW(w, REF("responses/Problem"));
    fd_jw_end_object(w);
    return ok;
}

static void write_access(struct fd_json_writer *w, const struct admin_route *route)
{
    fd_jw_key(w, "security");
    if ((route->flags & ADMIN_OPEN) != 0)
        RAW(w, "[]");
    else if ((route->flags & ADMIN_USER) != 0)
        RAW(w, "[{\"cookie\":[]}]");
    else if (is_of_nginx(route))
        RAW(w, "[{\"key\":[]},{\"bearer\":[]}]");
    else
        RAW(w, "[{\"cookie\":[]},{\"key\":[]},{\"bearer\":[]}]");
    if (!is_of_nginx(route) && (route->flags & ADMIN_OPEN) == 0)
        fd_jw_member(w, "x-least-role", admin_role_name(route->least));
    if ((route->flags & ADMIN_ACCESS) != 0)
        fd_jw_member(w, "x-key-scope", "admin");
}

static bool write_operation(struct fd_json_writer *w, struct arena *a,
                            const struct admin_route *route)
{
    char method[16] = "";

    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof(method); i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    fd_jw_key(w, method);
    fd_jw_object(w);
    fd_jw_member(w, "operationId", operation_id(a, route));
    fd_jw_key(w, "tags");
    fd_jw_array(w);
    fd_jw_cstring(w, tag_name(a, route));
    fd_jw_end_array(w);
    fd_jw_member(w, "summary", route->summary);
    write_access(w, route);
    bool ok = write_parameters(w, a, route);
    write_request(w, route);
    ok = write_responses(w, a, route) && ok;
    fd_jw_end_object(w);
    return ok;
}

/* -- all of them ---------------------------------------------------------------------------- */

struct list {
    const struct admin_route **routes;
    size_t count;
};

static int by_path(const void *a, const void *b)
{
    const struct admin_route *one = *(const struct admin_route *const *)a;
    const struct admin_route *other = *(const struct admin_route *const *)b;
    int order = strcmp(one->pattern, other->pattern);

    return order != 0 ? order : strcmp(one->method, other->method);
}

static void collect(struct arena *a, struct list *list)
{
    size_t room = openapi_edge_count;

    for (size_t i = 0; i < admin_resource_count; i++)
        room += admin_resources[i]->count;
    list->routes = arena_alloc(a, room * sizeof(struct admin_route *));
    list->count = 0;
    for (size_t i = 0; i < openapi_edge_count; i++)
        list->routes[list->count++] = &openapi_edge[i];
    for (size_t i = 0; i < admin_resource_count; i++) {
        for (size_t k = 0; k < admin_resources[i]->count; k++) {
            if (admin_resources[i]->routes[k].summary != NULL)
                list->routes[list->count++] = &admin_resources[i]->routes[k];
        }
    }
    qsort(list->routes, list->count, sizeof(struct admin_route *), by_path);
}

static bool write_paths(struct fd_json_writer *w, struct arena *a, const char **broken)
{
    struct list list;
    bool ok = true;

    collect(a, &list);
    fd_jw_object(w);
    for (size_t i = 0; i < list.count; i++) {
        const struct admin_route *route = list.routes[i];
        bool first = i == 0 || strcmp(list.routes[i - 1]->pattern, route->pattern) != 0;
        if (first && i > 0)
            fd_jw_end_object(w);
        if (first) {
            fd_jw_key(w, path_of(a, route));
            fd_jw_object(w);
        }
        if (!write_operation(w, a, route)) {
            *broken = route->pattern;
            ok = false;
        }
    }
    if (list.count > 0)
        fd_jw_end_object(w);
    fd_jw_end_object(w);
    return ok;
}

static void write_words(struct fd_json_writer *w, const char *name, const char *const *words)
{
    fd_jw_key(w, name);
    fd_jw_object(w);
    fd_jw_key(w, "enum");
    fd_jw_array(w);
    for (; *words != NULL; words++)
        fd_jw_cstring(w, *words);
    fd_jw_end_array(w);
    fd_jw_end_object(w);
}

static void write_codes(struct fd_json_writer *w)
{
    fd_jw_key(w, "ProblemCode");
    fd_jw_object(w);
    fd_jw_key(w, "enum");
    fd_jw_array(w);
    for (int type = 0; type < FD_PROBLEM_TYPES; type++)
        fd_jw_cstring(w, fd_problem_slug((enum fd_problem_type)type));
    fd_jw_end_array(w);
    fd_jw_end_object(w);
    fd_jw_key(w, "ReasonCode");
    fd_jw_object(w);
    fd_jw_key(w, "enum");
    reason_write_codes(w);
    fd_jw_end_object(w);
    write_words(w, "AuditKind", deed_kinds); /* of GET audit's entries */
    write_words(w, "AuditVerb", deed_verbs);
}

static void write_components(struct fd_json_writer *w)
{
    fd_jw_object(w);
    fd_jw_key(w, "securitySchemes");
    RAW(w, security_schemes);
    fd_jw_key(w, "schemas");
    fd_jw_object(w);
    fd_jw_key(w, "Problem");
    RAW(w, problem);
    write_codes(w);
    fd_jw_end_object(w);
    fd_jw_key(w, "parameters");
    RAW(w, parameters);
    fd_jw_key(w, "headers");
    RAW(w, headers);
    fd_jw_key(w, "responses");
    RAW(w, responses);
    fd_jw_end_object(w);
}

bool openapi_write(struct buf *out, const char **broken)
{
    struct fd_json_writer w;
    struct arena a;

    arena_init(&a);
    *broken = NULL;
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "openapi", "3.1.0");
    fd_jw_key(&w, "info");
    fd_jw_object(&w);
    fd_jw_member(&w, "title", "Frontdesk");
    fd_jw_member(&w, "version", "1");
    fd_jw_member(&w, "description",
                 "Made by `frontdesk admin --openapi`; docs/api.md and docs/admin-api.md say more. "
                 "Lists are paged by `limit` and `cursor`, errors are problem documents.");
    fd_jw_end_object(&w);
    fd_jw_key(&w, "servers");
    RAW(&w, "[{\"url\":\"/\"}]");
    fd_jw_key(&w, "paths");
    bool ok = write_paths(&w, &a, broken);
    fd_jw_key(&w, "components");
    write_components(&w);
    fd_jw_end_object(&w);
    ok = buf_json_end(out, &w) && ok;
    arena_free(&a);
    return ok;
}

/* -- and to ask for ------------------------------------------------------------------------- */

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    const char *broken;

    if (!openapi_write(&reply->body, &broken))
        admin_problem(reply, request, FD_PROBLEM_INTERNAL, NULL, broken);
}

static const struct admin_route routes[] = {
    {"GET", "openapi.json", ADMIN_CLIENT, 0, show, .summary = "This description",
     .answer = "object"},
};

const struct admin_resource admin_openapi = {routes, sizeof(routes) / sizeof(routes[0])};
