#include "admin/session_reply.h"

#include "admin/cookie.h"
#include "core/log.h"
#include "tenant/publish_sessions.h"
#include "tenant/users.h"

#include <sodium.h>
#include <string.h>

static const struct db_statement read_name = {
    "session_org_name", "SELECT name FROM platform_organizations() WHERE org_id = $1", 1};

static void write_user(struct fd_json_writer *w, const PGresult *user)
{
    fd_jw_key(w, "user");
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(user, 0, USER_ID));
    fd_jw_member(w, "email", db_text(user, 0, USER_EMAIL));
    fd_jw_member(w, "name", db_text(user, 0, USER_NAME));
    fd_jw_end_object(w);
}

static void write_organization(struct fd_json_writer *w, const struct user_session *session,
                               const PGresult *name)
{
    fd_jw_key(w, "organization");
    fd_jw_object(w);
    fd_jw_member(w, "id", session->org);
    fd_jw_member(w, "name", PQntuples(name) == 1 ? db_text(name, 0, 0) : NULL);
    fd_jw_end_object(w);
}

static void write_session(struct admin_reply *reply, const struct fd_sign_in_keys *keys,
                          const struct user_session *session, const PGresult *user,
                          const PGresult *name, const char *key)
{
    char csrf[FD_SIGN_IN_CSRF_SIZE];
    struct fd_json_writer w;

    fd_sign_in_csrf(csrf, keys, session->id);
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    write_user(&w, user);
    write_organization(&w, session, name);
    fd_jw_member(&w, "role", session->role);
    fd_jw_member(&w, "team_id", session->team[0] != '\0' ? session->team : NULL);
    fd_jw_member(&w, "session_id", session->id);
    fd_jw_member(&w, "csrf_token", csrf);
    fd_jw_member_int(&w, "expires_in", session->expires - session->issued);
    fd_jw_member_int(&w, "ends_in", session->ends - session->issued);
    if (key != NULL)
        fd_jw_member(&w, "publishable_key", key);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

void session_reply(const struct admin_request *request, struct admin_reply *reply, const char *home,
                   const struct user_session *session, const char *key)
{
    struct fd_sign_in_keys keys;
    const char *org = session->org;
    PGresult *user = NULL, *name = NULL;

    enum db_status status = sign_in_keys(request->db, &keys);
    if (status == DB_OK)
        status = users_get(request->db, home, session->user, &user);
    if (status == DB_OK && PQntuples(user) == 0)
        status = DB_BUSY;
    if (status == DB_OK)
        status = db_query(request->db, NULL, &read_name, &org, &name);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (cookie_set(request, reply, &keys, session))
        write_session(reply, &keys, session, user, name, key);
    sodium_memzero(&keys, sizeof(keys));
    PQclear(user);
    PQclear(name);
}

bool session_home(const struct admin_request *request, struct admin_reply *reply, char org[37])
{
    enum db_status status = user_session_home(request->db, request->session, org);

    if (status == DB_OK)
        return true;
    if (status == DB_FAILED)
        admin_problem(reply, request, FD_PROBLEM_SIGN_IN, NULL, NULL);
    else
        admin_db_problem(reply, request, status);
    return false;
}

void session_renewed(const struct admin_request *request, struct admin_reply *reply)
{
    struct user_session session;
    PGresult *ended;
    char home[37];
    bool alive;

    if (!session_home(request, reply, home))
        return;
    enum db_status status = user_session_renew(request->db, request->config, request->session,
                                               request->nonce, &alive, &session, &ended);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (alive) {
        session_reply(request, reply, home, &session, NULL);
    } else {
        sessions_ended(request, ended);
        admin_problem(reply, request, FD_PROBLEM_SIGN_IN, NULL, "the session is over");
        cookie_clear(request, reply);
    }
}

static void tell_ended(const struct admin_request *request, void *arg)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    char error[256];

    if (!publish_sessions(request->config, arg, error))
        log_warn(&ctx, "sessions.not_published", LOG_STR("error", error));
}

void sessions_ended(const struct admin_request *request, PGresult *ended)
{
    if (PQntuples(ended) > 0)
        admin_after(request, tell_ended, ended_sessions_copy(request->arena, ended));
    PQclear(ended);
}
