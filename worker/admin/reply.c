/* What every resource answers the same way: problems, and that settings changed. */
#include "admin/admin.h"

#include "admin/pending.h"
#include "core/log.h"
#include "core/reason.h"
#include "tenant/publish.h"

void admin_problem(struct admin_reply *reply, const struct admin_request *request,
                   enum fd_problem_type type, const char *field, const char *detail)
{
    struct fd_problem problem = {
        .type = type, .field = field, .detail = detail, .request_id = request->request_id};
    struct fd_json_writer w;
    struct buf reason;

    problem.reason = reason_text(&reason, detail);
    buf_reset(&reply->body);
    buf_json(&reply->body, &w);
    fd_problem_write(&w, &problem);
    buf_json_end(&reply->body, &w);
    buf_free(&reason);
    reply->status = fd_problem_status(type);
    reply->content_type = "application/problem+json";
    reply->filename = NULL;
    reply->etag = NULL;
    reply->rest.next = NULL;
    reply->listens = false;
    reply->follow = NULL;
}

/* What an operation refuses, it explains, and without a SQLSTATE; what PostgreSQL says of
 * a statement of ours is for the log only. */
void admin_db_problem(struct admin_reply *reply, const struct admin_request *request,
                      enum db_status status)
{
    bool explained = db_sqlstate(request->db)[0] == '\0' && db_error(request->db)[0] != '\0';

    if (status == DB_LOST || status == DB_BUSY)
        admin_problem(reply, request, FD_PROBLEM_UNAVAILABLE, NULL,
                      "the database is not available just now; nothing may be assumed of a change");
    else if (status == DB_CONFLICT)
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL,
                      explained ? db_error(request->db) : NULL);
    else if (explained)
        admin_problem(reply, request, FD_PROBLEM_FIELD, NULL, db_error(request->db));
    else
        admin_problem(reply, request, FD_PROBLEM_INTERNAL, NULL, NULL);
}

bool admin_found(struct admin_reply *reply, const struct admin_request *request,
                 enum db_status status, bool found, const char *none)
{
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (!found)
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, none);
    return status == DB_OK && found;
}

void admin_reply_id(struct admin_reply *reply, int status, const char *id)
{
    struct fd_json_writer w;

    reply->status = status;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

void admin_after(const struct admin_request *request, admin_tell_fn *tell, void *arg)
{
    if (request->pending == NULL)
        tell(request, arg);
    else
        pending_add(request->pending, request->arena, tell, arg);
}

/* The change is stored: what could not be told now, the next synchronisation tells. */
static void publish(const struct admin_request *request, void *arg)
{
    const char *org = arg;
    const struct log_context ctx = {.request_id = request->request_id, .org_id = org};
    char error[256];

    if (publish_org(request->db, request->config, org, error) != PUBLISH_OK)
        log_warn(&ctx, "admin.not_published", LOG_STR("error", error));
}

void admin_organization_changed(const struct admin_request *request, const char *org)
{
    admin_after(request, publish, arena_strdup(request->arena, org));
}

void admin_settings_changed(const struct admin_request *request)
{
    admin_organization_changed(request, request->org);
}
