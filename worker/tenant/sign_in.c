#include "tenant/sign_in.h"

#include "protocol/ids.h"
#include "tenant/password.h"
#include "tenant/users.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct db_statement try_one = {"sign_in_try", "SELECT sign_in_attempt($1, $2, $3)", 3};
static const struct db_statement forgive = {
    "sign_in_forgive",
    "UPDATE sign_in_attempts SET next_at = now(),"
    "       count = CASE WHEN $2 = 'all' THEN 0 ELSE greatest(count - 1, 0) END WHERE name = $1",
    2};
static const struct db_statement meant = {
    "sign_in_meant", "SELECT org_id, org_name, user_id, password_hash FROM platform_sign_in($1)",
    1};
static const struct db_statement rehash = {
    "sign_in_rehash",
    "UPDATE users SET password_hash = $3 WHERE org_id = $1 AND id = $2 AND password_hash = $4", 4};

static const struct db_statement make_reset = {
    "reset_make",
    "INSERT INTO password_resets (token_sha256, org_id, user_id, expires_at)"
    " SELECT $3, org_id, id, now() + $4 * interval '1 second' FROM users"
    "  WHERE org_id = $1 AND id = $2 AND status = 'active' RETURNING user_id",
    4};
static const struct db_statement find_reset = {"reset_find", "SELECT platform_reset_org($1)", 1};
static const struct db_statement read_reset = {
    "reset_read",
    "SELECT r.user_id FROM password_resets r JOIN users u ON u.org_id = r.org_id"
    "   AND u.id = r.user_id AND u.status = 'active'"
    " WHERE r.org_id = $1 AND r.token_sha256 = $2 AND r.used_at IS NULL AND r.expires_at > now()",
    2};
static const struct db_statement use_reset = {
    "reset_use",
    "UPDATE password_resets SET used_at = now()"
    " WHERE org_id = $1 AND token_sha256 = $2 AND used_at IS NULL AND expires_at > now()"
    " RETURNING user_id",
    2};

static const struct db_statement has_users = {"setup_has_users", "SELECT platform_has_users()", 0};
static const struct db_statement make_setup = {
    "setup_make", "INSERT INTO setup_tokens VALUES ($1, now() + $2 * interval '1 second')", 2};
static const struct db_statement run_setup = {
    "setup_run", "SELECT org_id, user_id FROM platform_setup($1, $2, $3, coalesce($4, ''), $5)", 5};

static enum db_status refuse(struct db *db, const char *why)
{
    db_explain(db, "%s", why);
    return DB_FAILED;
}

/* An IPv6 host has a whole /64 to itself: by address it would have as many tries as it
 * likes. */
static const char *network_of(const char *address, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr parsed;

    if (inet_pton(AF_INET6, address, &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed))
        return address;
    memset(&parsed.s6_addr[8], 0, 8);
    return inet_ntop(AF_INET6, &parsed, out, INET6_ADDRSTRLEN);
}

