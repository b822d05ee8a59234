/* Signing in and out (ADM-1): sessions come to be here, are renewed and end. */
#include "admin/cookie.h"
#include "admin/field.h"
#include "admin/mailer.h"
#include "admin/record.h"
#include "admin/resources.h"
#include "admin/session_reply.h"
#include "core/log.h"
#include "core/reason.h"
#include "tenant/password.h"
#include "tenant/reset_mail.h"
#include "tenant/sign_in.h"
#include "tenant/users.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_MAX 128
#define ORG_MAX   200

/* -- a password costs memory and a processor, so few are looked at together --------------- */

static atomic_int hashing;

static bool begin_hashing(const struct admin_request *request, struct admin_reply *reply)
{
    int most = request->config->admin_threads / 2;

    if (atomic_fetch_add(&hashing, 1) < (most > 1 ? most : 1))
        return true;
    atomic_fetch_sub(&hashing, 1);
    admin_problem(reply, request, FD_PROBLEM_OVERLOADED, NULL, NULL);
    reply->retry_after = 1;
    return false;
}

static void end_hashing(void)
{
    atomic_fetch_sub(&hashing, 1);
}

static bool may_try(const struct admin_request *request, struct admin_reply *reply,
                    enum sign_in_subject subject, const char *name)
{
    int wait_s = 0;

    enum db_status status = sign_in_try(request->db, subject, name, &wait_s);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (wait_s > 0) {
        admin_problem(
            reply, request, FD_PROBLEM_SIGN_IN_RATE, NULL,
            arena_printf(request->arena, "the next try is possible in %d seconds", wait_s));
        reply->retry_after = wait_s;
    }
    return status == DB_OK && wait_s == 0;
}

/* Of an account: from here, and from anywhere. */
static bool may_try_account(const struct admin_request *request, struct admin_reply *reply,
                            const char *email)
{
    const char *from = sign_in_from(request->arena, email, request->address);

    return may_try(request, reply, SIGN_IN_ADDRESS, request->address) &&
           may_try(request, reply, SIGN_IN_ACCOUNT, from) &&
           may_try(request, reply, SIGN_IN_ANYWHERE, email);
}

static void forgive_account(const struct admin_request *request, const char *email)
{
    sign_in_forgive(request->db, SIGN_IN_ACCOUNT,
                    sign_in_from(request->arena, email, request->address));
    sign_in_forgive(request->db, SIGN_IN_ANYWHERE, email);
}

/* Who could choose a password need not wait for the next try with it. */
static void forgive_user(const struct admin_request *request, const char *org, const char *user)
{
    PGresult *row;

    if (users_get(request->db, org, user, &row) != DB_OK)
        return;
    if (PQntuples(row) == 1)
        forgive_account(request, db_text(row, 0, USER_EMAIL));
    PQclear(row);
}

static const char *user_actor(const struct admin_request *request, const char *user)
{
    return arena_printf(request->arena, "user:%s", user);
}

/* -- in ----------------------------------------------------------------------------------- */

/* `hash` as in user_session_start(), `key` as in session_reply(). */
static void begin_session(const struct admin_request *request, struct admin_reply *reply,
                          const char *org, const char *user, const char *hash, const char *how,
                          const char *key)
{
    const char *agent = arena_printf(request->arena, "%.*s", USER_AGENT_MAX, request->agent);
    const struct user_session_new from = {
        .org = org,
        .user = user,
        .hash = hash,
        .address = request->address,
        .agent = fd_utf8_valid(agent, strlen(agent)) ? agent : "",
    };
    struct user_session session;
    PGresult *ended;

    enum db_status status =
        user_session_start(request->db, request->config, &from, &session, &ended);
    if (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0') {
        admin_problem(reply, request, FD_PROBLEM_PASSWORD, NULL, NULL); /* not any more */
        return;
    }
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    sessions_ended(request, ended);
    record_session(request, org, user_actor(request, user), how, session.id);
    session_reply(request, reply, org, &session, key);
}

/* The password was right in several organisations: which of them? A problem that has them as
 * an extension. */
static void ask_which(const struct admin_request *request, struct admin_reply *reply,
                      const struct sign_in_found *found)
{
    static const char which[] = "say which: send organization, one of these ids, as well";
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "type", "urn:frontdesk:problem:organization-required");
    fd_jw_member(&w, "title", fd_problem_title(FD_PROBLEM_WHICH_ORGANIZATION));
    fd_jw_member_int(&w, "status", 409);
    fd_jw_member(&w, "code", fd_problem_slug(FD_PROBLEM_WHICH_ORGANIZATION));
    fd_jw_member(&w, "detail", which);
    fd_jw_key(&w, "reason");
    reason_write(&w, which);
    fd_jw_member(&w, "request_id", request->request_id);
    fd_jw_key(&w, "organizations");
    fd_jw_array(&w);
    for (size_t i = 0; i < found->count; i++) {
        fd_jw_object(&w);
        fd_jw_member(&w, "id", found->at[i].org);
        fd_jw_member(&w, "name", found->at[i].name);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 409;
    reply->content_type = "application/problem+json";
}

