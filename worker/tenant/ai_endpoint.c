#include "tenant/ai_endpoint.h"

#include "core/log.h"
#include "llm/endpoint.h"
#include "net/guard.h"
#include "net/outbound_check.h"
#include "net/resolve.h"
#include "net/target.h"
#include "protocol/limits.h"
#include "tenant/sealed.h"

#include <stdio.h>
#include <string.h>

#define TABLE      "org_ai_endpoints"
#define COLUMN     "api_key"
#define URL_MAX    2048
#define KEY_MIN    8
#define KEY_MAX    512
#define LAST       4
#define DIMS_LEAST 16
#define DIMS_MOST  4096

static const char *const kind_names[] = {"chat", "embedding"};

static const struct db_statement load_statement = {
    "ai_endpoints_load",
    "SELECT e.kind, e.provider, e.base_url, e.model, e.dimensions, e.api_key, e.revision,"
    "       coalesce(s.vectors_version, 0), has_embedding_column()"
    "  FROM organizations o LEFT JOIN org_ai_endpoints e ON e.org_id = o.id"
    "  LEFT JOIN embedding_state s ON s.org_id = o.id WHERE o.id = $1::uuid",
    1};
static const struct db_statement show_statement = {
    "ai_endpoint_show",
    "SELECT jsonb_build_object('provider', e.provider, 'base_url', e.base_url, 'model', e.model,"
    "       'dimensions', e.dimensions, 'api_key', CASE WHEN e.api_key IS NOT NULL THEN"
    "         jsonb_build_object('set', true, 'ends_with', e.key_last4) END,"
    "       'last_test', e.last_test, 'updated_at',"
    "       to_char(e.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))::text"
    "  FROM org_ai_endpoints e WHERE e.org_id = $1::uuid AND e.kind = $2",
    2};
static const struct db_statement lock_statement = {
    "ai_endpoint_lock",
    "SELECT provider, base_url, model, dimensions, api_key IS NOT NULL FROM org_ai_endpoints"
    " WHERE org_id = $1::uuid AND kind = $2 FOR UPDATE",
    2};
static const struct db_statement write_statement = {
    "ai_endpoint_write",
    "INSERT INTO org_ai_endpoints AS e (org_id, kind, provider, base_url, model, dimensions,"
    "                                   api_key, key_last4)"
    " VALUES ($1::uuid, $2, $3, $4, $5, $6::int, $7::bytea, $8)"
    " ON CONFLICT (org_id, kind) DO UPDATE SET provider = $3, base_url = $4, model = $5,"
    "   dimensions = $6::int, revision = e.revision + 1, last_test = NULL, updated_at = now(),"
    "   api_key = CASE WHEN $9::boolean THEN $7::bytea ELSE e.api_key END,"
    "   key_last4 = CASE WHEN $9::boolean THEN $8 ELSE e.key_last4 END",
    9};
static const struct db_statement remove_statement = {
    "ai_endpoint_remove",
    "DELETE FROM org_ai_endpoints WHERE org_id = $1::uuid AND kind = $2 RETURNING kind", 2};

const char *ai_endpoint_kind_name(enum ai_endpoint_kind kind)
{
    return kind_names[kind];
}

const char *ai_endpoint_url(const struct ai_endpoint *endpoint)
{
    return endpoint->base_url != NULL ? endpoint->base_url
                                      : llm_endpoint_usual_url(endpoint->provider);
}

/* -- loading ------------------------------------------------------------------------- */

static void open_key(struct arena *a, const char *vault_keys, const char *org, const char *kind,
                     const char *cell, struct ai_endpoint *endpoint)
{
    const struct sealed_place place = {org, TABLE, kind, COLUMN};
    const struct log_context ctx = {.org_id = org};
    char error[256] = "", *plain;
    size_t len;

    if (cell == NULL) {
        return;
    }
    if (sealed_open(a, vault_keys, &place, cell, &plain, &len, error) == SEALED_OK) {
        endpoint->api_key = plain;
        return;
    }
    endpoint->broken = true;
    log_error(&ctx, "ai_endpoint.key_unreadable", LOG_STR("kind", kind), LOG_STR("error", error));
}

