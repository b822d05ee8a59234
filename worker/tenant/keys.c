#include "tenant/keys.h"

#include "core/buf.h"
#include "tenant/bounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINS_MAX 50

/* Locks the organisation's row first, so that changes of its keys take turns. */
static const struct db_statement bump = {
    "keys_bump",
    "UPDATE organizations SET generation = generation + 1 WHERE id = $1 RETURNING status", 1};
static const struct db_statement insert = {
    "keys_insert",
    "INSERT INTO api_keys (org_id, name, kind, key_sha256, last4, origins, rotated_from, scope)"
    " SELECT $1, $2, $3, $4, $5, ARRAY(SELECT jsonb_array_elements_text($6::jsonb)), $7::uuid, $8"
    "  WHERE (SELECT count(*) FROM api_keys WHERE org_id = $1 AND revoked_at IS NULL"
    "            AND (expires_at IS NULL OR expires_at > now()))"
    "      < CASE WHEN $7::uuid IS NULL THEN " BOUND_TEXT(BOUND_KEYS) " ELSE " BOUND_TEXT(
        BOUND_ROTATED) " END"
                       " RETURNING id",
    8};
static const struct db_statement find_live = {
    "keys_find_live",
    "SELECT name, kind, array_to_json(origins), scope FROM api_keys"
    " WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL"
    "   AND (expires_at IS NULL OR expires_at > now())",
    2};
static const struct db_statement expire = {
    "keys_expire",
    "UPDATE api_keys SET"
    "   revoked_at = CASE WHEN $3::bigint = 0 THEN now() END,"
    "   expires_at = CASE WHEN $3::bigint > 0 THEN"
    "     least(expires_at, now() + $3::bigint * interval '1 second') ELSE expires_at END"
    " WHERE org_id = $1 AND id = $2",
    3};
static const struct db_statement revoke = {
    "keys_revoke",
    "UPDATE api_keys SET revoked_at = now()"
    " WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING key_sha256",
    2};

#define SELECT_KEYS                                                                                \
    "SELECT id, name, kind, last4, array_to_string(origins, ' '),"                                 \
    "       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"             \
    "       to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"             \
    "       CASE WHEN revoked_at IS NOT NULL THEN 'revoked'"                                       \
    "            WHEN expires_at <= now() THEN 'expired'"                                          \
    "            WHEN expires_at IS NOT NULL THEN 'expiring' ELSE 'live' END, scope"               \
    "  FROM api_keys"

static const struct db_statement get = {"keys_get", SELECT_KEYS " WHERE org_id = $1 AND id = $2",
                                        2};
static const struct db_statement list = {
    "keys_list",
    SELECT_KEYS
    " WHERE org_id = $1 AND ($2::uuid IS NULL OR (created_at, id) >"
    "         (SELECT created_at, id FROM api_keys WHERE org_id = $1 AND id = $2::uuid))"
    " ORDER BY created_at, id LIMIT $3",
    3};

static const struct db_statement set_origins = {
    "keys_set_origins",
    "UPDATE api_keys SET origins = o.list"
    "  FROM (SELECT ARRAY(SELECT jsonb_array_elements_text($3::jsonb)) AS list) o"
    " WHERE org_id = $1 AND id = $2 AND kind = 'pk' AND revoked_at IS NULL"
    "   AND origins <> o.list",
    3};

static const struct db_statement change_key = {
    "keys_change",
    "UPDATE api_keys SET name = coalesce($3, name), origins = CASE WHEN $4::jsonb IS NULL"
    "       THEN origins ELSE ARRAY(SELECT jsonb_array_elements_text($4::jsonb)) END"
    " WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL"
    "   AND (expires_at IS NULL OR expires_at > now()) RETURNING kind",
    4};

static enum db_status refuse(struct db *db, const char *why)
{
    db_explain(db, "%s", why);
    return DB_FAILED;
}

static enum db_status check_origins(struct db *db, const char *const *origins, size_t count)
{
    char why[128];

    if (count == 0 || count > ORIGINS_MAX) {
        return refuse(db, "a publishable key has 1 to 50 origins");
    }
    for (size_t i = 0; i < count; i++) {
        if (!key_origin_valid(origins[i], why)) {
            db_explain(db, "origin \"%.200s\": %s", origins[i], why);
            return DB_FAILED;
        }
    }
    return DB_OK;
}

bool key_scope_valid(const char *scope)
{
    return strcmp(scope, "read") == 0 || strcmp(scope, "write") == 0 || strcmp(scope, "admin") == 0;
}

static enum db_status check_spec(struct db *db, const struct key_new *spec)
{
    size_t name = strlen(spec->name);

