/* Operators in conversations (ENG-14): join, reply, give back, close. */
#include "admin/field.h"
#include "admin/resources.h"

#include "chat/takeover.h"
#include "core/log.h"
#include "protocol/ids.h"

#include <string.h>

#define ONCE_MAX 128

static const struct db_statement who = {
    "takeover_who",
    "SELECT coalesce((SELECT nullif(name, '') FROM users WHERE org_id = $1::uuid AND id::text = "
    "$2),"
    "                (SELECT name FROM organizations WHERE id = $1::uuid))",
    2};

/* What the body says of who does it; the rest of `known` is the route's own. */
static bool read_by(const struct admin_request *request, struct admin_reply *reply,
                    const char *const *known, struct takeover_by *by)
{
    const char *name;
    PGresult *row;
    *by = (struct takeover_by){.org = request->org, .actor = request->actor};
    if (!field_known(request, reply, known) ||
        !field_int(request, reply, "version", 0, INT32_MAX, TAKEOVER_ANY_VERSION, &by->version) ||
        !field_text(request, reply, "name", false, TAKEOVER_NAME_MAX, &name))
        return false;
    if (request->user != NULL && name != NULL) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "name", "a user speaks in his own name");
        return false;
    }
    by->name = name;
    if (name != NULL)
        return true;
    const char *params[] = {request->org, request->user};
    enum db_status status = db_query(request->db, request->org, &who, params, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return false;
    }
    by->name = arena_strdup(request->arena, db_text(row, 0, 0));
    PQclear(row);
    if (by->name == NULL)
        by->name = "";
    return true;
}

/* {conversation_id, status, holder, name, version, message_id?, created_at?} */
static void write_now(const struct admin_request *request, struct admin_reply *reply,
                      const struct takeover *now)
{
    struct fd_json_writer w;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "conversation_id", request->ids[0]);
    fd_jw_member(&w, "status", now->status);
    fd_jw_member(&w, "holder", now->holder);
    fd_jw_member(&w, "name", now->holder_name);
    fd_jw_member_int(&w, "version", now->version);
    if (now->message_id[0] != '\0') {
        fd_jw_member(&w, "message_id", now->message_id);
        fd_jw_member(&w, "created_at", now->created_at);
    }
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void refuse(const struct admin_request *request, struct admin_reply *reply,
                   const struct takeover *now)
{
    struct arena *a = request->arena;
    switch (now->verdict) {
    case TAKEOVER_UNKNOWN: admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL); break;
    case TAKEOVER_ENDED: admin_problem(reply, request, FD_PROBLEM_SESSION_ENDED, NULL, NULL); break;
    case TAKEOVER_HELD:
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL,
                      arena_printf(a,
                                   "%s has this conversation; join it with version %lld to take it "
                                   "over.",
                                   now->holder_name, (long long)now->version));
        break;
    case TAKEOVER_STALE:
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "version",
                      arena_printf(a, "It has changed hands since: the version is %lld.",
                                   (long long)now->version));
        break;
    case TAKEOVER_NOT_YOURS:
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL, "Join this conversation first.");
        break;
    case TAKEOVER_DONE: break;
    }
}

/* What is committed and could not be told shows with the next look. */
static void answer(const struct admin_request *request, struct admin_reply *reply,
                   enum db_status status, const struct takeover *now, const struct news *news)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    char error[256];
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (now->verdict != TAKEOVER_DONE) {
        refuse(request, reply, now);
    } else {
        if (!news_send_sync(news, request->config->live_redis, error))
            log_warn(&ctx, "takeover.not_told", LOG_STR("error", error));
        write_now(request, reply, now);
    }
}

typedef enum db_status operation_fn(struct db *db, struct arena *a, const struct takeover_by *by,
                                    const char *conversation, struct takeover *now,
                                    struct news *news);

static void operate(const struct admin_request *request, struct admin_reply *reply,
                    operation_fn *operation)
{
    static const char *const known[] = {"version", "name", NULL};
    struct takeover_by by;
    struct takeover now;
    struct news news;
    news_init(&news, request->arena);
    if (!read_by(request, reply, known, &by))
        return;
    enum db_status status =
        operation(request->db, request->arena, &by, request->ids[0], &now, &news);
    answer(request, reply, status, &now, &news);
}

static void join(const struct admin_request *request, struct admin_reply *reply)
{
    operate(request, reply, takeover_join);
}

static void typing(const struct admin_request *request, struct admin_reply *reply)
{
    operate(request, reply, takeover_typing);
}

static void release(const struct admin_request *request, struct admin_reply *reply)
{
    operate(request, reply, takeover_release);
}

static void resolve(const struct admin_request *request, struct admin_reply *reply)
{
    operate(request, reply, takeover_resolve);
}

static bool is_said(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x20 && *c != '\n' && *c != '\t')
            return false;
    }
    return text[strspn(text, " \t\n")] != '\0';
}

static void say(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"text", "client_message_id", "version", "name", NULL};
    const char *text, *once;
    struct takeover_by by;
    struct takeover now;
    struct news news;
    news_init(&news, request->arena);
    if (!read_by(request, reply, known, &by) ||
        !field_text(request, reply, "text", true, TAKEOVER_TEXT_MAX, &text) ||
        !field_text(request, reply, "client_message_id", false, ONCE_MAX, &once))
        return;
    if (!is_said(text)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "text",
                      "a text with something in it and without control characters would be right");
        return;
    }
    enum db_status status =
        takeover_reply(request->db, request->arena, &by, request->ids[0], text, once, &now, &news);
    answer(request, reply, status, &now, &news);
}

static const struct admin_route routes[] = {
    {"POST", "conversations/:id/join", ADMIN_STAFF, 0, join},
    {"POST", "conversations/:id/reply", ADMIN_STAFF, 0, say},
    {"POST", "conversations/:id/typing", ADMIN_STAFF, ADMIN_ASKS, typing},
    {"POST", "conversations/:id/release", ADMIN_STAFF, 0, release},
    {"POST", "conversations/:id/resolve", ADMIN_STAFF, 0, resolve},
};

const struct admin_resource admin_takeover = {routes, sizeof(routes) / sizeof(routes[0])};
