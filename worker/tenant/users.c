#include "tenant/users.h"

#include "protocol/ids.h"
#include "protocol/json.h"
#include "tenant/password.h"

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
    " VALUES ($1, $2, coalesce($3, ''), $4, $5, CASE WHEN $5::text IS NOT NULL THEN now() END)"
    " RETURNING id",
    5};
/* The organisation's row first: two demotions at once must not leave it without an owner. */
static const struct db_statement lock_org = {
    "users_lock_org", "SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE", 1};
static const struct db_statement read_role = {
    "users_read_role",
    "SELECT CASE WHEN superadmin THEN 'superadmin' ELSE role END FROM users"
    " WHERE org_id = $1 AND id = $2 FOR UPDATE",
    2};
static const struct db_statement change_user = {
    "users_change",
    "UPDATE users SET name = coalesce($3, name), role = coalesce($4, role),"
    "                 status = coalesce($5, status)"
    " WHERE org_id = $1 AND id = $2",
    5};
static const struct db_statement count_owners = {
    "users_count_owners",
    "SELECT count(*) FROM users WHERE org_id = $1 AND role = 'owner' AND status = 'active'", 1};
static const struct db_statement set_password = {
    "users_set_password",
    "WITH void AS (UPDATE password_resets SET used_at = now()"
    "  WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL)"
    " UPDATE users SET password_hash = $3, password_changed_at = now()"
    "  WHERE org_id = $1 AND id = $2",
    3};
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

static enum db_status end_transaction(struct db *db, enum db_status status)
{
    if (status == DB_OK)
        status = db_commit(db);
    if (status != DB_OK)
        db_rollback(db);
    return status;
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
    if (status == DB_OK) {
        snprintf(id, 37, "%s", db_text(result, 0, 0));
        PQclear(result);
    }
    return status;
}

/* In the open transaction: is there such a user, whom this rank may change? */
static enum db_status check_user(struct db *db, const char *org, const char *id, int rank,
                                 bool *owner)
{
    const char *params[] = {org, id};
    PGresult *result;

    enum db_status status = db_exec(db, &lock_org, params, NULL);
    if (status == DB_OK)
        status = db_exec(db, &read_role, params, &result);
    if (status != DB_OK)
        return status;
    int found = PQntuples(result) == 1 ? user_role_rank(db_text(result, 0, 0)) : -1;
    PQclear(result);
    if (found == -1)
        return refuse(db, "there is no such user");
    *owner = found >= RANK_OWNER;
    return found <= rank ? DB_OK
                         : refuse(db, "role: nobody changes a user whose role is above their own");
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

enum db_status users_change(struct db *db, const char *org, const char *id,
                            const struct user_change *change, int rank)
{
    const char *params[] = {org, id, change->name, change->role, change->status};

    bool owner = false;

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
        status = check_user(db, org, id, rank, &owner);
    if (status == DB_OK)
        status = db_exec(db, &change_user, params, NULL);
    if (status == DB_OK && owner)
        status = check_owner(db, org);
    return end_transaction(db, status);
}

enum db_status users_set_password(struct db *db, const char *org, const char *id,
                                  const char *password)
{
    char hash[PASSWORD_HASH_SIZE];
    const char *params[] = {org, id, hash};
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
    if (!password_hash(password, hash))
        return DB_BUSY;
    return db_query(db, org, &set_password, params, NULL);
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