    if (name == 0 || name > 100 || !fd_utf8_valid(spec->name, name)) {
        return refuse(db, "a key's name has 1 to 100 bytes of UTF-8");
    }
    if (spec->kind == FD_KEY_SECRET && spec->origin_count > 0) {
        return refuse(db, "a secret key is for servers: it has no origins");
    }
    if (spec->scope != NULL && !key_scope_valid(spec->scope)) {
        return refuse(db, "a key's scope is read, write or admin");
    }
    return spec->kind == FD_KEY_SECRET ? DB_OK
                                       : check_origins(db, spec->origins, spec->origin_count);
}

/* As a JSON array; the caller frees it. */
static char *origins_json(const char *const *origins, size_t count)
{
    struct buf json;
    struct fd_json_writer w;

    buf_init(&json, ORIGINS_MAX * 600);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < count; i++) {
        fd_jw_cstring(&w, origins[i]);
    }
    fd_jw_end_array(&w);
    if (!buf_json_end(&json, &w)) {
        abort(); /* an origin was let through that is longer than a host can be */
    }
    return json.data;
}

static enum db_status bump_generation(struct db *db, const char *org)
{
    PGresult *result;
    enum db_status status = db_exec(db, &bump, &org, &result);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(result) == 0) {
        status = refuse(db, "there is no such organisation");
    }
    PQclear(result);
    return status;
}

/* A new key into the open transaction; origins is a JSON array. */
static enum db_status insert_key(struct db *db, const char *org, const char *name, const char *kind,
                                 const char *origins, const char *scope, const char *rotated_from,
                                 char key[FD_API_KEY_SIZE], char id[37])
{
    char sha256[FD_SHA256_HEX_SIZE];
    PGresult *result;

    fd_api_key_make(key, strcmp(kind, "sk") == 0 ? FD_KEY_SECRET : FD_KEY_PUBLISHABLE);
    fd_sha256_hex(sha256, key, FD_API_KEY_LEN);
    const char *params[] = {org,     name,         kind, sha256, key + FD_API_KEY_LEN - 4,
                            origins, rotated_from, scope};
    enum db_status status = db_exec(db, &insert, params, &result);
    if (status != DB_OK) {
        return status;
    }
    bool made = PQntuples(result) == 1;
    if (made) {
        snprintf(id, 37, "%s", db_text(result, 0, 0));
    }
    PQclear(result);
    return made ? DB_OK : bound_reached(db, BOUND_KEYS, "keys");
}

enum db_status keys_insert(struct db *db, const struct key_new *spec, char key[FD_API_KEY_SIZE],
                           char id[37])
{
    char *origins = origins_json(spec->origins, spec->origin_count);

    enum db_status status =
        insert_key(db, spec->org, spec->name, spec->kind == FD_KEY_SECRET ? "sk" : "pk", origins,
                   spec->scope != NULL ? spec->scope : "admin", NULL, key, id);
    free(origins);
    return status;
}

enum db_status keys_create(struct db *db, const struct key_new *spec, char key[FD_API_KEY_SIZE],
                           char id[37])
{
    enum db_status status = check_spec(db, spec);
    if (status != DB_OK) {
        return status;
    }
    status = db_begin(db, spec->org);
    if (status == DB_OK) {
        status = bump_generation(db, spec->org);
    }
    if (status == DB_OK) {
        status = keys_insert(db, spec, key, id);
    }
    return db_end(db, status);
}

enum db_status keys_get(struct db *db, const char *org, const char *id, PGresult **key)
{
    const char *params[] = {org, id};

    *key = NULL;
    if (!fd_uuid_valid(id, strlen(id))) {
        return refuse(db, "there is no key with this id");
    }
    return db_query(db, org, &get, params, key);
}

enum db_status keys_list(struct db *db, const char *org, const char *after, int most,
                         PGresult **keys)
{
    char rows[DB_NUMBER_SIZE];
    const char *params[] = {org, after, db_number(rows, most)};

    return db_query(db, org, &list, params, keys);
}

enum db_status keys_is_live(struct db *db, const char *org, const char *id, bool *live)
{
    const char *params[] = {org, id};

    *live = false;
    if (!fd_uuid_valid(id, strlen(id))) {
        return DB_OK;
    }
    return db_found(db, org, &find_live, params, live);
}

