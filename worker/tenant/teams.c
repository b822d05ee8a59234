#include "tenant/teams.h"

#include "protocol/ids.h"
#include "tenant/bounds.h"
#include "tenant/user_sessions.h"

#include <stdio.h>
#include <string.h>

static const struct db_statement create = {
    "team_create",
    "INSERT INTO teams (org_id, name) SELECT $1, $2"
    " WHERE (SELECT count(*) FROM teams WHERE org_id = $1) < " BOUND_TEXT(
        BOUND_TEAMS) " RETURNING id",
    2};
static const struct db_statement find = {"team_find",
                                         "SELECT 1 FROM teams WHERE org_id = $1 AND id = $2", 2};
static const struct db_statement drop = {
    "team_delete", "DELETE FROM teams WHERE org_id = $1 AND id = $2 RETURNING id", 2};
static const struct db_statement add = {
    "team_add",
    "INSERT INTO team_members (org_id, team_id, user_id, role)"
    " SELECT $1, t.id, u.id, $4 FROM teams t JOIN users u ON u.org_id = t.org_id"
    "  WHERE t.org_id = $1 AND t.id = $2 AND u.id = $3"
    " ON CONFLICT (org_id, team_id, user_id) DO UPDATE SET role = excluded.role"
    " RETURNING user_id",
    4};
static const struct db_statement lock_user = {
    "team_lock_user", "SELECT 1 FROM users WHERE org_id = $1 AND id = $2 FOR UPDATE", 2};
static const struct db_statement remove_one = {
    "team_remove",
    "DELETE FROM team_members WHERE org_id = $1 AND team_id = $2 AND user_id = $3"
    " RETURNING user_id",
    3};
static const struct db_statement leave = {
    "team_leave",
    "UPDATE team_members SET is_active = false WHERE org_id = $1 AND user_id = $2 AND is_active",
    2};
static const struct db_statement enter = {
    "team_enter",
    "UPDATE team_members SET is_active = true WHERE org_id = $1 AND user_id = $2 AND team_id = $3"
    " RETURNING team_id",
    3};
static const struct db_statement list = {
    "teams_list",
    "SELECT t.id, t.name, to_char(t.created_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       coalesce(jsonb_agg(jsonb_build_object('user_id', m.user_id, 'email', u.email,"
    "                          'role', m.role) ORDER BY u.email)"
    "                FILTER (WHERE m.user_id IS NOT NULL), '[]')"
    "  FROM teams t LEFT JOIN team_members m ON m.org_id = t.org_id AND m.team_id = t.id"
    "  LEFT JOIN users u ON u.org_id = m.org_id AND u.id = m.user_id"
    " WHERE t.org_id = $1 AND ($2::uuid IS NULL OR t.id = $2::uuid)"
    " GROUP BY t.org_id, t.id ORDER BY t.name"
    " LIMIT " BOUND_TEXT(BOUND_TEAMS),
    2};
static const struct db_statement member_statement = {
    "team_member",
    "SELECT m.user_id, u.email, m.role FROM team_members m"
    "  JOIN users u ON u.org_id = m.org_id AND u.id = m.user_id"
    " WHERE m.org_id = $1 AND m.team_id = $2::uuid AND m.user_id = $3::uuid",
    3};

static bool uuids(const char *a, const char *b)
{
    return fd_uuid_valid(a, strlen(a)) && fd_uuid_valid(b, strlen(b));
}

enum db_status team_create(struct db *db, const char *org, const char *name, char id[37])
{
    const char *params[] = {org, name};
    PGresult *result;

    enum db_status status = db_query(db, org, &create, params, &result);
    if (status != DB_OK)
        return status;
    bool made = PQntuples(result) == 1;
    if (made)
        snprintf(id, 37, "%s", db_text(result, 0, 0));
    PQclear(result);
    return made ? DB_OK : bound_reached(db, BOUND_TEAMS, "teams");
}

enum db_status team_delete(struct db *db, const char *org, const char *id, bool *found)
{
    const char *params[] = {org, id};

    *found = false;
    return uuids(id, org) ? db_found(db, org, &drop, params, found) : DB_OK;
}

enum db_status team_add(struct db *db, const char *org, const char *id, const char *user,
                        const char *role, bool *found)
{
    const char *params[] = {org, id, user, role};

    *found = false;
    return uuids(id, user) ? db_found(db, org, &add, params, found) : DB_OK;
}

enum db_status team_remove(struct db *db, const char *org, const char *id, const char *user,
                           bool *found, PGresult **ended)
{
    const char *params[] = {org, id, user}, *who[] = {org, user};
    PGresult *row = NULL;

    *found = false;
    *ended = NULL;
    if (!uuids(id, user))
        return DB_OK;
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = db_exec(db, &lock_user, who, NULL);
    if (status == DB_OK)
        status = db_exec(db, &remove_one, params, &row);
    *found = status == DB_OK && PQntuples(row) == 1;
    PQclear(row);
    if (*found)
        status = user_sessions_end_in(db, org, user, NULL, "left a team", ended);
    return user_sessions_commit(db, status, ended);
}

enum db_status team_activate(struct db *db, const char *org, const char *user, const char *id,
                             bool *found)
{
    const char *params[] = {org, user, id};

    *found = id == NULL;
    if (id != NULL && !fd_uuid_valid(id, strlen(id)))
        return DB_OK;
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = db_exec(db, &leave, params, NULL);
    if (status == DB_OK && id != NULL) {
        PGresult *row;
        status = db_exec(db, &enter, params, &row);
        *found = status == DB_OK && PQntuples(row) == 1;
        PQclear(row);
    }
    if (status == DB_OK && *found)
        status = db_commit(db);
    if (status != DB_OK || !*found)
        db_rollback(db);
    return status;
}

enum db_status teams_list(struct db *db, const char *org, const char *id, PGresult **teams)
{
    const char *params[] = {org, id};

    return db_query(db, org, &list, params, teams);
}

enum db_status team_member(struct db *db, const char *org, const char *id, const char *user,
                           PGresult **member)
{
    const char *params[] = {org, db_uuid(id), db_uuid(user)};

    return db_query(db, org, &member_statement, params, member);
}

enum db_status team_exists(struct db *db, const char *org, const char *team, bool *exists)
{
    const char *params[] = {org, team};

    *exists = false;
    return fd_uuid_valid(team, strlen(team)) ? db_found(db, org, &find, params, exists) : DB_OK;
}
