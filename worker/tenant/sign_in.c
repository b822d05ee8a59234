#include "tenant/sign_in.h"

#include "tenant/organization.h"
#include "tenant/users.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct db_statement try_one = {
    "sign_in_try", "SELECT sign_in_attempt(sign_in_name($1, $2), $3, $4)", 4};
static const struct db_statement forgive = {
    "sign_in_forgive",
    "UPDATE sign_in_attempts SET next_at = now(), count = greatest(count - 1, 0)"
    " WHERE name = sign_in_name($1, $2)",
    2};
static const struct db_statement meant = {
    "sign_in_meant",
    "SELECT org_id, org_name, user_id, password_hash FROM platform_sign_in($1, $2)", 2};
static const struct db_statement failed = {"sign_in_failed",
                                           "SELECT platform_sign_in_failed($1, $2, $3, $4)", 4};
static const struct db_statement read_hash = {
    "sign_in_read_hash",
    "SELECT password_hash FROM users WHERE org_id = $1 AND id = $2 AND status = 'active'", 2};
static const struct db_statement rehash = {
    "sign_in_rehash",
    "UPDATE users SET password_hash = $3 WHERE org_id = $1 AND id = $2 AND password_hash = $4"
    " RETURNING id",
    4};

static const struct db_statement make_reset = {
    "reset_make",
    "WITH older AS (UPDATE password_resets SET used_at = now()"
    "                WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL)"
    " INSERT INTO password_resets (token_sha256, org_id, user_id, expires_at, mailed)"
    " SELECT $3, org_id, id, now() + $4 * interval '1 second', $5::boolean FROM users"
    "  WHERE org_id = $1 AND id = $2 AND status = 'active' RETURNING user_id",
    5};
static const struct db_statement may_mail = {
    "reset_may_mail",
    "SELECT 1 FROM password_resets WHERE org_id = $1 AND user_id = $2 AND mailed"
    "   AND created_at > now() - interval '1 hour' HAVING count(*) < $3::int",
    3};
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

static const struct db_statement forget_tokens = {"sign_in_forget_tokens",
                                                  "SELECT platform_forget_tokens()", 0};

static const struct db_statement has_users = {"setup_has_users", "SELECT platform_has_users()", 0};
static const struct db_statement make_setup = {
    "setup_make", "INSERT INTO setup_tokens VALUES ($1, now() + $2 * interval '1 second')", 2};
static const struct db_statement run_setup = {
    "setup_run", "SELECT org_id, user_id FROM platform_setup($1, $2, $3, coalesce($4, ''), $5)", 5};

#define BAD_TOKEN "token: it is unknown, used or older than an hour"

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

