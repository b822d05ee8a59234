/* Teams of an organisation's users. Who leaves a team signs in anew: the claims name it. */
#include "admin/list.h"
#include "admin/resources.h"
#include "admin/session_reply.h"
#include "tenant/teams.h"
#include "tenant/users.h"

static void write_team(struct fd_json_writer *w, const PGresult *teams, int row)
{
    fd_jw_member(w, "id", db_text(teams, row, 0));
    fd_jw_member(w, "name", db_text(teams, row, 1));
    fd_jw_member(w, "created_at", db_text(teams, row, 2));
    fd_jw_member_raw(w, "members", db_text(teams, row, 3));
}

static void write_member(struct fd_json_writer *w, const PGresult *members, int row)
{
    fd_jw_member(w, "user_id", db_text(members, row, 0));
    fd_jw_member(w, "email", db_text(members, row, 1));
    fd_jw_member(w, "role", db_text(members, row, 2));
}

static const struct list teams = {.name = "teams", .write = write_team};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *rows;

    enum db_status status = teams_list(request->db, request->org, NULL, &rows);
    list_reply(request, reply, &teams, NULL, status, rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    const char *id = db_uuid(request->ids[0]);
    PGresult *team;

    if (id == NULL) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
        return;
    }
    enum db_status status = teams_list(request->db, request->org, id, &team);
    list_reply_one(request, reply, write_team, status, team, NULL);
}

static void show_member(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *member;

    enum db_status status =
        team_member(request->db, request->org, request->ids[0], request->ids[1], &member);
    list_reply_one(request, reply, write_member, status, member, NULL);
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    const char *name = fd_json_string(request->body, "name");
    struct fd_json_writer w;
    char id[37];

    enum db_status status = team_create(request->db, request->org, name, id);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member(&w, "name", name);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 201;
}

static void answer(const struct admin_request *request, struct admin_reply *reply,
                   enum db_status status, bool found)
{
    if (admin_found(reply, request, status, found, NULL))
        reply->status = 204;
}

/* Only a team without members: those would be in it until their claims expire. */
static void drop(const struct admin_request *request, struct admin_reply *reply)
{
    static const struct db_statement members = {
        "team_members_of",
        "SELECT 1 FROM team_members WHERE org_id = $1 AND team_id = $2::uuid LIMIT 1", 2};
    const char *params[] = {request->org, db_uuid(request->ids[0])};
    bool found = false;

    enum db_status status = db_found(request->db, request->org, &members, params, &found);
    if (found) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL, "the team has members");
        return;
    }
    if (status == DB_OK)
        status = team_delete(request->db, request->org, request->ids[0], &found);
    answer(request, reply, status, found);
}

static void add(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;

    enum db_status status = team_add(request->db, request->org, request->ids[0], request->ids[1],
                                     fd_json_string(request->body, "role"), &found);
    answer(request, reply, status, found);
}

static void remove_one(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    PGresult *ended;

    enum db_status status =
        team_remove(request->db, request->org, request->ids[0], request->ids[1], &found, &ended);
    answer(request, reply, status, found);
    sessions_ended(request, ended);
}

static const struct admin_field team_fields[] = {
    {"name", ADMIN_TEXT, .required = true, .max = TEAM_NAME_MAX},
};
static const struct admin_field member_fields[] = {
    {"role", ADMIN_TEXT, .required = true, .one_of = USER_ROLES},
};

#define TEAM "{id: uuid, name: text, created_at: time, members: [object]}"

static const struct admin_route routes[] = {
    {"GET", "teams", ADMIN_STAFF, 0, list, .summary = "The teams and who is in them",
     .answer = "{teams: [" TEAM "]}"},
    {"POST", "teams", ADMIN_ADMIN, ADMIN_ACCESS, create, .summary = "Makes a team",
     .body = ADMIN_BODY(team_fields), .status = 201, .answer = "{id: uuid, name: text}"},
    {"GET", "teams/:id", ADMIN_STAFF, 0, show, .summary = "A team", .answer = TEAM},
    {"DELETE", "teams/:id", ADMIN_ADMIN, ADMIN_ACCESS, drop,
     .summary = "Ends a team without members"},
    {"GET", "teams/:id/members/:user", ADMIN_STAFF, 0, show_member,
     .summary = "A user's place in a team", .answer = "{user_id: uuid, email: text, role: text}"},
    {"PUT", "teams/:id/members/:user", ADMIN_ADMIN, ADMIN_ACCESS, add,
     .summary = "Puts a user into a team", .body = ADMIN_BODY(member_fields)},
    {"DELETE", "teams/:id/members/:user", ADMIN_ADMIN, ADMIN_ACCESS, remove_one,
     .summary = "Takes a user out of a team"},
};

const struct admin_resource admin_teams = {routes, sizeof(routes) / sizeof(routes[0])};
