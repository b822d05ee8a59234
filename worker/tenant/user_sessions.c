#include "tenant/user_sessions.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ISO(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* What a session's claims are made of, of the tables s (session), u and o. */
#define CLAIMS                                                                                     \
    "s.id, CASE WHEN u.superadmin THEN coalesce(s.acting_org_id, s.org_id) ELSE s.org_id END,"     \
    " s.user_id, CASE WHEN u.superadmin THEN 'superadmin' ELSE u.role END,"                        \
    " (SELECT t.team_id FROM team_members t WHERE t.org_id = s.org_id AND t.user_id = s.user_id"   \
    "     AND t.is_active AND (s.acting_org_id IS NULL OR s.acting_org_id = s.org_id)),"           \
    " floor(extract(epoch FROM now()))::bigint, floor(extract(epoch FROM "                         \
    "s.access_until))::bigint,"                                                                    \
    " floor(extract(epoch FROM s.created_at))::bigint"
#define WHOSE                                                                                      \
    " u.org_id = s.org_id AND u.id = s.user_id AND u.status = 'active' AND o.status = 'active'"

static const struct db_statement lock_user = {
    "user_sessions_lock_user",
    "UPDATE users SET last_sign_in_at = now() WHERE org_id = $1 AND id = $2 AND status = 'active'"
    "   AND ($3::text IS NULL OR password_hash = $3) RETURNING id",
    3};
static const struct db_statement make_room = {
    "user_sessions_make_room",
    "UPDATE user_sessions SET ended_at = now(), ended_why = 'too many'"
    " WHERE org_id = $1 AND id IN (SELECT id FROM user_sessions"
    "   WHERE org_id = $1 AND user_id = $2 AND ended_at IS NULL"
    "   ORDER BY used_at DESC, id OFFSET $3) RETURNING " USER_SESSION_ENDED,
    3};
static const struct db_statement insert = {
    "user_sessions_insert",
    "WITH s AS (INSERT INTO user_sessions (org_id, user_id, nonce_sha256, address, agent,"
    "             access_until)"
    "           VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second') RETURNING *)"
    " SELECT " CLAIMS " FROM s, users u JOIN organizations o ON o.id = u.org_id WHERE" WHOSE,
    6};
static const struct db_statement home = {"user_sessions_home", "SELECT platform_session_org($1)",
                                         1};
/* Claims that are out there already stay good as long as they say. */
static const struct db_statement renew = {
    "user_sessions_renew",
    "UPDATE user_sessions s SET used_at = now(), nonce_sha256 = $4,"
    "   previous_sha256 = CASE WHEN s.nonce_sha256 = $3 THEN $3 ELSE s.previous_sha256 END,"
    "   access_until = greatest(s.access_until,"
    "                           least(now() + $5 * interval '1 second',"
    "                                 s.created_at + $6 * interval '1 second'))"
    "  FROM users u JOIN organizations o ON o.id = u.org_id"
    " WHERE s.org_id = $1 AND s.id = $2 AND $3 IN (s.nonce_sha256, s.previous_sha256)"
    "   AND s.ended_at IS NULL AND s.created_at > now() - $6 * interval '1 second'"
    "   AND s.access_until > now() - $7 * interval '1 second' AND" WHOSE " RETURNING " CLAIMS,
    7};
static const struct db_statement end_stolen = {
    "user_sessions_end_stolen",
    "UPDATE user_sessions SET ended_at = now(), ended_why = 'old claims came back'"
    " WHERE org_id = $1 AND id = $2 AND ended_at IS NULL AND nonce_sha256 <> $3"
    "   AND previous_sha256 IS DISTINCT FROM $3 RETURNING " USER_SESSION_ENDED,
    3};
static const struct db_statement act = {
    "user_sessions_act",
    "UPDATE user_sessions s SET acting_org_id = $3 FROM users u"
    " WHERE s.org_id = $1 AND s.id = $2 AND s.ended_at IS NULL"
    "   AND u.org_id = s.org_id AND u.id = s.user_id AND u.superadmin"
    "   AND ($3::uuid IS NULL OR EXISTS (SELECT FROM platform_organizations() p"
    "                                     WHERE p.org_id = $3::uuid)) RETURNING s.id",
    3};
static const struct db_statement end_one = {
    "user_sessions_end_one",
    "UPDATE user_sessions SET ended_at = now(), ended_why = $4"
    " WHERE org_id = $1 AND id = $3 AND ($2::uuid IS NULL OR user_id = $2::uuid)"
    "   AND ended_at IS NULL RETURNING " USER_SESSION_ENDED,
    4};
