/* Signing in and out (ADM-1): sessions come to be here, are renewed and end. */
#include "admin/cookie.h"
#include "admin/field.h"
#include "admin/record.h"
#include "admin/resources.h"
#include "admin/session_reply.h"
#include "core/log.h"
#include "tenant/password.h"
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

static const char *user_actor(const struct admin_request *request, const char *user)
{
    return arena_printf(request->arena, "user:%s", user);
}

/* -- in ----------------------------------------------------------------------------------- */

/* `hash` as in user_session_start(). */
static void begin_session(const struct admin_request *request, struct admin_reply *reply,
                          const char *org, const char *user, const char *hash, const char *how)
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
    sessions_ended(request, org, ended);
    record_event(request, org, user_actor(request, user), how, session.id, NULL);
    session_reply(request, reply, org, &session);
}

/* The password was right in several organisations: which of them? A problem that has them as
 * an extension. */
static void ask_which(const struct admin_request *request, struct admin_reply *reply,
                      const struct sign_in_found *found)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "type", "urn:frontdesk:problem:organization-required");
    fd_jw_member(&w, "title", "Several organizations have a user with this password");
    fd_jw_member_int(&w, "status", 409);
    fd_jw_member(&w, "code", "organization-required");
    fd_jw_member(&w, "detail", "say which: send organization, one of these ids, as well");
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

static void answer_login(const struct admin_request *request, struct admin_reply *reply,
                         const char *email, const struct sign_in_found *found)
{
    const struct log_context ctx = {.request_id = request->request_id};

    if (found->count == 0) {
        log_warn(&ctx, "sign_in.failed", LOG_STR("address", request->address));
        admin_problem(reply, request, FD_PROBLEM_PASSWORD, NULL, NULL);
        return;
    }
    sign_in_forgive(request->db, SIGN_IN_ACCOUNT, email);
    sign_in_forgive(request->db, SIGN_IN_ADDRESS, request->address);
    if (found->count > 1)
        ask_which(request, reply, found);
    else
        begin_session(request, reply, found->at[0].org, found->at[0].user, found->at[0].hash,
                      "sign-in");
}

static void login(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"email", "password", "organization", NULL};
    const char *email, *password, *organization;
    struct sign_in_found found = {0};

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "email", true, USER_EMAIL_MAX, &email) ||
        !field_text(request, reply, "password", true, PASSWORD_MAX, &password) ||
        !field_text(request, reply, "organization", false, ORG_MAX, &organization) ||
        !begin_hashing(request, reply))
        return;
    bool may = may_try(request, reply, SIGN_IN_ADDRESS, request->address) &&
               may_try(request, reply, SIGN_IN_ACCOUNT, email);
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
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void setup(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"token", "organization", "email", "name", "password", NULL};
    struct setup setup;
    char org[37], user[37];
    bool done = false;

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "token", true, TOKEN_MAX, &setup.token) ||
        !field_text(request, reply, "organization", true, ORG_MAX, &setup.organization) ||
        !field_text(request, reply, "email", true, USER_EMAIL_MAX, &setup.email) ||
        !field_text(request, reply, "name", false, USER_NAME_MAX, &setup.name) ||
        !field_text(request, reply, "password", true, PASSWORD_MAX, &setup.password) ||
        !begin_hashing(request, reply))
        return;
    bool may = may_try(request, reply, SIGN_IN_ADDRESS, request->address);
    enum db_status status = may ? setup_run(request->db, &setup, &done, org, user) : DB_OK;
    end_hashing();
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (may && !done) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "token",
                      "it is unknown, used or older than a day, or there are users already");
    } else if (may) {
        begin_session(request, reply, org, user, NULL, "set-up");
        reply->status = reply->status == 200 ? 201 : reply->status;
    }
}

static void reset(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"token", "password", NULL};
    const char *token, *password;
    PGresult *ended = NULL;
    char org[37], user[37];

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "token", true, TOKEN_MAX, &token) ||
        !field_text(request, reply, "password", true, PASSWORD_MAX, &password) ||
        !begin_hashing(request, reply))
        return;
    bool may = may_try(request, reply, SIGN_IN_ADDRESS, request->address);
    enum db_status status =
        may ? reset_password(request->db, token, password, org, user, &ended) : DB_OK;
    end_hashing();
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (may) {
        sign_in_forgive(request->db, SIGN_IN_ADDRESS, request->address);
        sessions_ended(request, org, ended);
        record_event(request, org, user_actor(request, user), "password-reset", user, NULL);
        reply->status = 204;
    }
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
    sessions_ended(request, home, ended);
    record_event(request, home, request->actor, "sign-out", request->session, NULL);
    cookie_clear(request, reply);
    reply->status = 204;
}

static void change_password(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"old_password", "password", NULL};
    const char *old, *password;
    bool right = false;
    PGresult *ended = NULL;
    char home[37];

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "old_password", true, PASSWORD_MAX, &old) ||
        !field_text(request, reply, "password", true, PASSWORD_MAX, &password) ||
        !session_home(request, reply, home) || !begin_hashing(request, reply))
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
        sessions_ended(request, home, ended);
        record_event(request, home, request->actor, "password-change", request->user, NULL);
        session_renewed(request, reply);
    }
}

static const struct admin_route routes[] = {
    {"POST", "auth/login", ADMIN_CLIENT, ADMIN_OPEN, login},
    {"GET", "auth/setup", ADMIN_CLIENT, ADMIN_OPEN, setup_state},
    {"POST", "auth/setup", ADMIN_CLIENT, ADMIN_OPEN, setup},
    {"POST", "auth/reset", ADMIN_CLIENT, ADMIN_OPEN, reset},
    {"POST", "auth/logout", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, logout},
    {"POST", "auth/refresh", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, session_renewed},
    {"POST", "auth/password", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, change_password},
};

const struct admin_resource admin_auth = {routes, sizeof(routes) / sizeof(routes[0])};
