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

static const char *masked(const struct admin_request *request, const struct admin_reply *reply,
                          const char *const *without)
{
    const char *text = NULL;
    struct buf out;

    if (reply->status < 200 || reply->status > 299 || reply->body.len == 0 ||
        reply->rest.next != NULL || strcmp(reply->content_type, "application/json") != 0)
        return NULL;
    buf_init(&out, 2 * AUDIT_JSON_MAX);
    if (audit_mask(reply->body.data, reply->body.len, without, &out))
        text = arena_strndup(request->arena, out.data, out.len);
    buf_free(&out);
    return text;
}

const char *record_text(const struct admin_request *request, const struct admin_reply *reply)
{
    return masked(request, reply, NULL);
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
        view->json = masked(request, &reply, picture->computed);
        view->etag = tag_of(request->arena, &reply.body, picture->computed);
    }
    buf_wipe(&reply.body);
}

/* What is not there yet is not in the path. */
static const char *thing_of(const struct admin_request *request, const char *pattern,
                            const struct deed *deed, const char *after)
{
    const char *last = strrchr(pattern, '/');
    bool named = last != NULL && last[1] == ':';

    return strcmp(deed->verb, "create") == 0 && !named
               ? deed_thing_made(request->arena, deed->kind, after)
               : deed_thing(request->arena, pattern, request->ids[0]);
}

enum db_status record_change(const struct admin_route *route, const struct admin_request *request,
                             const char *verb, const char *before, const char *after)
{
    const char *path = request->path + strlen(ROUTER_PREFIX);
    struct deed deed = deed_of_route(request->arena, route->method, route->pattern);
    const char *thing = thing_of(request, route->pattern, &deed, after);
    struct audit_entry entry = {
        .org = request->org,
        .actor = request->actor,
        .action = arena_printf(request->arena, "%s %s", route->method, route->pattern),
        .target = strlen(path) <= TARGET_MAX ? path : route->pattern,
        .deed = {deed.kind, verb != NULL ? verb : deed.verb},
        .thing = strlen(thing) <= TARGET_MAX ? thing : deed.kind,
        .address = request->address,
        .request_id = request->request_id,
        .before = before,
        .after = after,
    };

    return audit_write(request->db, &entry);
}

static enum db_status write_event(const struct admin_request *request, struct audit_entry entry)
{
    entry.address = request->address;
    entry.request_id = request->request_id;
    return audit_write(request->db, &entry);
}

void record_session(const struct admin_request *request, const char *org, const char *actor,
                    const char *action, const char *target)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = org};
    bool is_user = strncmp(actor, "user:", 5) == 0;
    const struct audit_entry entry = {
        .org = org,
        .actor = actor,
        .action = action,
        .target = target,
        .deed = {"sessions", action},
        .thing = is_user ? arena_printf(request->arena, "users/%s", actor + 5) : NULL,
    };

    if (write_event(request, entry) != DB_OK)
        log_error(&ctx, "audit.not_written", LOG_STR("action", action), LOG_STR("actor", actor));
}

enum db_status record_elsewhere(const struct admin_request *request, const char *org,
                                const char *verb, const char *after)
{
    return write_event(request, (struct audit_entry){
                                    .org = org,
                                    .actor = request->actor,
                                    .action = arena_printf(request->arena, "organization-%s", verb),
                                    .target = org,
                                    .deed = {"organization", verb},
                                    .thing = "organization",
                                    .after = after,
                                });
}

enum db_status record_first(const struct admin_request *request, const char *method,
                            const char *pattern, const char *after)
{
    struct deed deed = deed_of_route(request->arena, method, pattern);
    const char *id = request->ids[0];

    return write_event(request,
                       (struct audit_entry){
                           .org = request->org,
                           .actor = request->actor,
                           .action = arena_printf(request->arena, "%s %s", method, pattern),
                           .target = id != NULL ? id : deed.kind,
                           .deed = deed,
                           .thing = deed_thing(request->arena, pattern, id),
                           .after = after,
                       });
}