enum db_status ai_endpoints_load(struct db *db, struct arena *a, const char *vault_keys,
                                 const char *org, struct ai_endpoint list[AI_ENDPOINT_KINDS],
                                 struct ai_vectors *vectors)
{
    PGresult *rows;

    memset(list, 0, AI_ENDPOINT_KINDS * sizeof(*list));
    *vectors = (struct ai_vectors){0};
    enum db_status status = db_query(db, org, &load_statement, &org, &rows);
    if (status != DB_OK) {
        return status;
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *kind = db_text(rows, row, 0);
        vectors->version = db_int(rows, row, 7, 0);
        vectors->in_database = db_true(rows, row, 8);
        if (kind == NULL) {
            continue;
        }
        struct ai_endpoint *endpoint =
            &list[strcmp(kind, kind_names[AI_ENDPOINT_CHAT]) == 0 ? AI_ENDPOINT_CHAT
                                                                  : AI_ENDPOINT_EMBEDDING];
        endpoint->provider = arena_strdup(a, db_text(rows, row, 1));
        endpoint->base_url = arena_strdup(a, db_text(rows, row, 2));
        endpoint->model = arena_strdup(a, db_text(rows, row, 3));
        endpoint->dimensions = (int)db_int(rows, row, 4, 0);
        endpoint->revision = db_int(rows, row, 6, 0);
        open_key(a, vault_keys, org, kind, db_text(rows, row, 5), endpoint);
    }
    PQclear(rows);
    return DB_OK;
}

/* -- showing -------------------------------------------------------------------------- */

enum db_status ai_endpoint_show(struct db *db, const char *org, enum ai_endpoint_kind kind,
                                struct buf *out)
{
    const char *params[] = {org, kind_names[kind]};
    PGresult *row;

    enum db_status status = db_query(db, org, &show_statement, params, &row);
    if (status == DB_OK) {
        buf_reset(out);
        buf_puts(out, PQntuples(row) > 0 ? db_text(row, 0, 0) : "{\"provider\": null}");
        PQclear(row);
    }
    return status;
}

/* -- what may be set ------------------------------------------------------------------- */

/* What is there, then what it becomes. */
struct change {
    enum ai_endpoint_kind kind;
    const char *provider, *base_url, *model;
    int64_t dimensions; /* 0 = none */
    bool has_key;
    const char *key; /* new */
    bool key_said;
    bool elsewhere; /* requests go to another server than before */
};

static bool is_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return true;
}

/* A text, or null for none. False: the fault. */
static bool take_text(const struct fd_json *patch, const char *name, size_t max, const char **text,
                      bool *said, struct ai_fault *fault)
{
    const struct fd_json *value = fd_json_get(patch, name);

    *said = value != NULL;
    if (value == NULL) {
        return true;
    }
    bool good = value->type == FD_JSON_NULL ||
                (value->type == FD_JSON_STRING && value->text_len > 0 && value->text_len <= max &&
                 is_printable(value->text, value->text_len));
    if (!good) {
        return ai_refuse(fault, name, "must have 1 to %zu visible ASCII characters, or be null",
                         max);
    }
    *text = value->type == FD_JSON_NULL ? NULL : value->text;
    return true;
}

/* Neither in the clear nor to where tenants may not reach; the platform's owner may have
 * excepted a host. */
static bool check_target(const struct target *target, const char *url, const char *allow,
                         struct ai_fault *fault)
{
    bool exempt = guard_exempts_name(allow, target->host, target->port);
    union resolved address;
    char error[256] = "";

    if (!exempt && strncmp(url, "https://", 8) != 0) {
        return ai_refuse(fault, "base_url", "must be an https URL");
    }
    if (target->is_address && outbound_literal(target->host, target->port, &address) &&
        !outbound_judge(allow, exempt, target->host, &address.any, error)) {
        return ai_refuse(fault, "base_url", "%.200s", error);
    }
    return true;
}

