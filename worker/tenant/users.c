#include "tenant/users.h"

#include "protocol/ids.h"
#include "protocol/json.h"
#include "tenant/bounds.h"
#include "tenant/user_sessions.h"

#include <stdio.h>
#include <string.h>

static const char *const roles[] = {"client", "staff", "admin", "owner", "superadmin"};

#define RANK_OWNER  3
#define ISO(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define COLUMNS                                                                                    \
    "id, email, name, role, status, superadmin, " ISO("created_at") ", " ISO(                      \
        "last_sign_in_at") ", password_hash IS NOT NULL"

static const struct db_statement insert = {
    "users_insert",
    "INSERT INTO users (org_id, email, name, role, password_hash, password_changed_at)"
    " SELECT $1, $2, coalesce($3, ''), $4, $5, CASE WHEN $5::text IS NOT NULL THEN now() END"
    "  WHERE (SELECT count(*) FROM users WHERE org_id = $1) < " BOUND_TEXT(
        BOUND_USERS) " RETURNING id",
    5};
/* The organisation's row first: two demotions at once must not leave it without an owner. */
static const struct db_statement lock_org = {
    "users_lock_org", "SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE", 1};
static const struct db_statement lock_user = {
    "users_lock",
    "SELECT CASE WHEN superadmin THEN 'superadmin' ELSE role END, role, status,"
    "       role = 'owner' AND status = 'active' AND password_hash IS NOT NULL"
    "  FROM users WHERE org_id = $1 AND id = $2 FOR UPDATE",
    2};
static const struct db_statement change_user = {
    "users_change",
    "UPDATE users SET name = coalesce($3, name), role = coalesce($4, role),"
    "                 status = coalesce($5, status)"
    " WHERE org_id = $1 AND id = $2",
    5};
static const struct db_statement count_owners = {
    "users_count_owners",
    "SELECT count(*) FROM users WHERE org_id = $1 AND role = 'owner' AND status = 'active'"
    "   AND password_hash IS NOT NULL",
    1};
static const struct db_statement put_hash = {
    "users_put_hash",
    "UPDATE users SET password_hash = $3, password_changed_at = now()"
    " WHERE org_id = $1 AND id = $2",
    3};
static const struct db_statement void_resets = {
    "users_void_resets",
    "UPDATE password_resets SET used_at = now()"
    " WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL",
    2};
static const struct db_statement list = {
    "users_list",
    "SELECT " COLUMNS " FROM users"
    " WHERE org_id = $1 AND ($2::uuid IS NULL OR (created_at, id) >"
    "         (SELECT created_at, id FROM users WHERE org_id = $1 AND id = $2::uuid))"
    " ORDER BY created_at, id LIMIT $3",
    3};
static const struct db_statement get = {
    "users_get", "SELECT " COLUMNS " FROM users WHERE org_id = $1 AND id = $2", 2};
static const struct db_statement find = {
    "users_find", "SELECT id FROM users WHERE org_id = $1 AND lower(email) = lower($2)", 2};

int user_role_rank(const char *role)
{
    for (int rank = 0; role != NULL && rank < (int)(sizeof(roles) / sizeof(roles[0])); rank++) {
        if (strcmp(role, roles[rank]) == 0)
            return rank;
    }
    return -1;
}

bool user_email_valid(const char *email)
{
    size_t len = strlen(email), name = strcspn(email, "@");

    if (len > USER_EMAIL_MAX || !fd_utf8_valid(email, len) || name == 0 || email[name] != '@' ||
        email[name + 1] == '\0' || strchr(email + name + 1, '@') != NULL)
        return false;
    for (const unsigned char *c = (const unsigned char *)email; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7F || *c == ',' || *c == ';' || *c == '<' || *c == '>')
            return false;
    }
    return true;
}

static enum db_status refuse(struct db *db, const char *why)
{
    db_explain(db, "%s", why);
    return DB_FAILED;
}

static enum db_status refuse_password(struct db *db, const char *fault)
{
    db_explain(db, "password: %s", fault);
    return DB_FAILED;
}

static enum db_status check_role(struct db *db, const char *role, int rank)
{
    int wanted = user_role_rank(role);

    if (wanted < 0 || wanted > RANK_OWNER)
        return refuse(db, "role: owner, admin, staff or client would be right");
    return wanted <= rank ? DB_OK : refuse(db, "role: nobody gives a role above their own");
}

enum db_status users_create(struct db *db, const struct user_new *user, int rank, char id[37])
{
    char hash[PASSWORD_HASH_SIZE];
    PGresult *result;

    if (!user_email_valid(user->email))
        return refuse(db, "email: an e-mail address would be right");
    enum db_status status = check_role(db, user->role, rank);
    if (status != DB_OK)
        return status;
    if (user->password != NULL) {
        const char *fault = password_fault(user->password, user->email);
        if (fault != NULL)
            return refuse_password(db, fault);
        if (!password_hash(user->password, hash))
            return DB_BUSY;
    }
    const char *params[] = {user->org, user->email, user->name, user->role,
                            user->password != NULL ? hash : NULL};
    status = db_query(db, user->org, &insert, params, &result);
    if (status != DB_OK)
        return status;
    bool made = PQntuples(result) == 1;
    if (made)
        snprintf(id, 37, "%s", db_text(result, 0, 0));
    PQclear(result);
    return made ? DB_OK : bound_reached(db, BOUND_USERS, "users");
}

