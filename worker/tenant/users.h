/*
 * Users: who signs in to an organisation, with which role (ADM-1). Every refusal is
 * DB_FAILED with db_error(). A role is never given or taken by somebody below it, and an
 * organisation that has an owner keeps one.
 */
#ifndef FD_TENANT_USERS_H
#define FD_TENANT_USERS_H

#include "db/db.h"
#include "tenant/password.h"

#define USER_EMAIL_MAX 254
#define USER_NAME_MAX  100
#define USER_ROLE_SIZE 16
#define USER_ROLES     "owner|admin|staff|client" /* that can be given */
/* SQL: how visitors and colleagues read a user; two without a name are two. */
#define USER_SPOKEN_NAME "coalesce(nullif(name, ''), split_part(email, '@', 1))"

/* client 0, staff 1, admin 2, owner 3, superadmin 4; -1: none of them. */
int user_role_rank(const char *role);
/* What looks like one address, without spaces. Pure. */
bool user_email_valid(const char *email);

struct user_new {
    const char *org;
    const char *email;
    const char *name;     /* NULL: none */
    const char *role;     /* client to owner */
    const char *password; /* NULL: none yet, a reset token opens the account */
};

struct user_change { /* NULL: stays */
    const char *name;
    const char *role;
    const char *status; /* active or disabled */
};

/* `rank` is that of whoever asks; a command's is a superadmin's. */
enum db_status users_create(struct db *db, const struct user_new *user, int rank, char id[37]);
/* Another role or status ends the user's access: *ended as in user_sessions.h. */
enum db_status users_change(struct db *db, const char *org, const char *id,
                            const struct user_change *change, int rank, PGresult **ended);
/* Checks the rules. Of what the user had access by, only the session `except` (may be NULL)
 * is left then. */
enum db_status users_set_password(struct db *db, const char *org, const char *id,
                                  const char *password, const char *except, PGresult **ended);
/* The hash of a password that keeps the rules. */
enum db_status users_hash_password(struct db *db, const char *org, const char *id,
                                   const char *password, char hash[PASSWORD_HASH_SIZE]);

struct user_standing {
    char role[USER_ROLE_SIZE];
    char status[USER_ROLE_SIZE];
    bool owner; /* who can sign in */
};

/* These are for an open transaction. The first locks the user and refuses one whose role is
 * above `rank`; the last voids reset tokens and ends sessions but `except`. */
enum db_status users_lock(struct db *db, const char *org, const char *id, int rank,
                          struct user_standing *user);
enum db_status users_put_hash(struct db *db, const char *org, const char *id, const char *hash);
enum db_status users_end_access(struct db *db, const char *org, const char *id, const char *except,
                                const char *why, PGresult **ended);

enum user_column {
    USER_ID,
    USER_EMAIL,
    USER_NAME,
    USER_ROLE,
    USER_STATUS,
    USER_SUPERADMIN,
    USER_CREATED_AT,
    USER_LAST_SIGN_IN_AT,
    USER_HAS_PASSWORD,
    USER_COLUMNS
};

/* After the one with the id `after`, in the order they were made. */
enum db_status users_list(struct db *db, const char *org, const char *after, int most,
                          PGresult **users);
/* One row or none. */
enum db_status users_get(struct db *db, const char *org, const char *id, PGresult **user);
/* By address; DB_FAILED where there is none. */
enum db_status users_find(struct db *db, const char *org, const char *email, char id[37]);

#endif