static bool check_url(struct arena *a, struct change *c, const char *allow, struct ai_fault *fault)
{
    struct target target;
    char error[256] = "";

    if (c->base_url == NULL) {
        return true;
    }
    size_t len = strlen(c->base_url);
    while (len > 0 && c->base_url[len - 1] == '/') {
        len--;
    }
    c->base_url = arena_strndup(a, c->base_url, len);
    if (strchr(c->base_url, '?') != NULL) {
        return ai_refuse(fault, "base_url", "must have no query");
    }
    if (!target_parse(&target, c->base_url, error)) {
        return ai_refuse(fault, "base_url", "%.200s", error);
    }
    bool good = check_target(&target, c->base_url, allow, fault);
    target_free(&target);
    return good;
}

static bool check_provider(const struct change *c, struct ai_fault *fault)
{
    if (c->provider == NULL) {
        return ai_refuse(fault, "provider", "is required");
    }
    bool anthropic = strcmp(c->provider, "anthropic") == 0;
    bool known =
        anthropic || strcmp(c->provider, "openai") == 0 || strcmp(c->provider, "openrouter") == 0;
    if (!known || (anthropic && c->kind == AI_ENDPOINT_EMBEDDING)) {
        return ai_refuse(fault, "provider", "must be %s",
                         c->kind == AI_ENDPOINT_CHAT ? "openai, openrouter or anthropic"
                                                     : "openai or openrouter");
    }
    return true;
}

static bool check_embedding(const struct change *c, struct ai_fault *fault)
{
    if (c->kind == AI_ENDPOINT_CHAT) {
        if (c->model != NULL) {
            return ai_refuse(fault, "model",
                             "is of embeddings; the models that answer are in the "
                             "other settings");
        }
        return c->dimensions == 0 ? true : ai_refuse(fault, "dimensions", "is of embeddings");
    }
    return c->model != NULL ? true : ai_refuse(fault, "model", "is required");
}

static bool take_dimensions(const struct fd_json *patch, struct change *c, struct ai_fault *fault)
{
    const struct fd_json *value = fd_json_get(patch, "dimensions");

    if (value == NULL) {
        return true;
    }
    bool none = value->type == FD_JSON_NULL;
    if (!none && (value->type != FD_JSON_NUMBER || !value->is_integer ||
                  value->integer < DIMS_LEAST || value->integer > DIMS_MOST)) {
        return ai_refuse(fault, "dimensions", "must be a whole number from %d to %d, or null",
                         DIMS_LEAST, DIMS_MOST);
    }
    c->dimensions = none ? 0 : value->integer;
    return true;
}

static bool check_key(const struct change *c, struct ai_fault *fault)
{
    size_t len = c->key != NULL ? strlen(c->key) : 0;

    if (c->key != NULL && len < KEY_MIN) {
        return ai_refuse(fault, "api_key", "must have %d to %d visible ASCII characters", KEY_MIN,
                         KEY_MAX);
    }
    if (c->elsewhere && c->has_key && !c->key_said) {
        return ai_refuse(fault, "api_key",
                         "give the key again: the stored one was given for "
                         "another server");
    }
    bool has = c->key_said ? c->key != NULL : c->has_key;
    return has || c->base_url != NULL ? true : ai_refuse(fault, "api_key", "is required");
}

static bool merge(struct arena *a, struct change *c, const struct fd_json *patch, const char *allow,
                  struct ai_fault *fault)
{
    static const char *const known[] = {"provider", "base_url",   "api_key",
                                        "model",    "dimensions", NULL};
    const char *provider = c->provider, *base_url = c->base_url;
    bool said;