enum db_status users_lock(struct db *db, const char *org, const char *id, int rank,
                          struct user_standing *user)
{
    const char *params[] = {org, id};
    PGresult *row;

    enum db_status status = db_exec(db, &lock_user, params, &row);
    if (status != DB_OK)
        return status;
    int found = PQntuples(row) == 1 ? user_role_rank(db_text(row, 0, 0)) : -1;
    if (found == -1) {
        status = refuse(db, "there is no such user");
    } else if (found > rank) {
        status = refuse(db, "role: nobody changes a user whose role is above their own");
    } else {
        snprintf(user->role, sizeof(user->role), "%s", db_text(row, 0, 1));
        snprintf(user->status, sizeof(user->status), "%s", db_text(row, 0, 2));
        user->owner = db_true(row, 0, 3);
    }
    PQclear(row);
    return status;
}

enum db_status users_put_hash(struct db *db, const char *org, const char *id, const char *hash)
{
    const char *params[] = {org, id, hash};

    return db_exec(db, &put_hash, params, NULL);
}

enum db_status users_end_access(struct db *db, const char *org, const char *id, const char *except,
                                const char *why, PGresult **ended)
{
    const char *params[] = {org, id};

    enum db_status status = db_exec(db, &void_resets, params, NULL);
    return status == DB_OK ? user_sessions_end_in(db, org, id, except, why, ended) : status;
}

static enum db_status check_owner(struct db *db, const char *org)
{
    PGresult *result;

    enum db_status status = db_exec(db, &count_owners, &org, &result);
    if (status == DB_OK) {
        if (db_int(result, 0, 0, 0) == 0)
            status = refuse(db, "role: an organisation has at least one owner who can sign in");
        PQclear(result);
    }
    return status;
}

static bool differs(const char *given, const char *was)
{
    return given != NULL && strcmp(given, was) != 0;
}

enum db_status users_change(struct db *db, const char *org, const char *id,
                            const struct user_change *change, int rank, PGresult **ended)
{
    const char *params[] = {org, id, change->name, change->role, change->status};
    struct user_standing was = {0};

    *ended = NULL;
    if (!fd_uuid_valid(id, strlen(id)))
        return refuse(db, "there is no such user");
    if (change->status != NULL && strcmp(change->status, "active") != 0 &&
        strcmp(change->status, "disabled") != 0)
        return refuse(db, "status: active or disabled would be right");
    enum db_status status = change->role != NULL ? check_role(db, change->role, rank) : DB_OK;
    if (status != DB_OK)
        return status;
    status = db_begin(db, org);
    if (status == DB_OK)
        status = db_exec(db, &lock_org, params, NULL);
    if (status == DB_OK)
        status = users_lock(db, org, id, rank, &was);
    if (status == DB_OK)
        status = db_exec(db, &change_user, params, NULL);
    if (status == DB_OK && was.owner)
        status = check_owner(db, org);
    if (status == DB_OK && (differs(change->role, was.role) || differs(change->status, was.status)))
        status = users_end_access(db, org, id, NULL, "role or status changed", ended);
    return user_sessions_commit(db, status, ended);
}

enum db_status users_hash_password(struct db *db, const char *org, const char *id,
                                   const char *password, char hash[PASSWORD_HASH_SIZE])
{
    PGresult *user;

    enum db_status status = users_get(db, org, id, &user);
    if (status != DB_OK)
        return status;
    if (PQntuples(user) == 0)
        status = refuse(db, "there is no such user");
    const char *fault =
        status == DB_OK ? password_fault(password, db_text(user, 0, USER_EMAIL)) : NULL;
    PQclear(user);
    if (fault != NULL)
        status = refuse_password(db, fault);
    if (status != DB_OK)
        return status;
    return password_hash(password, hash) ? DB_OK : DB_BUSY;
}

enum db_status users_set_password(struct db *db, const char *org, const char *id,
                                  const char *password, const char *except, PGresult **ended)
{
    char hash[PASSWORD_HASH_SIZE];

    *ended = NULL;
    enum db_status status = users_hash_password(db, org, id, password, hash);
    if (status != DB_OK)
        return status;
    status = db_begin(db, org);
    if (status == DB_OK)
        status = users_put_hash(db, org, id, hash);
    if (status == DB_OK)
        status = users_end_access(db, org, id, except, "password changed", ended);
    return user_sessions_commit(db, status, ended);
}

enum db_status users_list(struct db *db, const char *org, const char *after, int most,
                          PGresult **users)
{
    char rows[DB_NUMBER_SIZE];
    const char *params[] = {org, after, db_number(rows, most)};

    return db_query(db, org, &list, params, users);
}

enum db_status users_get(struct db *db, const char *org, const char *id, PGresult **user)
{
    const char *params[] = {org, id};

    *user = NULL;
    if (!fd_uuid_valid(id, strlen(id)))
        return refuse(db, "there is no such user");
    return db_query(db, org, &get, params, user);
}

enum db_status users_find(struct db *db, const char *org, const char *email, char id[37])
{
    const char *params[] = {org, email};
    PGresult *result;

    enum db_status status = db_query(db, org, &find, params, &result);
    if (status != DB_OK)
        return status;
    if (PQntuples(result) == 1)
        snprintf(id, 37, "%s", db_text(result, 0, 0));
    else
        status = refuse(db, "there is no user with this e-mail address");
    PQclear(result);
    return status;
}
