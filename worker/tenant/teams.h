/* Teams: groups of an organisation's users; one of a user's teams is the active one, and
 * goes with each of the user's requests. */
#ifndef FD_TENANT_TEAMS_H
#define FD_TENANT_TEAMS_H

#include "db/db.h"

#define TEAM_NAME_MAX 100

enum db_status team_create(struct db *db, const char *org, const char *name, char id[37]);
/* *found false: there is no such team (or user, or membership). */
enum db_status team_delete(struct db *db, const char *org, const char *id, bool *found);
enum db_status team_add(struct db *db, const char *org, const char *id, const char *user,
                        const char *role, bool *found);
/* Ends the user's sessions, whose claims name the team: *ended as in user_sessions.h. */
enum db_status team_remove(struct db *db, const char *org, const char *id, const char *user,
                           bool *found, PGresult **ended);
/* id NULL: none. */
enum db_status team_activate(struct db *db, const char *org, const char *user, const char *id,
                             bool *found);

/* id, name, created_at, members: JSON of {user_id, email, role}. id NULL: all. */
enum db_status teams_list(struct db *db, const char *org, const char *id, PGresult **teams);
/* user_id, email, role: a row or none. */
enum db_status team_member(struct db *db, const char *org, const char *id, const char *user,
                           PGresult **member);

enum db_status team_exists(struct db *db, const char *org, const char *team, bool *exists);

#endif