    for (const struct fd_json *m = patch->child; m != NULL; m = m->next) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], m->key) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            return ai_refuse(fault, arena_strndup(a, m->key, m->key_len < 60 ? m->key_len : 60),
                             "there is no such setting");
        }
    }
    if (!take_text(patch, "provider", 20, &c->provider, &said, fault) ||
        !take_text(patch, "base_url", URL_MAX, &c->base_url, &said, fault) ||
        !take_text(patch, "model", FD_MODEL_ID_MAX, &c->model, &said, fault) ||
        !take_text(patch, "api_key", KEY_MAX, &c->key, &c->key_said, fault) ||
        !take_dimensions(patch, c, fault) || !check_provider(c, fault) ||
        !check_url(a, c, allow, fault) || !check_embedding(c, fault)) {
        return false;
    }
    c->elsewhere = provider == NULL || strcmp(provider, c->provider) != 0 ||
                   (base_url == NULL) != (c->base_url == NULL) ||
                   (base_url != NULL && strcmp(base_url, c->base_url) != 0);
    return check_key(c, fault);
}

/* -- changing --------------------------------------------------------------------------- */

static enum db_status write_row(struct db *db, struct arena *a, const struct config *config,
                                const char *org, const struct change *c, struct ai_fault *fault)
{
    const struct sealed_place place = {org, TABLE, kind_names[c->kind], COLUMN};
    char number[DB_NUMBER_SIZE], error[256] = "";
    const char *sealed = NULL, *last = NULL;

    if (c->key != NULL) {
        size_t len = strlen(c->key);
        sealed = sealed_text(a, config->vault_keys, &place, c->key, len, error);
        if (sealed == NULL) {
            ai_refuse(fault, "api_key", "%.240s", error);
            return DB_OK;
        }
        last = c->key + len - LAST;
    }
    const char *params[] = {org,
                            kind_names[c->kind],
                            c->provider,
                            c->base_url,
                            c->model,
                            c->dimensions > 0 ? db_number(number, c->dimensions) : NULL,
                            sealed,
                            last,
                            c->key_said ? "t" : "f"};
    return db_exec(db, &write_statement, params, NULL);
}

static enum db_status change_locked(struct db *db, struct arena *a, const struct config *config,
                                    const char *org, struct change *c, const struct fd_json *patch,
                                    struct ai_fault *fault)
{
    const char *params[] = {org, kind_names[c->kind]};
    PGresult *row;

    enum db_status status = sealed_lock(db);
    if (status == DB_OK) {
        status = db_exec(db, &lock_statement, params, &row);
    }
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(row) > 0) {
        c->provider = arena_strdup(a, db_text(row, 0, 0));
        c->base_url = arena_strdup(a, db_text(row, 0, 1));
        c->model = arena_strdup(a, db_text(row, 0, 2));
        c->dimensions = db_int(row, 0, 3, 0);
        c->has_key = db_true(row, 0, 4);
    }
    PQclear(row);
    return merge(a, c, patch, config->outbound_allow, fault)
               ? write_row(db, a, config, org, c, fault)
               : DB_OK;
}

enum db_status ai_endpoint_change(struct db *db, const struct config *config, const char *org,
                                  enum ai_endpoint_kind kind, const struct fd_json *patch,
                                  struct ai_fault *fault, struct buf *out)
{
    struct change c = {.kind = kind};
    struct arena a;

    *fault = (struct ai_fault){0};
    if (patch->type != FD_JSON_OBJECT) {
        ai_refuse(fault, "", "settings are an object");
        return DB_OK;
    }
    arena_init(&a);
    enum db_status status = db_begin(db, org);
    if (status == DB_OK) {
        status = change_locked(db, &a, config, org, &c, patch, fault);
    }
    if (status == DB_OK && fault->detail[0] == '\0') {
        status = db_commit(db);
    } else {
        db_rollback(db);
    }
    arena_free(&a);
    return status == DB_OK && fault->detail[0] == '\0' ? ai_endpoint_show(db, org, kind, out)
                                                       : status;
}

enum db_status ai_endpoint_remove(struct db *db, const char *org, enum ai_endpoint_kind kind,
                                  bool *found)
{
    const char *params[] = {org, kind_names[kind]};

    return db_found(db, org, &remove_statement, params, found);
}