/* Of the name in lower case; its hash, as a table of addresses is worth stealing. */
static void subject_name(char out[FD_SHA256_HEX_SIZE], enum sign_in_subject subject,
                         const char *name)
{
    char text[USER_EMAIL_MAX + 16], network[INET6_ADDRSTRLEN];

    if (subject == SIGN_IN_ADDRESS)
        name = network_of(name, network);
    snprintf(text, sizeof(text), "%s:%s", subject == SIGN_IN_ACCOUNT ? "account" : "address", name);
    for (char *c = text; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    fd_sha256_hex(out, text, strlen(text));
}

enum db_status sign_in_try(struct db *db, enum sign_in_subject subject, const char *name,
                           int *wait_s)
{
    char sha256[FD_SHA256_HEX_SIZE], tries[DB_NUMBER_SIZE], most[DB_NUMBER_SIZE];
    bool account = subject == SIGN_IN_ACCOUNT;
    const char *params[] = {sha256,
                            db_number(tries, account ? ACCOUNT_FREE_TRIES : ADDRESS_FREE_TRIES),
                            db_number(most, account ? ACCOUNT_WAIT_MAX_S : ADDRESS_WAIT_MAX_S)};
    PGresult *result;

    subject_name(sha256, subject, name);
    enum db_status status = db_query(db, NULL, &try_one, params, &result);
    if (status == DB_OK) {
        *wait_s = (int)db_int(result, 0, 0, 0);
        PQclear(result);
    }
    return status;
}

/* The address gets back what this try cost, not what wrong ones did: an account of one's
 * own must not buy guesses at others'. */
enum db_status sign_in_forgive(struct db *db, enum sign_in_subject subject, const char *name)
{
    char sha256[FD_SHA256_HEX_SIZE];
    const char *params[] = {sha256, subject == SIGN_IN_ACCOUNT ? "all" : "one"};

    subject_name(sha256, subject, name);
    return db_query(db, NULL, &forgive, params, NULL);
}

static void renew_hash(struct db *db, const char *org, const char *user, const char *password,
                       const char *old)
{
    char hash[PASSWORD_HASH_SIZE];
    const char *params[] = {org, user, hash, old};

    if (password_hash(password, hash))
        db_query(db, org, &rehash, params, NULL);
}

enum db_status sign_in_check(struct db *db, const char *email, const char *password,
                             const char *organization, struct sign_in_found *found)
{
    PGresult *users;
    int tried = 0;

    found->count = 0;
    enum db_status status = db_query(db, NULL, &meant, &email, &users);
    if (status != DB_OK)
        return status;
    for (int row = 0; row < PQntuples(users) && found->count < SIGN_IN_MEANT_MAX; row++) {
        const char *org = db_text(users, row, 0), *name = db_text(users, row, 1);
        if (organization != NULL && strcasecmp(organization, org) != 0 &&
            strcmp(organization, name) != 0)
            continue;
        tried++;
        const char *hash = db_text(users, row, 3);
        if (!password_matches(password, hash))
            continue;
        if (password_outdated(hash))
            renew_hash(db, org, db_text(users, row, 2), password, hash);
        snprintf(found->at[found->count].org, 37, "%s", org);
        snprintf(found->at[found->count].name, sizeof(found->at[0].name), "%s", name);
        snprintf(found->at[found->count++].user, 37, "%s", db_text(users, row, 2));
    }
    if (tried == 0)
        password_matches(password, NULL);
    PQclear(users);
    return DB_OK;
}

static void make_token(char token[SIGN_IN_TOKEN_SIZE], char sha256[FD_SHA256_HEX_SIZE])
{
    unsigned char random[32];

    fd_random(random, sizeof(random));
    sodium_bin2base64(token, SIGN_IN_TOKEN_SIZE, random, sizeof(random),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    fd_sha256_hex(sha256, token, strlen(token));
    sodium_memzero(random, sizeof(random));
}

enum db_status reset_token_make(struct db *db, const char *org, const char *user,
                                char token[SIGN_IN_TOKEN_SIZE])
{
    char sha256[FD_SHA256_HEX_SIZE], life[DB_NUMBER_SIZE];
    const char *params[] = {org, user, sha256, db_number(life, RESET_LIFE_S)};
    PGresult *result;

    if (!fd_uuid_valid(user, strlen(user)))
        return refuse(db, "there is no such user");
    make_token(token, sha256);
    enum db_status status = db_query(db, org, &make_reset, params, &result);
    if (status != DB_OK)
        return status;
    if (PQntuples(result) == 0)
        status = refuse(db, "there is no such active user");
    PQclear(result);
    return status;
}

/* The organisation and the user of a token that is good. */
static enum db_status find_token(struct db *db, const char *sha256, char org[37], char user[37])
{
    const char *params[] = {org, sha256};
    PGresult *result;

    enum db_status status = db_query(db, NULL, &find_reset, &sha256, &result);
    if (status != DB_OK)
        return status;
    const char *home = db_text(result, 0, 0);
    snprintf(org, 37, "%s", home != NULL ? home : "");
    PQclear(result);
    if (org[0] == '\0')
        return refuse(db, "token: it is unknown, used or older than an hour");
    status = db_query(db, org, &read_reset, params, &result);
    if (status != DB_OK)
        return status;
    if (PQntuples(result) == 1)
        snprintf(user, 37, "%s", db_text(result, 0, 0));
    else
        status = refuse(db, "token: it is unknown, used or older than an hour");
    PQclear(result);
    return status;
}

enum db_status reset_password(struct db *db, const char *token, const char *password, char org[37],
                              char user[37])
{
    char sha256[FD_SHA256_HEX_SIZE];
    const char *params[] = {org, sha256};
    PGresult *row;

    fd_sha256_hex(sha256, token, strlen(token));
    enum db_status status = find_token(db, sha256, org, user);
    if (status != DB_OK)
        return status;
    PGresult *whose;
    status = users_get(db, org, user, &whose);
    if (status != DB_OK)
        return status;
    const char *fault = PQntuples(whose) == 1
                            ? password_fault(password, db_text(whose, 0, USER_EMAIL))
                            : "there is no such user";
    PQclear(whose);
    if (fault != NULL) {
        db_explain(db, "password: %s", fault);
        return DB_FAILED;
    }
    status = db_query(db, org, &use_reset, params, &row);
    if (status != DB_OK)
        return status;
    bool taken = PQntuples(row) == 0;
    PQclear(row);
    return taken ? refuse(db, "token: it is unknown, used or older than an hour")
                 : users_set_password(db, org, user, password);
}

enum db_status setup_open(struct db *db, bool *open)
{
    PGresult *result;

    enum db_status status = db_query(db, NULL, &has_users, NULL, &result);
    if (status == DB_OK) {
        *open = !db_true(result, 0, 0);
        PQclear(result);
    }
    return status;
}

enum db_status setup_token_make(struct db *db, char token[SIGN_IN_TOKEN_SIZE])
{
    char sha256[FD_SHA256_HEX_SIZE], life[DB_NUMBER_SIZE];
    const char *params[] = {sha256, db_number(life, SETUP_LIFE_S)};
    bool open;

    enum db_status status = setup_open(db, &open);
    if (status == DB_OK && !open)
        status = refuse(db, "there are users already: their owner makes others");
    if (status != DB_OK)
        return status;
    make_token(token, sha256);
    return db_query(db, NULL, &make_setup, params, NULL);
}

enum db_status setup_run(struct db *db, const struct setup *setup, bool *done, char org[37],
                         char user[37])
{
    char sha256[FD_SHA256_HEX_SIZE], hash[PASSWORD_HASH_SIZE];
    PGresult *row;

    *done = false;
    if (!user_email_valid(setup->email))
        return refuse(db, "email: an e-mail address would be right");
    const char *fault = password_fault(setup->password, setup->email);
    if (fault != NULL) {
        db_explain(db, "password: %s", fault);
        return DB_FAILED;
    }
    if (!password_hash(setup->password, hash))
        return DB_BUSY;
    fd_sha256_hex(sha256, setup->token, strlen(setup->token));
    const char *params[] = {sha256, setup->organization, setup->email, setup->name, hash};
    enum db_status status = db_query(db, NULL, &run_setup, params, &row);
    if (status != DB_OK)
        return status;
    *done = PQntuples(row) == 1;
    if (*done) {
        snprintf(org, 37, "%s", db_text(row, 0, 0));
        snprintf(user, 37, "%s", db_text(row, 0, 1));
    }
    PQclear(row);
    return DB_OK;
}
