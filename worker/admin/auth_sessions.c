/* The signed-in user: who it is, where it acts, and its sessions. */
#include "admin/identity.h"
#include "admin/record.h"
#include "admin/resources.h"
#include "admin/session_reply.h"
#include "tenant/teams.h"
#include "tenant/users.h"

#include <string.h>

static const struct db_statement read_me = {
    "auth_me",
    "SELECT u.id, u.email, u.name, u.superadmin, o.org_id, o.name,"
    "       CASE WHEN u.org_id = o.org_id THEN u.spoken ELSE o.name END"
    "  FROM (SELECT *, " USER_SPOKEN_NAME " AS spoken FROM users) u, platform_organizations() o"
    " WHERE u.org_id = $1 AND u.id = $2 AND o.org_id = $3",
    3};

static void write_me(const struct admin_request *request, struct admin_reply *reply,
                     const PGresult *row)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "user");
    fd_jw_object(&w);
    fd_jw_member(&w, "id", db_text(row, 0, 0));
    fd_jw_member(&w, "email", db_text(row, 0, 1));
    fd_jw_member(&w, "name", db_text(row, 0, 2));
    fd_jw_member_bool(&w, "superadmin", db_true(row, 0, 3));
    fd_jw_end_object(&w);
    fd_jw_key(&w, "organization");
    fd_jw_object(&w);
    fd_jw_member(&w, "id", db_text(row, 0, 4));
    fd_jw_member(&w, "name", db_text(row, 0, 5));
    fd_jw_end_object(&w);
    fd_jw_member(&w, "speaks_as", db_text(row, 0, 6));
    fd_jw_member(&w, "role", admin_role_name(request->role));
    fd_jw_member(&w, "team_id", request->team);
    fd_jw_member(&w, "session_id", request->session);
    fd_jw_member_int(&w, "idle_s", request->config->session_idle_s);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void me(const struct admin_request *request, struct admin_reply *reply)
{
    char home[37];
    PGresult *row;

    if (!session_home(request, reply, home))
        return;
    const char *params[] = {home, request->user, request->org};
    enum db_status status = db_query(request->db, home, &read_me, params, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (PQntuples(row) == 1)
        write_me(request, reply, row);
    else
        admin_problem(reply, request, FD_PROBLEM_SIGN_IN, NULL, NULL);
    PQclear(row);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *rows;
    char home[37];

    if (!session_home(request, reply, home))
        return;
    enum db_status status =
        user_sessions_list(request->db, request->config, home, request->user, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "sessions");
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *id = db_text(rows, row, USER_SESSION_ID);
        fd_jw_object(&w);
        fd_jw_member(&w, "id", id);
        fd_jw_member_bool(&w, "current", strcmp(id, request->session) == 0);
        fd_jw_member(&w, "address", db_text(rows, row, USER_SESSION_ADDRESS));
        fd_jw_member(&w, "agent", db_text(rows, row, USER_SESSION_AGENT));
        fd_jw_member(&w, "created_at", db_text(rows, row, USER_SESSION_CREATED_AT));
        fd_jw_member(&w, "used_at", db_text(rows, row, USER_SESSION_USED_AT));
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(rows);
}

static void end_one(const struct admin_request *request, struct admin_reply *reply)
{
    char home[37];
    PGresult *ended;

    if (!session_home(request, reply, home))
        return;
    enum db_status status = user_session_end(request->db, home, request->user, request->ids[0],
                                             "ended by its user", &ended);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (PQntuples(ended) == 0) {
        PQclear(ended);
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    } else {
        sessions_ended(request, ended);
        record_session(request, home, request->actor, "session-end", request->ids[0]);
        reply->status = 204;
    }
}

static void end_others(const struct admin_request *request, struct admin_reply *reply)
{
    char home[37];
    PGresult *ended;

    if (!session_home(request, reply, home))
        return;
    enum db_status status = user_sessions_end(request->db, home, request->user, request->session,
                                              "ended by its user", &ended);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    sessions_ended(request, ended);
    record_session(request, home, request->actor, "session-end-others", NULL);
    reply->status = 204;
}

/* A uuid or null. False: the reply holds the problem. */
static bool choice(const struct admin_request *request, struct admin_reply *reply, const char *name,
                   const char **id)
{
    *id = fd_json_string(request->body, name);
    if (*id == NULL || fd_uuid_valid(*id, strlen(*id)))
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, name, "an id or null would be right");
    return false;
}

static void choose_team(const struct admin_request *request, struct admin_reply *reply)
{
    const char *team;
    char home[37];
    bool found;

    if (!choice(request, reply, "team_id", &team) || !session_home(request, reply, home))
        return;
    enum db_status status = team_activate(request->db, home, request->user, team, &found);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (!found)
        admin_problem(reply, request, FD_PROBLEM_FIELD, "team_id",
                      "the user is in no team with this id");
    else
        session_renewed(request, reply);
}

static void choose_organization(const struct admin_request *request, struct admin_reply *reply)
{
    const char *org;
    char home[37];

    if (!choice(request, reply, "organization_id", &org) || !session_home(request, reply, home))
        return;
    enum db_status status = user_session_act(request->db, request->session, org);
    if (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0') {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "organization_id", db_error(request->db));
    } else if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else {
        record_session(request, org != NULL ? org : home, request->actor,
                       org != NULL ? "act" : "act-end", org);
        session_renewed(request, reply);
    }
}

static const struct admin_field team_fields[] = {
    {"team_id", ADMIN_TEXT | ADMIN_NULL, .required = true, .format = "uuid"},
};
static const struct admin_field organization_fields[] = {
    {"organization_id", ADMIN_TEXT | ADMIN_NULL, .required = true, .format = "uuid"},
};

static const struct admin_route routes[] = {
    {"GET", "auth/me", ADMIN_CLIENT, ADMIN_USER, me, .summary = "Who asks, where and as what",
     .answer =
         "{user: {id: uuid, email: text, name: text, superadmin: bool},"
         " organization: {id: uuid, name: text}, speaks_as: text, role: text, team_id: uuid|null,"
         " session_id: uuid, idle_s: int}"},
    {"GET", "auth/sessions", ADMIN_CLIENT, ADMIN_USER, list, .summary = "The user's sessions",
     .answer = "{sessions: [{id: uuid, current: bool, address: text, agent: text,"
               " created_at: time, used_at: time}]}"},
    {"DELETE", "auth/sessions", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, end_others,
     .summary = "Ends all others"},
    {"DELETE", "auth/sessions/:id", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, end_one,
     .summary = "Ends one"},
    {"POST", "auth/team", ADMIN_CLIENT, ADMIN_USER | ADMIN_ASKS, choose_team,
     .summary = "The team that the user acts in", .body = ADMIN_BODY(team_fields),
     .answer = SESSION_ANSWER},
    {"POST", "auth/organization", ADMIN_SUPERADMIN, ADMIN_USER | ADMIN_ASKS, choose_organization,
     .summary = "The organisation that a superadmin acts in",
     .body = ADMIN_BODY(organization_fields), .answer = SESSION_ANSWER},
};

const struct admin_resource admin_auth_sessions = {routes, sizeof(routes) / sizeof(routes[0])};