static void refuse_login(const struct admin_request *request, struct admin_reply *reply,
                         const char *email)
{
    const struct log_context ctx = {.request_id = request->request_id};
    const char *organization = fd_json_string(request->body, "organization");

    log_warn(&ctx, "sign_in.failed", LOG_STR("address", request->address));
    if (sign_in_note_failure(request->db, email, organization, request->address,
                             request->request_id) != DB_OK)
        log_error(&ctx, "audit.not_written", LOG_STR("action", "sign-in-failed"));
    admin_problem(reply, request, FD_PROBLEM_PASSWORD, NULL, NULL);
}

static void answer_login(const struct admin_request *request, struct admin_reply *reply,
                         const char *email, const struct sign_in_found *found)
{
    if (found->count == 0) {
        refuse_login(request, reply, email);
        return;
    }
    forgive_account(request, email);
    sign_in_forgive(request->db, SIGN_IN_ADDRESS, request->address);
    if (found->count > 1)
        ask_which(request, reply, found);
    else
        begin_session(request, reply, found->at[0].org, found->at[0].user, found->at[0].hash,
                      "sign-in", NULL);
}

static void login(const struct admin_request *request, struct admin_reply *reply)
{
    const char *email = fd_json_string(request->body, "email");
    const char *password = fd_json_string(request->body, "password");
    const char *organization = fd_json_string(request->body, "organization");
    struct sign_in_found found = {0};

    if (!begin_hashing(request, reply))
        return;
    bool may = may_try_account(request, reply, email);
    enum db_status status =
        may ? sign_in_check(request->db, email, password, organization, &found) : DB_OK;
    end_hashing();
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (may)
        answer_login(request, reply, email, &found);
}

static void setup_state(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    bool open;

    enum db_status status = setup_open(request->db, &open);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member_bool(&w, "open", open);
    fd_jw_member_bool(&w, "reset_mail", mailer_is_set_up(request->config));
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void setup(const struct admin_request *request, struct admin_reply *reply)
{
    const struct setup setup = {.token = fd_json_string(request->body, "token"),
                                .organization = fd_json_string(request->body, "organization"),
                                .email = fd_json_string(request->body, "email"),
                                .name = fd_json_string(request->body, "name"),
                                .password = fd_json_string(request->body, "password")};
    struct setup_made made;
    bool done = false;

    if (!begin_hashing(request, reply))
        return;
    bool may = may_try(request, reply, SIGN_IN_ADDRESS, request->address);
    enum db_status status = may ? setup_run(request->db, &setup, &done, &made) : DB_OK;
    end_hashing();
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (may && !done) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "token",
                      "it is unknown, used or older than a day, or there are users already");
    } else if (may) {
        admin_organization_changed(request, made.org);
        begin_session(request, reply, made.org, made.user, NULL, "set-up", made.key);
        reply->status = reply->status == 200 ? 201 : reply->status;
    }
}

static void reset(const struct admin_request *request, struct admin_reply *reply)
{
    const char *token = fd_json_string(request->body, "token");
    const char *password = fd_json_string(request->body, "password");
    PGresult *ended = NULL;
    char org[37], user[37];

    if (!begin_hashing(request, reply))
        return;
    bool may = may_try(request, reply, SIGN_IN_ADDRESS, request->address);
    enum db_status status =
        may ? reset_password(request->db, token, password, org, user, &ended) : DB_OK;
    end_hashing();
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (may) {
        sign_in_forgive(request->db, SIGN_IN_ADDRESS, request->address);
        forgive_user(request, org, user);
        sessions_ended(request, ended);
        record_session(request, org, user_actor(request, user), "password-reset", user);
        reply->status = 204;
    }
}

/* Whose the address is, is looked up after the answer: neither it nor its time tells. */
static void forgot(const struct admin_request *request, struct admin_reply *reply)
{
    const struct reset_asked asked = {.email = fd_json_string(request->body, "email"),
                                      .language = fd_json_string(request->body, "language"),
                                      .address = request->address,
                                      .request_id = request->request_id};
    struct fd_json_writer w;

    if (!mailer_is_set_up(request->config)) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
        return;
    }
    if (!user_email_valid(asked.email)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "email",
                      "an e-mail address would be right");
        return;
    }
    if (!may_try(request, reply, SIGN_IN_ADDRESS, request->address) ||
        !may_try(request, reply, SIGN_IN_FORGOT,
                 sign_in_from(request->arena, asked.email, request->address)))
        return;
    enum db_status status = reset_mail_ask(request->db, &asked);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "message", "Whoever has an account with this address is sent a link.");
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 202;
    reply->mails = true;
}

