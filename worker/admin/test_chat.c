/* Test chat (ADM-4): an operator asks in a visitor's place, and sees all that is done for the
 * answer. It goes through admission, queue and worker as every question; nginx streams its
 * events, so nothing is held here while it runs. */
#include "admin/admin.h"
#include "admin/record.h"
#include "admin/resources.h"

#include "chat/admission.h"
#include "chat/test_chat.h"
#include "core/log.h"
#include "protocol/confirm_request.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <string.h>

static const struct db_statement session_statement = {
    "test_chat_session",
    "SELECT channel FROM conversations WHERE org_id = $1::uuid AND session_id = $2", 2};

/* -- what is asked ------------------------------------------------------------------------- */

struct ask {
    struct fd_chat_request chat;
    struct test_chat test;
};

static struct fd_text text_of(const struct admin_request *request, const char *name)
{
    const char *value = fd_json_string(request->body, name);

    return (struct fd_text){value, value != NULL ? strlen(value) : 0};
}

static bool is_channel(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

    return name[0] >= 'a' && name[0] <= 'z' && name[strspn(name, allowed)] == '\0';
}

static bool read_test(const struct admin_request *request, struct admin_reply *reply,
                      struct test_chat *test)
{
    const char *channel = fd_json_string(request->body, "channel");

    if (channel != NULL && !is_channel(channel)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "channel",
                      "a channel such as widget would be right");
        return false;
    }
    *test = (struct test_chat){.trace = true,
                               .allow_writes = fd_json_bool(request->body, "allow_writes", false),
                               .by = request->actor,
                               .channel = channel != NULL ? channel : "widget",
                               .prompt = fd_json_string(request->body, "prompt")};
    return true;
}

static bool read_ask(const struct admin_request *request, struct admin_reply *reply,
                     struct ask *ask)
{
    *ask = (struct ask){.chat = {.message = text_of(request, "message"),
                                 .session_id = text_of(request, "session_id"),
                                 .language = text_of(request, "language"),
                                 .model_id = text_of(request, "model_id"),
                                 .user_id = text_of(request, "user_id"),
                                 .page_url = text_of(request, "page")}};
    return read_test(request, reply, &ask->test);
}

/* A visitor's conversation is not for trying things out. */
static bool is_test_session(const struct admin_request *request, struct admin_reply *reply,
                            const char *session)
{
    const char *params[] = {request->org, session};
    PGresult *row;

    if (session == NULL)
        return true;
    enum db_status status = db_query(request->db, request->org, &session_statement, params, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return false;
    }
    bool ours = PQntuples(row) == 1 && strcmp(db_text(row, 0, 0), TEST_CHANNEL) == 0;
    PQclear(row);
    if (!ours)
        admin_problem(reply, request, FD_PROBLEM_FIELD, "session_id",
                      "the session of a test chat that was answered would be right");
    return ours;
}

/* -- POST test-chat ---------------------------------------------------------------------------- */

static const char *key_of(const struct admin_request *request)
{
    return request->actor != NULL && strncmp(request->actor, "key:", 4) == 0 ? request->actor + 4
                                                                             : NULL;
}

static void refuse(const struct admin_request *request, struct admin_reply *reply,
                   const struct admitted *admitted)
{
    static const struct {
        const char *limit;
        enum fd_problem_type problem;
    } limits[] = {{"rate", FD_PROBLEM_RATE},
                  {"session", FD_PROBLEM_SESSION_RATE},
                  {"concurrency", FD_PROBLEM_CONCURRENCY},
                  {"quota", FD_PROBLEM_QUOTA}};
    enum fd_problem_type problem = admitted->verdict == ADMISSION_BUSY   ? FD_PROBLEM_BUSY
                                   : admitted->verdict == ADMISSION_FULL ? FD_PROBLEM_OVERLOADED
                                                                         : FD_PROBLEM_UNAVAILABLE;
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};

    for (size_t i = 0; admitted->limit != NULL && i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (strcmp(admitted->limit, limits[i].limit) == 0)
            problem = limits[i].problem;
    }
    if (admitted->error[0] != '\0')
        log_warn(&ctx, "test_chat.not_admitted", LOG_STR("error", admitted->error));
    admin_problem(reply, request, problem, NULL, NULL);
    reply->retry_after = (int)((admitted->retry_ms + 999) / 1000);
}