/* Of IPv4 a /24: its neighbours are rarely others. */
const char *sign_in_from(struct arena *a, const char *email, const char *address)
{
    char network[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (strncasecmp(address, "::ffff:", 7) == 0)
        address += 7;
    if (inet_pton(AF_INET, address, &v4) != 1)
        return arena_printf(a, "%s %s", email, network_of(address, network));
    v4.s_addr &= htonl(0xffffff00);
    return arena_printf(a, "%s %s", email, inet_ntop(AF_INET, &v4, network, sizeof(network)));
}

struct throttle {
    const char *kind;
    int free_tries, wait_max_s;
};

static const struct throttle throttles[] = {
    [SIGN_IN_ACCOUNT] = {"account", ACCOUNT_FREE_TRIES, ACCOUNT_WAIT_MAX_S},
    [SIGN_IN_ANYWHERE] = {"anywhere", ANYWHERE_FREE_TRIES, ANYWHERE_WAIT_MAX_S},
    [SIGN_IN_ADDRESS] = {"address", ADDRESS_FREE_TRIES, ADDRESS_WAIT_MAX_S},
    [SIGN_IN_USER] = {"user", ACCOUNT_FREE_TRIES, ACCOUNT_WAIT_MAX_S},
    [SIGN_IN_FORGOT] = {"forgot", ACCOUNT_FREE_TRIES, ACCOUNT_WAIT_MAX_S},
};

enum db_status sign_in_try(struct db *db, enum sign_in_subject subject, const char *name,
                           int *wait_s)
{
    char tries[DB_NUMBER_SIZE], most[DB_NUMBER_SIZE], network[INET6_ADDRSTRLEN];
    const struct throttle *throttle = &throttles[subject];
    const char *params[] = {
        throttle->kind, subject == SIGN_IN_ADDRESS ? network_of(name, network) : name,
        db_number(tries, throttle->free_tries), db_number(most, throttle->wait_max_s)};
    PGresult *result;

    enum db_status status = db_query(db, NULL, &try_one, params, &result);
    if (status == DB_OK) {
        *wait_s = (int)db_int(result, 0, 0, 0);
        PQclear(result);
    }
    return status;
}

enum db_status sign_in_forgive(struct db *db, enum sign_in_subject subject, const char *name)
{
    char network[INET6_ADDRSTRLEN];
    const char *params[] = {throttles[subject].kind,
                            subject == SIGN_IN_ADDRESS ? network_of(name, network) : name};

    return db_query(db, NULL, &forgive, params, NULL);
}

/* `hash` stays what the row holds. */
static void renew_hash(struct db *db, const char *org, const char *user, const char *password,
                       char hash[PASSWORD_HASH_SIZE])
{
    char fresh[PASSWORD_HASH_SIZE];
    const char *params[] = {org, user, fresh, hash};
    PGresult *row;

    if (!password_hash(password, fresh) || db_query(db, org, &rehash, params, &row) != DB_OK)
        return;
    if (PQntuples(row) == 1)
        memcpy(hash, fresh, sizeof(fresh));
    PQclear(row);
}

enum db_status sign_in_check(struct db *db, const char *email, const char *password,
                             const char *organization, struct sign_in_found *found)
{
    const char *params[] = {email, organization};
    PGresult *users;

    found->count = 0;
    enum db_status status = db_query(db, NULL, &meant, params, &users);
    if (status != DB_OK)
        return status;
    for (int row = 0; row < PQntuples(users) && found->count < SIGN_IN_MEANT_MAX; row++) {
        const char *org = db_text(users, row, 0), *user = db_text(users, row, 2);
        const char *hash = db_text(users, row, 3);
        if (!password_matches(password, hash))
            continue;
        snprintf(found->at[found->count].org, 37, "%s", org);
        snprintf(found->at[found->count].name, sizeof(found->at[0].name), "%s",
                 db_text(users, row, 1));
        snprintf(found->at[found->count].user, 37, "%s", user);
        snprintf(found->at[found->count].hash, sizeof(found->at[0].hash), "%s", hash);
        if (password_outdated(hash))
            renew_hash(db, org, user, password, found->at[found->count].hash);
        found->count++;
    }
    if (PQntuples(users) == 0)
        password_matches(password, NULL);
    PQclear(users);
    return DB_OK;
}

enum db_status sign_in_note_failure(struct db *db, const char *email, const char *organization,
                                    const char *address, const char *request_id)
{
    const char *params[] = {email, organization, address, request_id};

    return db_query_unhurried(db, NULL, &failed, params, NULL);
}

enum db_status sign_in_proves(struct db *db, const char *org, const char *user,
                              const char *password, bool *right)
{
    const char *params[] = {org, user};
    PGresult *row;

    *right = false;
    enum db_status status = db_query(db, org, &read_hash, params, &row);
    if (status == DB_OK) {
        *right = PQntuples(row) == 1 && password_matches(password, db_text(row, 0, 0));
        PQclear(row);
    }
    return status;
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

/* In the open transaction; refuses where it returns no row. */
static enum db_status one_row(struct db *db, const struct db_statement *statement,
                              const char *const *params, const char *why)
{
    PGresult *row;

    enum db_status status = db_exec(db, statement, params, &row);
    if (status != DB_OK)
        return status;
    bool none = PQntuples(row) == 0;
    PQclear(row);
    return none ? refuse(db, why) : DB_OK;
}

static enum db_status make_reset_token(struct db *db, const char *org, const char *user, int rank,
                                       bool mailed, char token[SIGN_IN_TOKEN_SIZE])
{
    char sha256[FD_SHA256_HEX_SIZE], life[DB_NUMBER_SIZE], most[DB_NUMBER_SIZE];
    const char *params[] = {org, user, sha256, db_number(life, RESET_LIFE_S),
                            mailed ? "true" : "false"};
    const char *mails[] = {org, user, db_number(most, RESET_MAILS_AN_HOUR)};
    struct user_standing standing;

    make_token(token, sha256);
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = users_lock(db, org, user, rank, &standing);
    if (status == DB_OK && mailed)
        status = one_row(db, &may_mail, mails, "the user was sent enough of them in this hour");
    if (status == DB_OK)
        status = one_row(db, &make_reset, params, "there is no such active user");
    return db_end(db, status);
}

enum db_status reset_token_make(struct db *db, const char *org, const char *user, int rank,
                                char token[SIGN_IN_TOKEN_SIZE])
{
    return fd_uuid_valid(user, strlen(user)) ? make_reset_token(db, org, user, rank, false, token)
                                             : refuse(db, "there is no such user");
}

enum db_status reset_token_mail(struct db *db, const char *org, const char *user,
                                char token[SIGN_IN_TOKEN_SIZE])
{
    return make_reset_token(db, org, user, user_role_rank("superadmin"), true, token);
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
        return refuse(db, BAD_TOKEN);
    status = db_query(db, org, &read_reset, params, &result);
    if (status != DB_OK)
        return status;
    if (PQntuples(result) == 1)
        snprintf(user, 37, "%s", db_text(result, 0, 0));
    else
        status = refuse(db, BAD_TOKEN);
    PQclear(result);
    return status;
}

enum db_status reset_password(struct db *db, const char *token, const char *password, char org[37],
                              char user[37], PGresult **ended)
{
    char sha256[FD_SHA256_HEX_SIZE], hash[PASSWORD_HASH_SIZE];
    const char *params[] = {org, sha256};

    *ended = NULL;
    fd_sha256_hex(sha256, token, strlen(token));
    enum db_status status = find_token(db, sha256, org, user);
    if (status == DB_OK)
        status = users_hash_password(db, org, user, password, hash);
    if (status != DB_OK)
        return status;
    status = db_begin(db, org);
    if (status == DB_OK)
        status = users_put_hash(db, org, user, hash);
    if (status == DB_OK)
        status = one_row(db, &use_reset, params, BAD_TOKEN);
    if (status == DB_OK)
        status = users_end_access(db, org, user, NULL, "password reset", ended);
    status = db_end(db, status);
    if (status != DB_OK) {
        PQclear(*ended);
        *ended = NULL;
    }
    return status;
}

enum db_status sign_in_forget_tokens(struct db *db)
{
    return db_query(db, NULL, &forget_tokens, NULL, NULL);
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

/* In the open transaction. */
static enum db_status set_up(struct db *db, const char *const params[5], bool *done,
                             struct setup_made *made)
{
    PGresult *row;

    enum db_status status = db_exec(db, &run_setup, params, &row);
    if (status != DB_OK)
        return status;
    *done = PQntuples(row) == 1;
    if (*done) {
        snprintf(made->org, sizeof(made->org), "%s", db_text(row, 0, 0));
        snprintf(made->user, sizeof(made->user), "%s", db_text(row, 0, 1));
        status = db_enter(db, made->org);
    }
    PQclear(row);
    return *done && status == DB_OK ? organization_equip(db, made->org, made->key) : status;
}

static enum db_status check_setup(struct db *db, const struct setup *setup)
{
    const char *field = "organization", *fault = organization_name_fault(setup->organization);

    if (!user_email_valid(setup->email))
        return refuse(db, "email: an e-mail address would be right");
    if (fault == NULL) {
        field = "password";
        fault = password_fault(setup->password, setup->email);
    }
    if (fault == NULL)
        return DB_OK;
    db_explain(db, "%s: %s", field, fault);
    return DB_FAILED;
}

enum db_status setup_run(struct db *db, const struct setup *setup, bool *done,
                         struct setup_made *made)
{
    char sha256[FD_SHA256_HEX_SIZE], hash[PASSWORD_HASH_SIZE];
    const char *params[] = {sha256, setup->organization, setup->email, setup->name, hash};

    *done = false;
    enum db_status status = check_setup(db, setup);
    if (status != DB_OK)
        return status;
    if (!password_hash(setup->password, hash))
        return DB_BUSY;
    fd_sha256_hex(sha256, setup->token, strlen(setup->token));
    status = db_begin(db, NULL);
    if (status == DB_OK)
        status = set_up(db, params, done, made);
    return db_end(db, status);
}
