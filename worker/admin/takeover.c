/* Operators in conversations (ENG-14): join, reply, give back, close. */
#include "admin/admin.h"
#include "admin/resources.h"
#include "admin/schema.h"

#include "chat/presence.h"
#include "chat/takeover.h"
#include "core/log.h"
#include "protocol/ids.h"
#include "tenant/users.h"

#include <string.h>

#define ONCE_MAX 128

static const struct db_statement who = {
    "takeover_who",
    "SELECT coalesce((SELECT " USER_SPOKEN_NAME " FROM users"
    "                  WHERE org_id = $1::uuid AND id = $2::uuid),"
    "                (SELECT name FROM organizations WHERE id = $1::uuid))",
    2};

static const struct db_statement is_there = {
    "takeover_is_there", "SELECT 1 FROM conversations WHERE org_id = $1::uuid AND id = $2::uuid",
    2};

/* What the body says of who does it. */
static bool read_by(const struct admin_request *request, struct admin_reply *reply,
                    struct takeover_by *by)
{
    const char *name = fd_json_string(request->body, "name");
    PGresult *row;
    *by = (struct takeover_by){.org = request->org,
                               .actor = request->actor,
                               .version =
                                   fd_json_int(request->body, "version", TAKEOVER_ANY_VERSION)};
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

/* False: the reply says that there is no such conversation, or holds the problem. */
static bool find_it(const struct admin_request *request, struct admin_reply *reply)
{
    const char *params[] = {request->org, db_uuid(request->ids[0])};
    bool found;

    enum db_status status = db_found(request->db, request->org, &is_there, params, &found);
    return admin_found(reply, request, status, found, NULL);
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
static void tell(const struct admin_request *request, void *arg)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    char error[256];
    if (!news_send_sync(arg, request->config->live_redis, error))
        log_warn(&ctx, "takeover.not_told", LOG_STR("error", error));
}

static void answer(const struct admin_request *request, struct admin_reply *reply,
                   enum db_status status, const struct takeover *now, struct news *news)
{
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (now->verdict != TAKEOVER_DONE) {
        refuse(request, reply, now);
    } else {
        admin_after(request, tell, news);
        write_now(request, reply, now);
    }
}

typedef enum db_status operation_fn(struct db *db, struct arena *a, const struct takeover_by *by,
                                    const char *conversation, struct takeover *now,
                                    struct news *news);

static void operate(const struct admin_request *request, struct admin_reply *reply,
                    operation_fn *operation)
{
    struct takeover_by by;
    struct takeover now;
    struct news *news = arena_alloc(request->arena, sizeof(*news));
    news_init(news, request->arena);
    if (!read_by(request, reply, &by))
        return;
    enum db_status status =
        operation(request->db, request->arena, &by, request->ids[0], &now, news);
    answer(request, reply, status, &now, news);
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

/* Who is there to see it hears of it; it changes nothing. */
static void look(const struct admin_request *request, struct admin_reply *reply)
{
    bool away = fd_json_bool(request->body, "away", false);
    struct takeover_by by;
    struct news news;
    char error[256];
    news_init(&news, request->arena);
    if (!read_by(request, reply, &by) || !find_it(request, reply))
        return;
    const char *data = presence_look(request->config->live_redis, request->arena, by.org,
                                     request->ids[0], by.actor, by.name, away, error);
    if (data != NULL)
        news_presence(&news, by.org, data);
    if (data != NULL && news_send_sync(&news, request->config->live_redis, error))
        buf_puts(&reply->body, data);
    else
        admin_problem(reply, request, FD_PROBLEM_UNAVAILABLE, NULL, NULL);
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
    const char *text = fd_json_string(request->body, "text");
    const char *once = fd_json_string(request->body, "client_message_id");
    struct takeover_by by;
    struct takeover now;
    struct news *news = arena_alloc(request->arena, sizeof(*news));
    news_init(news, request->arena);
    if (!read_by(request, reply, &by))
        return;
    if (!is_said(text)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "text",
                      "a text with something in it and without control characters would be right");
        return;
    }
    enum db_status status =
        takeover_reply(request->db, request->arena, &by, request->ids[0], text, once, &now, news);
    answer(request, reply, status, &now, news);
}

#define NOW "conversation_id: uuid, status: text, holder: text|null, name: text|null, version: int"

static const struct admin_field fields[] = {
    {"version", ADMIN_INT, .max = INT32_MAX, .note = "that the operator has seen"},
    {"name", ADMIN_TEXT, .max = TAKEOVER_NAME_MAX,
     .note = "of a key's operator; users have theirs"},
};
static const struct admin_field say_fields[] = {
    {"text", ADMIN_TEXT, .required = true, .max = TAKEOVER_TEXT_MAX},
    {"client_message_id", ADMIN_TEXT, .max = ONCE_MAX},
    {"version", ADMIN_INT, .max = INT32_MAX},
    {"name", ADMIN_TEXT, .max = TAKEOVER_NAME_MAX},
};
static const struct admin_field look_fields[] = {
    {"name", ADMIN_TEXT, .max = TAKEOVER_NAME_MAX},
    {"away", ADMIN_BOOL, .note = "true: not any more"},
};

static const struct admin_route routes[] = {
    {"POST", "conversations/:id/join", ADMIN_STAFF, 0, join, .summary = "It is yours",
     .body = ADMIN_BODY(fields), .answer = "{" NOW "}"},
    {"POST", "conversations/:id/reply", ADMIN_STAFF, ADMIN_PRIVATE, say,
     .summary = "Answers the visitor", .body = ADMIN_BODY(say_fields),
     .answer = "{" NOW ", message_id: uuid, created_at?: time}"},
    {"POST", "conversations/:id/typing", ADMIN_STAFF, ADMIN_ASKS, typing,
     .summary = "Shows that you write", .body = ADMIN_BODY(fields), .answer = "{" NOW "}"},
    {"POST", "conversations/:id/look", ADMIN_STAFF, ADMIN_ASKS, look,
     .summary = "Shows for 30 s that you look at it", .body = ADMIN_BODY(look_fields),
     .answer = "{conversation_id: uuid, operators: [text]}"},
    {"POST", "conversations/:id/release", ADMIN_STAFF, 0, release,
     .summary = "The model answers again", .body = ADMIN_BODY(fields), .answer = "{" NOW "}"},
    {"POST", "conversations/:id/resolve", ADMIN_STAFF, 0, resolve, .summary = "It is over",
     .body = ADMIN_BODY(fields), .answer = "{" NOW "}"},
};

const struct admin_resource admin_takeover = {routes, sizeof(routes) / sizeof(routes[0])};
