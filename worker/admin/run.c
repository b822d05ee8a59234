#include "admin/run.h"

#include "admin/once.h"
#include "admin/pending.h"
#include "admin/record.h"
#include "admin/tag.h"
#include "core/log.h"

#include <string.h>

/* Two changes of one thing come one after the other, so that what If-Match names, and what the
 * record shows as before and after, is true. What is a superadmin's is the platform's, whichever
 * organisation he acts in. */
static const struct db_statement lock_statement = {
    "run_lock", "SELECT pg_advisory_xact_lock(hashtextextended($1 || '|' || $2, 0))", 2};

static bool is(const struct admin_route *route, const char *method)
{
    return strcmp(route->method, method) == 0;
}

static bool went_well(const struct admin_reply *reply)
{
    return reply->status >= 200 && reply->status <= 299;
}

static bool is_whole(const struct admin_reply *reply)
{
    return reply->rest.next == NULL && reply->follow == NULL && !reply->listens &&
           !reply->body.over;
}

/* -- reading -------------------------------------------------------------------------------- */

static void show(const struct admin_route *route, const struct admin_request *request,
                 struct admin_reply *reply)
{
    route->handle(request, reply);
    if (reply->status != 200 || !is_whole(reply) || reply->body.len == 0)
        return;
    reply->etag = tag_of(request->arena, &reply->body, route->computed);
    if (tag_is_known(request->if_none_match, reply->etag)) {
        reply->status = 304;
        buf_reset(&reply->body);
    }
}

/* -- changing ------------------------------------------------------------------------------- */

/* False: the reply says that it is not as the client thinks. What is not there is the handler's
 * to say, unless it would make it. */
static bool check_match(const struct admin_route *route, const struct admin_request *request,
                        struct admin_reply *reply, const struct record_view *before)
{
    const char *wanted = request->if_match;

    if (wanted[0] == '\0' || (before->status == 404 && !is(route, "PUT")) ||
        (before->status == 200 && tag_allows(wanted, before->etag)))
        return true;
    if (before->status == 404) {
        admin_problem(reply, request, FD_PROBLEM_CHANGED, "If-Match", "it is not there now");
    } else if (before->status == 200) {
        admin_problem(reply, request, FD_PROBLEM_CHANGED, "If-Match",
                      arena_printf(request->arena, "it is %s now", before->etag));
        reply->etag = before->etag;
    } else if (before->status == 0) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "If-Match",
                      "there is no GET of this path whose ETag it could be");
    } else {
        admin_problem(reply, request, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
    }
    return false;
}

static enum db_status begin(const struct admin_route *route, const struct admin_request *request,
                            const struct once *once)
{
    const char *params[] = {route->least == ADMIN_SUPERADMIN ? "platform" : request->org,
                            request->path};
    enum db_status status = db_unit_begin(request->db, request->org);

    if (status == DB_OK && once != NULL)
        status = once_hold(once, request);
    if (status != DB_OK || is(route, "POST"))
        return status;
    return db_query(request->db, request->org, &lock_statement, params, NULL);
}

/* A PUT may make what was not there; NULL: what it says it does. */
static const char *what_came(const struct record_view *before, const struct record_view *after)
{
    if (before->status == 404 && after->status == 200)
        return "create";
    return before->status == 200 && after->status == 404 ? "remove" : NULL;
}

/* In the open transaction. What is not to be shown to those who read the record is not even
 * looked at, unless the client asks how it is. */
static enum db_status change(const struct admin_route *route, const struct admin_request *request,
                             struct admin_reply *reply, struct once *once)
{
    bool hidden = (route->flags & ADMIN_PRIVATE) != 0, looks = !hidden || request->if_match[0];
    struct record_view before = {0}, after = {0};
    enum db_status status = DB_OK;

    if (looks)
        record_look(route, request, &before);
    if (!check_match(route, request, reply, &before))
        return DB_OK;
    route->handle(request, reply);
    if (!went_well(reply))
        return DB_OK;
    if (looks)
        record_look(route, request, &after);
    if (is_whole(reply) && after.status == 200)
        reply->etag = after.etag;
    if (hidden)
        status = record_change(route, request, NULL, NULL, NULL);
    else
        status = record_change(route, request, what_came(&before, &after), before.json,
                               before.status != 0 ? after.json : record_text(request, reply));
    return status == DB_OK && once != NULL && is_whole(reply) ? once_keep(once, request, reply)
                                                              : status;
}