static const struct db_statement end_all = {
    "user_sessions_end_all",
    "UPDATE user_sessions SET ended_at = now(), ended_why = $4"
    " WHERE org_id = $1 AND user_id = $2 AND ended_at IS NULL"
    "   AND ($3::uuid IS NULL OR id <> $3::uuid) RETURNING " USER_SESSION_ENDED,
    4};
static const struct db_statement list = {
    "user_sessions_list",
    "SELECT s.id, s.address, s.agent, " ISO("s.created_at") ", " ISO(
        "s.used_at") "  FROM user_sessions s WHERE s.org_id = $1 AND s.user_id = $2 AND s.ended_at "
                     "IS NULL"
                     "   AND s.created_at > now() - $3 * interval '1 second'"
                     "   AND s.access_until > now() - $4 * interval '1 second'"
                     " ORDER BY s.created_at DESC, s.id LIMIT 100",
    4};

static const struct db_statement make_secret = {
    "sign_in_make_secret",
    "INSERT INTO platform_secrets (name, value) VALUES ('session_key', decode($1, 'hex'))"
    " ON CONFLICT (name) DO NOTHING",
    1};
static const struct db_statement read_secret = {
    "sign_in_read_secret",
    "SELECT encode(value, 'hex') FROM platform_secrets WHERE name = 'session_key'", 0};

enum db_status user_sessions_commit(struct db *db, enum db_status status, PGresult **ended)
{
    status = db_end(db, status);
    if (status != DB_OK) {
        PQclear(*ended);
        *ended = NULL;
    }
    return status;
}

static void new_nonce(char nonce[FD_SIGN_IN_NONCE_SIZE], char sha256[FD_SHA256_HEX_SIZE])
{
    fd_sign_in_nonce(nonce);
    fd_sha256_hex(sha256, nonce, strlen(nonce));
}

static void read_claims(const struct config *config, const PGresult *row,
                        struct user_session *session)
{
    const char *team = db_text(row, 0, 4);

    snprintf(session->id, sizeof(session->id), "%s", db_text(row, 0, 0));
    snprintf(session->org, sizeof(session->org), "%s", db_text(row, 0, 1));
    snprintf(session->user, sizeof(session->user), "%s", db_text(row, 0, 2));
    snprintf(session->role, sizeof(session->role), "%s", db_text(row, 0, 3));
    snprintf(session->team, sizeof(session->team), "%s", team != NULL ? team : "");
    session->issued = db_int(row, 0, 5, 0);
    session->expires = db_int(row, 0, 6, 0);
    session->ends = db_int(row, 0, 7, 0) + config->session_max_s;
}

/* In the open transaction. */
static enum db_status insert_session(struct db *db, const struct config *config,
                                     const struct user_session_new *from,
                                     struct user_session *session)
{
    char sha256[FD_SHA256_HEX_SIZE], access[DB_NUMBER_SIZE];
    const char *params[] = {from->org,   from->user,
                            sha256,      from->address,
                            from->agent, db_number(access, config->session_access_s)};
    PGresult *row;

    new_nonce(session->nonce, sha256);
    enum db_status status = db_exec(db, &insert, params, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 1) {
        read_claims(config, row, session);
    } else {
        db_explain(db, "the organisation is not active");
        status = DB_FAILED;
    }
    PQclear(row);
    return status;
}

enum db_status user_session_start(struct db *db, const struct config *config,
                                  const struct user_session_new *from, struct user_session *session,
                                  PGresult **ended)
{
    char room[DB_NUMBER_SIZE];
    const char *who[] = {from->org, from->user, from->hash};
    const char *whose[] = {from->org, from->user, db_number(room, USER_SESSIONS_MAX - 1)};
    PGresult *row = NULL;

    *ended = NULL;
    enum db_status status = db_begin(db, from->org);
    if (status == DB_OK)
        status = db_exec(db, &lock_user, who, &row);
    if (status == DB_OK && PQntuples(row) == 0) {
        db_explain(db, "there is no such active user");
        status = DB_FAILED;
    }
    PQclear(row);
    if (status == DB_OK)
        status = db_exec(db, &make_room, whose, ended);
    if (status == DB_OK)
        status = insert_session(db, config, from, session);
    return user_sessions_commit(db, status, ended);
}

enum db_status user_session_home(struct db *db, const char *id, char org[37])
{
    PGresult *result;

    enum db_status status = db_query(db, NULL, &home, &id, &result);
    if (status != DB_OK)
        return status;
    const char *found = db_text(result, 0, 0);
    if (found != NULL) {
        snprintf(org, 37, "%s", found);
    } else {
        db_explain(db, "there is no such session");
        status = DB_FAILED;
    }
    PQclear(result);
    return status;
}

