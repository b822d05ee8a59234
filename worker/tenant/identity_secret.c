#include "tenant/identity_secret.h"

#include "core/log.h"
#include "protocol/ids.h"
#include "tenant/sealed.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct db_statement lock_org = {
    "identity_lock_org", "SELECT id FROM organizations WHERE id = $1::uuid FOR UPDATE", 1};
static const struct db_statement count = {
    "identity_count",
    "SELECT count(*), gen_random_uuid() FROM identity_secrets WHERE org_id = $1::uuid", 1};
static const struct db_statement insert = {
    "identity_insert",
    "INSERT INTO identity_secrets (id, org_id, secret, last4)"
    " VALUES ($2::uuid, $1::uuid, $3::bytea, $4)",
    4};
static const struct db_statement revoke = {
    "identity_revoke",
    "DELETE FROM identity_secrets WHERE org_id = $1::uuid AND id = $2::uuid RETURNING 1", 2};
static const struct db_statement list = {
    "identity_list",
    "SELECT id, last4, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM identity_secrets WHERE org_id = $1::uuid ORDER BY created_at, id",
    1};
static const struct db_statement load = {
    "identity_load",
    "SELECT id, secret FROM identity_secrets WHERE org_id = $1::uuid"
    " ORDER BY created_at DESC, id LIMIT 2",
    1};

static struct sealed_place place_of(const char *org, const char *id)
{
    return (struct sealed_place){org, "identity_secrets", id, "secret"};
}

static void make(char secret[IDENTITY_SECRET_SIZE])
{
    unsigned char bytes[(IDENTITY_SECRET_SIZE - 1) / 2];
    fd_random(bytes, sizeof(bytes));
    sodium_bin2hex(secret, IDENTITY_SECRET_SIZE, bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
}

/* *id is the new row's; refused where two secrets live already. */
static enum db_status find_room(struct db *db, const char *org, char id[37], bool *room)
{
    PGresult *result = NULL;
    *room = false;
    enum db_status status = db_exec(db, &lock_org, &org, NULL);
    if (status == DB_OK)
        status = db_exec(db, &count, &org, &result);
    if (status == DB_OK) {
        *room = db_int(result, 0, 0, 0) < IDENTITY_SECRETS_MAX;
        snprintf(id, 37, "%s", db_text(result, 0, 1));
    }
    PQclear(result);
    return status;
}

static enum db_status store(struct db *db, const char *keys, const char *org, const char *id,
                            const char *secret, char error[256])
{
    struct sealed_place place = place_of(org, id);
    struct arena a;
    arena_init(&a);
    enum db_status status = sealed_lock(db);
    if (status == DB_OK) {
        const char *sealed = sealed_text(&a, keys, &place, secret, strlen(secret), error);
        const char *params[] = {org, id, sealed, secret + strlen(secret) - 4};
        status = sealed != NULL ? db_exec(db, &insert, params, NULL) : DB_FAILED;
    }
    arena_free(&a);
    return status;
}

enum db_status identity_secret_create(struct db *db, const char *keys, const char *org,
                                      char secret[IDENTITY_SECRET_SIZE], char id[37])
{
    char error[256] = "";
    bool room = false;
    make(secret);
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = find_room(db, org, id, &room);
    if (status == DB_OK && room)
        status = store(db, keys, org, id, secret, error);
    if (status == DB_OK && room)
        return db_commit(db);
    db_rollback(db);
    if (status == DB_OK)
        db_explain(db, "there are two identity secrets already: revoke the older one first");
    else if (error[0] != '\0')
        db_explain(db, "%s", error);
    return status == DB_OK ? DB_FAILED : status;
}

enum db_status identity_secret_revoke(struct db *db, const char *org, const char *id, bool *found)
{
    const char *params[] = {org, db_uuid(id)};

    return db_found(db, org, &revoke, params, found);
}

enum db_status identity_secret_list(struct db *db, const char *org, PGresult **rows)
{
    return db_query(db, org, &list, &org, rows);
}

enum db_status identity_secrets_load(struct db *db, struct arena *a, const char *keys,
                                     const char *org, struct identity_secrets *secrets)
{
    PGresult *rows;
    *secrets = (struct identity_secrets){0};
    enum db_status status = db_query(db, org, &load, &org, &rows);
    if (status != DB_OK)
        return status;
    for (int row = 0; row < PQntuples(rows); row++) {
        const struct log_context ctx = {.org_id = org};
        struct sealed_place place = place_of(org, db_text(rows, row, 0));
        char error[256], *plain;
        size_t len;
        if (sealed_open(a, keys, &place, db_text(rows, row, 1), &plain, &len, error) == SEALED_OK)
            secrets->list[secrets->count++] = plain;
        else
            log_error(&ctx, "identity.secret_unreadable", LOG_STR("error", error));
    }
    PQclear(rows);
    return DB_OK;
}