static void refuse(const struct admin_request *request, struct admin_reply *reply,
                   enum db_status status, const struct once *once)
{
    if (once != NULL && once->lost)
        once_refuse(request, reply);
    else
        admin_db_problem(reply, request, status);
}

/* One transaction. */
static void run_whole(const struct admin_route *route, const struct admin_request *request,
                      struct admin_reply *reply, struct once *once)
{
    struct admin_pending pending = {0};
    struct admin_request within = *request;

    within.pending = &pending;
    enum db_status status = begin(route, &within, once);
    if (status == DB_OK)
        status = change(route, &within, reply, once);
    bool commits = status == DB_OK && went_well(reply);
    if (commits)
        status = db_unit_commit(request->db);
    else
        db_unit_rollback(request->db);
    if (status != DB_OK)
        refuse(request, reply, status, once);
    else if (commits)
        pending_tell(&pending, request);
    if (once != NULL && (status != DB_OK || !commits || !is_whole(reply)))
        once_release(once, request);
}

/* What is done in steps stays done, whatever cannot be written of it: its answer is the
 * client's, and whoever comes again does not do it again. */
static void settle(const struct admin_route *route, const struct admin_request *request,
                   const struct admin_reply *reply, struct once *once)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    bool hidden = (route->flags & ADMIN_PRIVATE) != 0;

    if (once != NULL && (!is_whole(reply) || once_keep(once, request, reply) != DB_OK)) {
        log_error(&ctx, "once.not_kept", LOG_STR("error", db_error(request->db)));
        once_forget_answer(once, request);
    }
    if (record_change(route, request, NULL, NULL, hidden ? NULL : record_text(request, reply)) !=
        DB_OK)
        log_error(&ctx, "audit.not_written", LOG_STR("route", route->pattern),
                  LOG_STR("actor", request->actor));
}

/* It commits what it does by itself. */
static void run_steps(const struct admin_route *route, const struct admin_request *request,
                      struct admin_reply *reply, struct once *once)
{
    bool hidden = (route->flags & ADMIN_PRIVATE) != 0;
    struct record_view before = {0};

    if (!hidden || request->if_match[0])
        record_look(route, request, &before);
    bool may = check_match(route, request, reply, &before);
    enum db_status status = DB_OK;
    if (may)
        status =
            record_change(route, request, NULL, hidden ? NULL : before.json, "{\"begun\": true}");
    if (may && status == DB_OK)
        route->handle(request, reply);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    if (may && status == DB_OK && went_well(reply))
        settle(route, request, reply, once);
    else if (once != NULL)
        once_release(once, request);
}

static void run_change(const struct admin_route *route, const struct admin_request *request,
                       struct admin_reply *reply)
{
    bool keyed = request->once[0] != '\0' && is(route, "POST");
    bool steps = (route->flags & ADMIN_STEPS) != 0;
    struct once once;

    if (keyed && !once_claim(&once, request, !steps, reply))
        return;
    if (steps)
        run_steps(route, request, reply, keyed ? &once : NULL);
    else
        run_whole(route, request, reply, keyed ? &once : NULL);
}

/* False: the reply says which member is wrong. */
static bool check_body(const struct admin_route *route, const struct admin_request *request,
                       struct admin_reply *reply)
{
    struct schema_fault fault;

    if (route->summary == NULL || (route->flags & ADMIN_RAW) != 0 ||
        schema_check(route->body, request->body, &fault))
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, arena_strdup(request->arena, fault.field),
                  arena_strdup(request->arena, fault.detail));
    return false;
}

/* Who asks for a part of a list is not given all of it. False: the reply says so. */
static bool check_paging(const struct admin_route *route, const struct admin_request *request,
                         struct admin_reply *reply)
{
    static const char *const names[] = {"limit", "cursor"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (route->summary == NULL || admin_query(request, names[i]) == NULL ||
            (route->query != NULL && strstr(route->query, names[i]) != NULL))
            continue;
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, names[i],
                      "there is no such parameter here: this list is not paged");
        return false;
    }
    return true;
}

void run_route(const struct admin_route *route, const struct admin_request *request,
               struct admin_reply *reply)
{
    if (!check_paging(route, request, reply))
        return;
    if (is(route, "GET"))
        show(route, request, reply);
    else if (!check_body(route, request, reply))
        return;
    else if ((route->flags & (ADMIN_OPEN | ADMIN_ASKS)) != 0)
        route->handle(request, reply);
    else
        run_change(route, request, reply);
}
