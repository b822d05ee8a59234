#include "tenant/sealed.h"
#include "core/log.h"
#include "core/vault.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The lock's number means nothing but "the vault". */
#define VAULT_LOCK "7305016814722841"

static const struct db_statement lock_shared = {
    "sealed_lock_shared", "SELECT pg_advisory_xact_lock_shared(" VAULT_LOCK ")", 0};
static const struct db_statement lock_alone = {"sealed_lock_alone",
                                               "SELECT pg_advisory_xact_lock(" VAULT_LOCK ")", 0};
static const struct db_statement all_orgs = {
    "sealed_all_orgs", "SELECT org_id FROM platform_organizations() ORDER BY 1", 0};
static const struct db_statement use_org = {"sealed_use_org",
                                            "SELECT set_config('app.org_id', $1, true)", 1};

/* Every sealed column: what a rotation has to reach. */
static const struct sealed_column {
    const char *table;
    const char *column;
    struct db_statement list;   /* (org): id, cell; locked */
    struct db_statement update; /* (org, id, cell) */
} columns[] = {
    {"client_integrations",
     "connection_config",
     {"sealed_list_integrations",
      "SELECT id, connection_config FROM client_integrations"
      " WHERE org_id = $1 AND connection_config IS NOT NULL FOR UPDATE",
      1},
     {"sealed_update_integrations",
      "UPDATE client_integrations SET connection_config = $3 WHERE org_id = $1 AND id = $2", 3}},
    {"client_tools",
     "signing_secret",
     {"sealed_list_tool_secrets",
      "SELECT id, signing_secret FROM client_tools"
      " WHERE org_id = $1 AND signing_secret IS NOT NULL FOR UPDATE",
      1},
     {"sealed_update_tool_secrets",
      "UPDATE client_tools SET signing_secret = $3 WHERE org_id = $1 AND id = $2", 3}},
    {"client_tools",
     "token",
     {"sealed_list_tool_tokens",
      "SELECT id, token FROM client_tools WHERE org_id = $1 AND token IS NOT NULL FOR UPDATE", 1},
     {"sealed_update_tool_tokens",
      "UPDATE client_tools SET token = $3 WHERE org_id = $1 AND id = $2", 3}},
    {"channels",
     "secret",
     {"sealed_list_channels", "SELECT id, secret FROM channels WHERE org_id = $1 FOR UPDATE", 1},
     {"sealed_update_channels", "UPDATE channels SET secret = $3 WHERE org_id = $1 AND id = $2",
      3}},
    {"identity_secrets",
     "secret",
     {"sealed_list_identity",
      "SELECT id, secret FROM identity_secrets WHERE org_id = $1 FOR UPDATE", 1},
     {"sealed_update_identity",
      "UPDATE identity_secrets SET secret = $3 WHERE org_id = $1 AND id = $2", 3}},
    {"org_ai_endpoints",
     "api_key",
     {"sealed_list_ai_endpoints",
      "SELECT kind, api_key FROM org_ai_endpoints WHERE org_id = $1 AND api_key IS NOT NULL"
      " FOR UPDATE",
      1},
     {"sealed_update_ai_endpoints",
      "UPDATE org_ai_endpoints SET api_key = $3 WHERE org_id = $1 AND kind = $2", 3}},
    {"org_ai_settings",
     "alert_webhook_secret",
     {"sealed_list_alert_secrets",
      "SELECT org_id, alert_webhook_secret FROM org_ai_settings"
      " WHERE org_id = $1 AND alert_webhook_secret IS NOT NULL FOR UPDATE",
      1},
     {"sealed_update_alert_secrets",
      "UPDATE org_ai_settings SET alert_webhook_secret = $3 WHERE org_id = $1 AND org_id = $2", 3}},
};

enum db_status sealed_lock(struct db *db)
{
    return db_exec(db, &lock_shared, NULL, NULL);
}

static const char *context_of(struct arena *a, const struct sealed_place *place)
{
    return arena_printf(a, "%s|%s|%s|%s", place->org, place->table, place->row, place->column);
}

static const char *seal(struct arena *a, const struct vault *vault,
                        const struct sealed_place *place, const char *plain, size_t len)
{
    size_t sealed_len = len + VAULT_OVERHEAD;
    unsigned char *sealed = arena_alloc(a, sealed_len);
    char *text = arena_alloc(a, 2 + 2 * sealed_len + 1);

    vault_seal(vault, context_of(a, place), plain, len, sealed);
    memcpy(text, "\\x", 2);
    sodium_bin2hex(text + 2, 2 * sealed_len + 1, sealed, sealed_len);
    return text;
}

const char *sealed_text(struct arena *a, const char *keys, const struct sealed_place *place,
                        const char *plain, size_t len, char error[256])
{
    const char *text = NULL;
    struct vault vault;

    if (len > SEALED_PLAIN_MAX) {
        snprintf(error, 256, "credentials may have %d bytes", SEALED_PLAIN_MAX);
        return NULL;
    }
    if (vault_load(&vault, keys, error))
        text = seal(a, &vault, place, plain, len);
    vault_wipe(&vault);
    return text;
}