enum db_status keys_set_origins(struct db *db, const char *org, const char *id,
                                const char *const *origins, size_t count, bool *changed)
{
    PGresult *result = NULL;

    enum db_status status = check_origins(db, origins, count);
    if (status != DB_OK) {
        return status;
    }
    char *json = origins_json(origins, count);
    const char *params[] = {org, id, json};
    status = db_begin(db, org);
    if (status == DB_OK) {
        status = db_exec(db, &set_origins, params, &result);
    }
    if (status == DB_OK) {
        *changed = strcmp(PQcmdTuples(result), "0") != 0;
        status = *changed ? bump_generation(db, org) : DB_OK;
    }
    PQclear(result);
    free(json);
    return db_end(db, status);
}

/* In the open transaction. What the kind of the key forbids is found after the fact, and
 * rolled back. */
static enum db_status change_in(struct db *db, const char *const params[4], bool *found)
{
    PGresult *row = NULL;

    enum db_status status = bump_generation(db, params[0]);
    if (status == DB_OK) {
        status = db_exec(db, &change_key, params, &row);
    }
    *found = status == DB_OK && PQntuples(row) == 1;
    if (*found && params[3] != NULL && strcmp(db_text(row, 0, 0), "sk") == 0) {
        status = refuse(db, "origins: a secret key is for servers: it has no origins");
    }
    PQclear(row);
    return status;
}

static enum db_status check_change(struct db *db, const struct key_change *change)
{
    char why[512];
    size_t len = change->name != NULL ? strlen(change->name) : 1;

    if (len == 0 || len > 100 || (change->name != NULL && !fd_utf8_valid(change->name, len))) {
        return refuse(db, "name: a key's name has 1 to 100 bytes of UTF-8");
    }
    if (change->origins == NULL ||
        check_origins(db, change->origins, change->origin_count) == DB_OK) {
        return DB_OK;
    }
    snprintf(why, sizeof(why), "%.400s", db_error(db));
    db_explain(db, "origins: %s", why);
    return DB_FAILED;
}

enum db_status keys_change(struct db *db, const char *org, const char *id,
                           const struct key_change *change, bool *found)
{
    *found = false;
    if (!fd_uuid_valid(id, strlen(id))) {
        return DB_OK;
    }
    enum db_status status = check_change(db, change);
    if (status != DB_OK) {
        return status;
    }
    char *origins =
        change->origins != NULL ? origins_json(change->origins, change->origin_count) : NULL;
    const char *params[] = {org, id, change->name, origins};
    status = db_begin(db, org);
    if (status == DB_OK) {
        status = change_in(db, params, found);
    }
    free(origins);
    return db_end(db, status);
}

enum db_status keys_rotate(struct db *db, const char *org, const char *id, int64_t overlap_s,
                           char key[FD_API_KEY_SIZE], char new_id[37])
{
    char overlap[DB_NUMBER_SIZE];
    const char *params[] = {org, id, db_number(overlap, overlap_s)};
    PGresult *old = NULL;

    if (!fd_uuid_valid(id, strlen(id))) {
        return refuse(db, "there is no live key with this id");
    }
    if (overlap_s < 0 || overlap_s > 90 * 86400) {
        return refuse(db, "the overlap is 0 seconds to 90 days");
    }
    enum db_status status = db_begin(db, org);
    if (status == DB_OK) {
        status = bump_generation(db, org);
    }
    if (status == DB_OK) {
        status = db_exec(db, &find_live, params, &old);
    }
    if (status == DB_OK && PQntuples(old) == 0) {
        status = refuse(db, "there is no live key with this id");
    }
    if (status == DB_OK) {
        status = insert_key(db, org, db_text(old, 0, 0), db_text(old, 0, 1), db_text(old, 0, 2),
                            db_text(old, 0, 3), id, key, new_id);
    }
    if (status == DB_OK) {
        status = db_exec(db, &expire, params, NULL);
    }
    PQclear(old);
    return db_end(db, status);
}

enum db_status keys_revoke(struct db *db, const char *org, const char *id,
                           char sha256[FD_SHA256_HEX_SIZE])
{
    const char *params[] = {org, id};
    PGresult *result = NULL;

    if (!fd_uuid_valid(id, strlen(id))) {
        return refuse(db, "there is no key with this id");
    }
    enum db_status status = db_begin(db, org);
    if (status == DB_OK) {
        status = bump_generation(db, org);
    }
    if (status == DB_OK) {
        status = db_exec(db, &revoke, params, &result);
    }
    if (status == DB_OK && PQntuples(result) == 0) {
        status = refuse(db, "there is no key with this id, or it is revoked already");
    }
    if (status == DB_OK) {
        snprintf(sha256, FD_SHA256_HEX_SIZE, "%s", db_text(result, 0, 0));
    }
    PQclear(result);
    return db_end(db, status);
}