enum db_status user_session_renew(struct db *db, const struct config *config, const char *id,
                                  const char *nonce, bool *alive, struct user_session *session,
                                  PGresult **ended)
{
    char org[37], given[FD_SHA256_HEX_SIZE], sha256[FD_SHA256_HEX_SIZE];
    char access[DB_NUMBER_SIZE], max[DB_NUMBER_SIZE], idle[DB_NUMBER_SIZE];
    PGresult *row = NULL;

    *alive = false;
    *ended = NULL;
    fd_sha256_hex(given, nonce, strlen(nonce));
    new_nonce(session->nonce, sha256);
    const char *params[] = {org,
                            id,
                            given,
                            sha256,
                            db_number(access, config->session_access_s),
                            db_number(max, config->session_max_s),
                            db_number(idle, config->session_idle_s)};
    enum db_status status = user_session_home(db, id, org);
    if (status == DB_FAILED && db_sqlstate(db)[0] == '\0')
        return DB_OK;
    if (status == DB_OK)
        status = db_query(db, org, &renew, params, &row);
    if (status == DB_OK && PQntuples(row) == 1) {
        read_claims(config, row, session);
        *alive = true;
    } else if (status == DB_OK) {
        status = db_query(db, org, &end_stolen, params, ended);
    }
    PQclear(row);
    return status;
}

enum db_status user_session_act(struct db *db, const char *id, const char *acting_org)
{
    char org[37];
    const char *params[] = {org, id, acting_org};
    PGresult *row;

    enum db_status status = user_session_home(db, id, org);
    if (status == DB_OK)
        status = db_query(db, org, &act, params, &row);
    if (status == DB_OK) {
        if (PQntuples(row) == 0) {
            db_explain(db, "there is no such organisation");
            status = DB_FAILED;
        }
        PQclear(row);
    }
    return status;
}

enum db_status user_session_end(struct db *db, const char *org, const char *user, const char *id,
                                const char *why, PGresult **ended)
{
    const char *params[] = {org, user, id, why};

    *ended = NULL;
    if (!fd_uuid_valid(id, strlen(id)))
        return DB_OK;
    return db_query(db, org, &end_one, params, ended);
}

enum db_status user_sessions_end(struct db *db, const char *org, const char *user,
                                 const char *except, const char *why, PGresult **ended)
{
    const char *params[] = {org, user, except, why};

    return db_query(db, org, &end_all, params, ended);
}

enum db_status user_sessions_end_in(struct db *db, const char *org, const char *user,
                                    const char *except, const char *why, PGresult **ended)
{
    const char *params[] = {org, user, except, why};

    return db_exec(db, &end_all, params, ended);
}

enum db_status user_sessions_list(struct db *db, const struct config *config, const char *org,
                                  const char *user, PGresult **sessions)
{
    char max[DB_NUMBER_SIZE], idle[DB_NUMBER_SIZE];
    const char *params[] = {org, user, db_number(max, config->session_max_s),
                            db_number(idle, config->session_idle_s)};

    return db_query(db, org, &list, params, sessions);
}

/* As publish.c does at the first synchronisation: whoever is first. */
static enum db_status make_session_key(struct db *db)
{
    unsigned char key[FD_SESSION_KEY_LEN];
    char hex[2 * FD_SESSION_KEY_LEN + 1];
    const char *param = hex;

    fd_random(key, sizeof(key));
    sodium_bin2hex(hex, sizeof(hex), key, sizeof(key));
    enum db_status status = db_query(db, NULL, &make_secret, &param, NULL);
    sodium_memzero(key, sizeof(key));
    sodium_memzero(hex, sizeof(hex));
    return status;
}

enum db_status sign_in_keys(struct db *db, struct fd_sign_in_keys *keys)
{
    unsigned char key[FD_SESSION_KEY_LEN];
    PGresult *result;
    size_t len = 0;

    enum db_status status = db_query(db, NULL, &read_secret, NULL, &result);
    if (status == DB_OK && PQntuples(result) == 0) {
        PQclear(result);
        status = make_session_key(db);
        if (status == DB_OK)
            status = db_query(db, NULL, &read_secret, NULL, &result);
    }
    if (status != DB_OK)
        return status;
    const char *found = db_text(result, 0, 0);
    if (found == NULL ||
        sodium_hex2bin(key, sizeof(key), found, strlen(found), NULL, &len, NULL) != 0 ||
        len != sizeof(key)) {
        db_explain(db, "the session key in platform_secrets is damaged");
        status = DB_FAILED;
    } else {
        fd_sign_in_derive(keys, key);
    }
    PQclear(result);
    sodium_memzero(key, sizeof(key));
    return status;
}