/* The bytes of a bytea's text, NULL if it is none. */
static unsigned char *bytes_of(struct arena *a, const char *cell, size_t *len)
{
    size_t hex = cell != NULL && strncmp(cell, "\\x", 2) == 0 ? strlen(cell) - 2 : 0;
    unsigned char *bytes = arena_alloc(a, hex / 2 + 1);

    if (hex == 0 || sodium_hex2bin(bytes, hex / 2, cell + 2, hex, NULL, len, NULL) != 0)
        return NULL;
    return bytes;
}

static enum vault_result unseal(struct arena *a, const struct vault *vault,
                                const struct sealed_place *place, const char *cell, char **plain,
                                size_t *len)
{
    size_t sealed_len;
    const unsigned char *sealed = bytes_of(a, cell, &sealed_len);

    if (sealed == NULL || sealed_len < VAULT_OVERHEAD)
        return VAULT_BROKEN;
    *len = sealed_len - VAULT_OVERHEAD;
    *plain = arena_alloc(a, *len + 1);
    return vault_open(vault, context_of(a, place), sealed, sealed_len, *plain);
}

enum sealed_result sealed_open(struct arena *a, const char *keys, const struct sealed_place *place,
                               const char *cell, char **plain, size_t *len, char error[256])
{
    enum vault_result result = VAULT_BROKEN;
    struct vault vault;
    bool loaded = vault_load(&vault, keys, error);

    if (loaded)
        result = unseal(a, &vault, place, cell, plain, len);
    vault_wipe(&vault);
    if (!loaded)
        return SEALED_FAULT;
    switch (result) {
    case VAULT_OK: return SEALED_OK;
    case VAULT_UNKNOWN_KEY:
        snprintf(error, 256, "the credentials are sealed with a key that is not in %.120s", keys);
        return SEALED_STALE;
    case VAULT_BROKEN: break;
    }
    snprintf(error, 256,
             "the stored credentials are damaged, or not of this place: give them again");
    return SEALED_FAULT;
}

/* -- rotation ---------------------------------------------------------------------- */

struct rotation {
    struct db *db;
    const struct vault *vault;
    int64_t rows, lost;
};

static enum db_status rotate_row(struct rotation *r, const struct sealed_column *column,
                                 const char *org, const char *id, const char *cell)
{
    const struct sealed_place place = {org, column->table, id, column->column};
    const char *params[] = {org, id, NULL};
    enum db_status status = DB_OK;
    struct arena a;
    char *plain;
    size_t len;

    arena_init(&a);
    if (unseal(&a, r->vault, &place, cell, &plain, &len) == VAULT_OK) {
        params[2] = seal(&a, r->vault, &place, plain, len);
        sodium_memzero(plain, len);
        status = db_exec(r->db, &column->update, params, NULL);
        r->rows++;
    } else {
        const struct log_context ctx = {.org_id = org};

        log_error(&ctx, "vault.unreadable", LOG_STR("table", column->table), LOG_STR("row", id));
        r->lost++;
    }
    arena_free(&a);
    return status;
}

static enum db_status rotate_org(struct rotation *r, const char *org)
{
    enum db_status status = db_exec(r->db, &use_org, &org, NULL);

    for (size_t i = 0; status == DB_OK && i < COUNT(columns); i++) {
        PGresult *result = NULL;

        status = db_exec(r->db, &columns[i].list, &org, &result);
        for (int row = 0; status == DB_OK && row < PQntuples(result); row++)
            status =
                rotate_row(r, &columns[i], org, db_text(result, row, 0), db_text(result, row, 1));
        PQclear(result);
    }
    return status;
}

/* One transaction: all or nothing, and nobody seals meanwhile. */
static enum db_status rotate_rows(struct rotation *r)
{
    PGresult *orgs = NULL;
    enum db_status status = db_begin(r->db, NULL);

    if (status == DB_OK)
        status = db_exec(r->db, &lock_alone, NULL, NULL);
    if (status == DB_OK)
        status = db_exec(r->db, &all_orgs, NULL, &orgs);
    for (int i = 0; status == DB_OK && i < PQntuples(orgs); i++)
        status = rotate_org(r, db_text(orgs, i, 0));
    PQclear(orgs);
    if (status == DB_OK)
        return db_commit(r->db);
    db_rollback(r->db);
    return status;
}

/* A new first key, in the file before a row is sealed with it. Of a rotation that did
 * not end there is one already. */
static bool begin_rotation(struct vault *vault, const char *keys, char error[256])
{
    if (!vault_load(vault, keys, error))
        return false;
    return vault->count > 1 || (vault_add_key(vault) && vault_save(vault, keys, false, error));
}

bool sealed_rotate(struct db *db, const char *keys, int64_t *rows, int64_t *lost, char error[256])
{
    struct vault vault;
    struct rotation r = {.db = db, .vault = &vault};
    bool ok = begin_rotation(&vault, keys, error);

    if (ok && rotate_rows(&r) != DB_OK) {
        snprintf(error, 256, "PostgreSQL: %.150s; the old keys are kept, run it again",
                 db_error(db));
        ok = false;
    }
    if (ok) {
        vault.count = 1;
        sodium_memzero(&vault.keys[1], sizeof(vault.keys) - sizeof(vault.keys[0]));
        ok = vault_save(&vault, keys, false, error);
    }
    vault_wipe(&vault);
    *rows = r.rows;
    *lost = r.lost;
    return ok;
}