/* For who asks without nginx, which puts the events in its place. */
static void answer(struct admin_reply *reply, const char *job, const char *session)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "job_id", job);
    if (session != NULL)
        fd_jw_member(&w, "session_id", session);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

/* As a tool's own test: what may change something is an admin's to try, and is recorded. */
static bool may_write(const struct admin_request *request, struct admin_reply *reply)
{
    if (!fd_json_bool(request->body, "allow_writes", false))
        return true;
    if (request->role < ADMIN_ADMIN) {
        admin_problem(reply, request, FD_PROBLEM_ROLE, "allow_writes", "admin role required");
        return false;
    }
    enum db_status status = record_first(request, "POST", "test-chat", "{\"allow_writes\": true}");
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    return status == DB_OK;
}

static void ask_test(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_field_fault fault;
    struct admitted admitted;
    struct buf test;
    struct ask ask;

    if (!read_ask(request, reply, &ask))
        return;
    const char *body = test_chat_body(request->arena, &ask.chat, &fault);
    if (body == NULL) {
        const char *field = strcmp(fault.field, "context.page_url") == 0 ? "page" : fault.field;
        admin_problem(reply, request, FD_PROBLEM_FIELD, field, fault.detail);
        return;
    }
    if (!is_test_session(request, reply, ask.chat.session_id.s) || !may_write(request, reply))
        return;
    buf_init(&test, 6 * TEST_PROMPT_MAX + 1024);
    struct admission admission = {.org = request->org,
                                  .session = ask.chat.session_id.s,
                                  .key_id = key_of(request),
                                  .request_id = request->request_id,
                                  .vouched = true,
                                  .body = body,
                                  .test = test_chat_write(&test, &ask.test) ? test.data : "{}"};
    admission_make(request->config, request->arena, &admission, &admitted);
    buf_free(&test);
    if (admitted.verdict != ADMISSION_MADE) {
        refuse(request, reply, &admitted);
        return;
    }
    reply->follow = arena_strdup(request->arena, admitted.job);
    answer(reply, admitted.job, admitted.session);
}

/* -- a test chat that runs ------------------------------------------------------------------------
 */

/* NULL: it is not there, or a visitor's, whose words are not ours to say. */
static const char *tester(const struct admin_request *request, struct admin_reply *reply)
{
    char error[256];

    const char *by =
        admission_tester(request->config, request->arena, request->org, request->ids[0], error);
    if (by == NULL)
        admin_problem(reply, request,
                      error[0] != '\0' ? FD_PROBLEM_UNAVAILABLE : FD_PROBLEM_NOT_FOUND, NULL, NULL);
    return by;
}

/* From Last-Event-ID on, which nginx reads. */
static void go_on(const struct admin_request *request, struct admin_reply *reply)
{
    if (tester(request, reply) == NULL)
        return;
    reply->follow = request->ids[0];
    answer(reply, request->ids[0], NULL);
}

static void tell(const struct admin_request *request, struct admin_reply *reply,
                 enum fd_script script, const char *control, const char *const *more, size_t count)
{
    const struct admission_word word = {request->org, request->ids[0], more, count};
    struct fd_json_writer w;
    char error[256];

