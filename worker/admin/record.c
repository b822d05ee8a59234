#include "admin/record.h"

#include "admin/resources.h"
#include "admin/router.h"
#include "admin/tag.h"
#include "core/log.h"
#include "tenant/audit.h"

#include <string.h>

#define TARGET_MAX 200
#define VIEW_MAX   4194304

/* A list is no picture of what is added to it. */
const struct admin_route *record_picture(const struct admin_route *route)
{
    if (strcmp(route->method, "POST") == 0 || strcmp(route->method, "GET") == 0)
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

const char *record_text(const struct admin_request *request, const struct admin_reply *reply)
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

void record_look(const struct admin_route *route, const struct admin_request *request,
                 struct record_view *view)
{
    struct admin_reply reply = {.status = 200, .content_type = "application/json"};
    const struct admin_route *picture = record_picture(route);

    *view = (struct record_view){0};
    if (picture == NULL)
        return;
    buf_init(&reply.body, VIEW_MAX);
    picture->handle(request, &reply);
    if (reply.rest.end != NULL)
        reply.rest.end(reply.rest.state);
    view->status = reply.body.over ? 500 : reply.status;
    if (view->status == 200) {
        view->json = record_text(request, &reply);
        view->etag = tag_of(request->arena, &reply.body, picture->computed);
    }
    buf_wipe(&reply.body);
}

enum db_status record_change(const struct admin_route *route, const struct admin_request *request,
                             const char *before, const char *after)
{
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

    return audit_write(request->db, &entry);
}

static enum db_status write_event(const struct admin_request *request, const char *org,
                                  const char *actor, const char *action, const char *target,
                                  const char *after)
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

    return audit_write(request->db, &entry);
}

void record_event(const struct admin_request *request, const char *org, const char *actor,
                  const char *action, const char *target, const char *after)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = org};

    if (write_event(request, org, actor, action, target, after) != DB_OK)
        log_error(&ctx, "audit.not_written", LOG_STR("action", action), LOG_STR("actor", actor));
}

enum db_status record_elsewhere(const struct admin_request *request, const char *org,
                                const char *action, const char *after)
{
    return write_event(request, org, request->actor, action, org, after);
}

enum db_status record_first(const struct admin_request *request, const char *action,
                            const char *target, const char *after)
{
    return write_event(request, request->org, request->actor, action, target, after);
}
