#include "admin/record.h"

#include "admin/resources.h"
#include "admin/router.h"
#include "core/log.h"
#include "tenant/audit.h"

#include <string.h>

#define TARGET_MAX 200

static bool reads(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* The route that shows what this one changes. A list is no picture of what is added to it. */
static const struct admin_route *picture_of(const struct admin_route *route)
{
    if (strcmp(route->method, "POST") == 0)
        return NULL;
    for (size_t i = 0; i < admin_resource_count; i++) {
        for (size_t k = 0; k < admin_resources[i]->count; k++) {
            const struct admin_route *other = &admin_resources[i]->routes[k];
            if (strcmp(other->method, "GET") == 0 && strcmp(other->pattern, route->pattern) == 0)
                return other;
        }
    }
    return NULL;
}

/* Masked JSON in the request's arena; NULL: it is none, or too long to keep. */
static const char *masked(const struct admin_request *request, const struct admin_reply *reply)
{
    const char *text = NULL;
    struct buf out;

    if (reply->status < 200 || reply->status > 299 || reply->body.len == 0 ||
        reply->rest.next != NULL || strcmp(reply->content_type, "application/json") != 0)
        return NULL;
    buf_init(&out, 2 * AUDIT_JSON_MAX);
    if (audit_mask(reply->body.data, reply->body.len, &out))
        text = arena_strndup(request->arena, out.data, out.len);
    buf_free(&out);
    return text;
}

static const char *look(const struct admin_route *picture, const struct admin_request *request)
{
    struct admin_reply reply = {.status = 200, .content_type = "application/json"};

    if (picture == NULL)
        return NULL;
    buf_init(&reply.body, AUDIT_JSON_MAX);
    picture->handle(request, &reply);
    if (reply.rest.end != NULL)
        reply.rest.end(reply.rest.state);
    const char *text = reply.body.over ? NULL : masked(request, &reply);
    buf_free(&reply.body);
    return text;
}

static void keep(const struct admin_request *request, const struct audit_entry *entry)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = entry->org};

    if (audit_write(request->db, entry) != DB_OK)
        log_error(&ctx, "audit.not_written", LOG_STR("action", entry->action),
                  LOG_STR("actor", entry->actor));
}

void record_run(const struct admin_route *route, const struct admin_request *request,
                struct admin_reply *reply)
{
    if (reads(request->method) || (route->flags & (ADMIN_OPEN | ADMIN_ASKS)) != 0) {
        route->handle(request, reply);
        return;
    }
    bool hidden = (route->flags & ADMIN_PRIVATE) != 0;
    const struct admin_route *picture = hidden ? NULL : picture_of(route);
    const char *before = look(picture, request);
    route->handle(request, reply);
    if (reply->status < 200 || reply->status > 299)
        return;
    const char *after = hidden            ? NULL
                        : picture != NULL ? look(picture, request)
                                          : masked(request, reply);
    const char *path = request->path + strlen(ROUTER_PREFIX);
    struct audit_entry entry = {
        .org = request->org,
        .actor = request->actor,
        .action = arena_printf(request->arena, "%s %s", route->method, route->pattern),
        .target = strlen(path) <= TARGET_MAX ? path : route->pattern,
        .address = request->address,
        .request_id = request->request_id,
        .before = before,
        .after = after,
    };
    keep(request, &entry);
}

void record_event(const struct admin_request *request, const char *org, const char *actor,
                  const char *action, const char *target, const char *after)
{
    struct audit_entry entry = {
        .org = org,
        .actor = actor,
        .action = action,
        .target = target,
        .address = request->address,
        .request_id = request->request_id,
        .after = after,
    };
    keep(request, &entry);
}