    const char *said =
        admission_tell_job(request->config, request->arena, script, control, &word, error);
    if (said == NULL) {
        admin_problem(reply, request,
                      error[0] != '\0' ? FD_PROBLEM_UNAVAILABLE : FD_PROBLEM_NOT_FOUND, NULL, NULL);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "job_id", request->ids[0]);
    fd_jw_member(&w, script == FD_SCRIPT_CANCEL ? "state" : "decision", said);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void cancel(const struct admin_request *request, struct admin_reply *reply)
{
    if (tester(request, reply) != NULL)
        tell(request, reply, FD_SCRIPT_CANCEL, FD_CONTROL_CANCEL, NULL, 0);
}

static void confirm(const struct admin_request *request, struct admin_reply *reply)
{
    const char *more[] = {fd_json_string(request->body, "call_id"),
                          fd_json_string(request->body, "decision")};

    const char *by = tester(request, reply);
    if (by == NULL)
        return;
    if (strcmp(by, request->actor) != 0)
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "somebody else asks this test");
    else
        tell(request, reply, FD_SCRIPT_CONFIRM, FD_CONTROL_CONFIRM, more, 2);
}

/* -- routes -------------------------------------------------------------------------------------
 */

static const struct admin_field ask_fields[] = {
    {.name = "message", .kind = ADMIN_TEXT, .required = true, .max = FD_MESSAGE_MAX},
    {.name = "session_id",
     .kind = ADMIN_TEXT,
     .max = FD_SESSION_ID_LEN,
     .note = "of a test chat that goes on"},
    {.name = "language", .kind = ADMIN_TEXT, .max = FD_LANGUAGE_MAX},
    {.name = "channel",
     .kind = ADMIN_TEXT,
     .max = TEST_CHANNEL_LEN_MAX,
     .note = "what tools are told that the visitor comes from"},
    {.name = "model_id", .kind = ADMIN_TEXT, .max = FD_MODEL_ID_MAX},
    {.name = "prompt",
     .kind = ADMIN_TEXT,
     .empty = true,
     .max = TEST_PROMPT_MAX,
     .note = "tried in place of the organisation's own text"},
    {.name = "user_id", .kind = ADMIN_TEXT, .max = FD_USER_ID_MAX},
    {.name = "page", .kind = ADMIN_TEXT, .max = FD_URL_MAX, .format = "uri"},
    {.name = "allow_writes",
     .kind = ADMIN_BOOL,
     .note = "tools that change something are run, as in a visitor's chat: an admin's to allow"},
};

static const struct admin_field confirm_fields[] = {
    {.name = "call_id", .kind = ADMIN_TEXT, .required = true, .max = FD_USER_ID_MAX},
    {.name = "decision",
     .kind = ADMIN_TEXT,
     .required = true,
     .max = FD_USER_ID_MAX,
     .one_of = FD_CONFIRM_ACCEPT "|" FD_CONFIRM_DECLINE},
};

static const struct admin_route routes[] = {
    {.method = "POST",
     .pattern = "test-chat",
     .least = ADMIN_STAFF,
     .flags = ADMIN_ASKS,
     .handle = ask_test,
     .summary = "Asks in a visitor's place, and tells all that is done for the answer",
     .body = ADMIN_BODY(ask_fields),
     .answer = "stream"},
    {.method = "GET",
     .pattern = "test-chat/:job",
     .least = ADMIN_STAFF,
     .flags = ADMIN_ASKS,
     .handle = go_on,
     .summary = "The same events again, after Last-Event-ID",
     .answer = "stream"},
    {.method = "POST",
     .pattern = "test-chat/:job/cancel",
     .least = ADMIN_STAFF,
     .flags = ADMIN_ASKS,
     .handle = cancel,
     .summary = "Stops the answer",
     .answer = "{job_id: text, state: text}"},
    {.method = "POST",
     .pattern = "test-chat/:job/confirm",
     .least = ADMIN_STAFF,
     .flags = ADMIN_ASKS,
     .handle = confirm,
     .summary = "The visitor's word on a call of a tool",
     .body = ADMIN_BODY(confirm_fields),
     .answer = "{job_id: text, decision: accept|decline}"},
};

const struct admin_resource admin_test_chat = {routes, sizeof(routes) / sizeof(routes[0])};