/* -- and out ------------------------------------------------------------------------------ */

static void logout(const struct admin_request *request, struct admin_reply *reply)
{
    char home[37];
    PGresult *ended;

    if (!session_home(request, reply, home))
        return;
    enum db_status status =
        user_session_end(request->db, home, NULL, request->session, "signed out", &ended);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    sessions_ended(request, ended);
    record_session(request, home, request->actor, "sign-out", request->session);
    cookie_clear(request, reply);
    reply->status = 204;
}

static void change_password(const struct admin_request *request, struct admin_reply *reply)
{
    const char *old = fd_json_string(request->body, "old_password");
    const char *password = fd_json_string(request->body, "password");
    bool right = false;
    PGresult *ended = NULL;
    char home[37];

    if (!session_home(request, reply, home) || !begin_hashing(request, reply))
        return;
    bool may = may_try(request, reply, SIGN_IN_USER, request->user);
    enum db_status status =
        may ? sign_in_proves(request->db, home, request->user, old, &right) : DB_OK;
    if (status == DB_OK && right)
        status = users_set_password(request->db, home, request->user, password, request->session,
                                    &ended);
    end_hashing();
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (may && !right) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "old_password", "this is not it");
    } else if (may) {
        sign_in_forgive(request->db, SIGN_IN_USER, request->user);
        sessions_ended(request, ended);
        record_session(request, home, request->actor, "password-change", request->user);
        session_renewed(request, reply);
    }
}

/* -- the routes --------------------------------------------------------------------------- */

static const struct admin_field login_fields[] = {
    {"email", ADMIN_TEXT, .required = true, .max = USER_EMAIL_MAX, .format = "email"},
    {"password", ADMIN_TEXT, .required = true, .max = PASSWORD_MAX},
    {"organization", ADMIN_TEXT, .max = ORG_MAX, .note = "id or name, of several"},
};
static const struct admin_field setup_fields[] = {
    {"token", ADMIN_TEXT, .required = true, .max = TOKEN_MAX},
    {"organization", ADMIN_TEXT, .required = true, .max = ORG_MAX},
    {"email", ADMIN_TEXT, .required = true, .max = USER_EMAIL_MAX, .format = "email"},
    {"name", ADMIN_TEXT, .max = USER_NAME_MAX},
    {"password", ADMIN_TEXT, .required = true, .max = PASSWORD_MAX},
};
static const struct admin_field forgot_fields[] = {
    {"email", ADMIN_TEXT, .required = true, .max = USER_EMAIL_MAX, .format = "email"},
    {"language", ADMIN_TEXT, .one_of = "en|he", .note = "of the page"},
};
static const struct admin_field reset_fields[] = {
    {"token", ADMIN_TEXT, .required = true, .max = TOKEN_MAX},
    {"password", ADMIN_TEXT, .required = true, .max = PASSWORD_MAX},
};
static const struct admin_field password_fields[] = {
    {"old_password", ADMIN_TEXT, .required = true, .max = PASSWORD_MAX},
    {"password", ADMIN_TEXT, .required = true, .max = PASSWORD_MAX},
};

static const struct admin_route routes[] = {
    {"POST", "auth/login", ADMIN_CLIENT, ADMIN_OPEN, login, .summary = "Signs in",
     .body = ADMIN_BODY(login_fields), .answer = SESSION_ANSWER},
    {"GET", "auth/setup", ADMIN_CLIENT, ADMIN_OPEN, setup_state,
     .summary = "Is there no user yet, and are links mailed?",
     .answer = "{open: bool, reset_mail: bool}"},
    {"POST", "auth/setup", ADMIN_CLIENT, ADMIN_OPEN, setup, .summary = "Makes the first user",
     .body = ADMIN_BODY(setup_fields), .status = 201, .answer = SESSION_ANSWER},
    {"POST", "auth/forgot", ADMIN_CLIENT, ADMIN_OPEN, forgot, .summary = "A link, by mail",
     .body = ADMIN_BODY(forgot_fields), .status = 202, .answer = "{message: text}"},
    {"POST", "auth/reset", ADMIN_CLIENT, ADMIN_OPEN, reset, .summary = "A new password, by a token",
     .body = ADMIN_BODY(reset_fields)},
    {"POST", "auth/logout", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, logout, .summary = "Signs out"},
    {"POST", "auth/refresh", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, session_renewed,
     .summary = "New claims", .answer = SESSION_ANSWER},
    {"POST", "auth/password", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, change_password,
     .summary = "Another password", .body = ADMIN_BODY(password_fields), .answer = SESSION_ANSWER},
};

const struct admin_resource admin_auth = {routes, sizeof(routes) / sizeof(routes[0])};
