#include "integration/integration.h"
#include "tenant/sealed.h"

#include <string.h>

#include <sodium.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define TABLE        "client_integrations"
#define COLUMN       "connection_config"

static const char *const type_names[] = {[INTEGRATION_SHOPIFY] = "shopify",
                                         [INTEGRATION_WOOCOMMERCE] = "woocommerce",
                                         [INTEGRATION_CUSTOM_API] = "custom_api",
                                         [INTEGRATION_DATABASE] = "database"};

static const struct {
    const char *name;
    const char *secrets[3];
} auths[] = {[AUTH_NONE] = {"none", {NULL}},
             [AUTH_API_KEY] = {"api_key", {"api_key", NULL}},
             [AUTH_BEARER] = {"bearer", {"token", NULL}},
             [AUTH_BASIC] = {"basic", {"username", "password", NULL}},
             [AUTH_OAUTH2] = {"oauth2", {"client_id", "client_secret", NULL}},
             [AUTH_PASSWORD] = {"password", {"username", "password", NULL}}};

_Static_assert(COUNT(type_names) == INTEGRATION_TYPES, "each type has a name");
_Static_assert(COUNT(auths) == INTEGRATION_AUTHS, "each way has a name");

const char *integration_type_name(enum integration_type type)
{
    return type_names[type];
}

bool integration_type_parse(const char *name, enum integration_type *type)
{
    for (size_t i = 0; i < COUNT(type_names); i++) {
        if (strcmp(type_names[i], name) == 0) {
            *type = (enum integration_type)i;
            return true;
        }
    }
    return false;
}

const char *integration_auth_name(enum integration_auth auth)
{
    return auths[auth].name;
}

bool integration_auth_parse(const char *name, enum integration_auth *auth)
{
    for (size_t i = 0; i < COUNT(auths); i++) {
        if (strcmp(auths[i].name, name) == 0) {
            *auth = (enum integration_auth)i;
            return true;
        }
    }
    return false;
}

const char *const *integration_auth_secrets(enum integration_auth auth)
{
    return auths[auth].secrets;
}

/* -- loading ------------------------------------------------------------------------- */

#define INTEGRATION_COLUMNS                                                                        \
    "i.id, i.name, i.type, i.auth, i.base_url, i.settings, i.connection_config, i.revision"

enum { ID, NAME, TYPE, AUTH, BASE_URL, SETTINGS, SECRETS, REVISION, ENDPOINT };

#define CALL_COLUMNS                                                                               \
    INTEGRATION_COLUMNS                                                                            \
    ", e.id, e.name, e.kind, e.method, e.url, e.query, e.risk <> 'read', e.config, e.revision"
#define CALL_ROWS                                                                                  \
    "  FROM integration_endpoints e"                                                               \
    "  JOIN client_integrations i ON i.org_id = e.org_id AND i.id = e.integration_id"              \
    " WHERE e.org_id = $1 AND e.id = $2::uuid"

static const struct db_statement load_call = {
    "integration_load_call", "SELECT " CALL_COLUMNS CALL_ROWS " AND e.enabled AND i.enabled", 2};
static const struct db_statement load_switched_off = {"integration_load_switched_off",
                                                      "SELECT " CALL_COLUMNS CALL_ROWS, 2};
static const struct db_statement find_one = {
    "integration_find_one",
    "SELECT " INTEGRATION_COLUMNS " FROM client_integrations i"
    " WHERE i.org_id = $1 AND (i.id::text = lower($2) OR i.name = $2)",
    2};

/* jsonb that we wrote ourselves. */
static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;

    return text != NULL ? fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                        arena_allocator(a), &fault)
                        : NULL;
}

static bool take(struct arena *a, const char *org, const PGresult *row, struct integration *i)
{
    *i = (struct integration){.id = arena_strdup(a, db_text(row, 0, ID)),
                              .org = arena_strdup(a, org),
                              .name = arena_strdup(a, db_text(row, 0, NAME)),
                              .base_url = arena_strdup(a, db_text(row, 0, BASE_URL)),
                              .settings = parse(a, db_text(row, 0, SETTINGS)),
                              .revision = db_int(row, 0, REVISION, 0)};
    return integration_type_parse(db_text(row, 0, TYPE), &i->type) &&
           integration_auth_parse(db_text(row, 0, AUTH), &i->auth);
}

static void take_endpoint(struct arena *a, const PGresult *row, struct endpoint *e)
{
    int at = ENDPOINT;

    e->id = arena_strdup(a, db_text(row, 0, at++));
    e->name = arena_strdup(a, db_text(row, 0, at++));
    e->kind = strcmp(db_text(row, 0, at++), "query") == 0 ? ENDPOINT_QUERY : ENDPOINT_HTTP;
    e->method = arena_strdup(a, db_text(row, 0, at++));
    e->url = arena_strdup(a, db_text(row, 0, at++));
    e->query = arena_strdup(a, db_text(row, 0, at++));
    e->writes = db_true(row, 0, at++);
    e->config = parse(a, db_text(row, 0, at++));
    e->revision = db_int(row, 0, at, 0);
}

static enum sealed_result open_secrets(struct arena *a, const char *cell, const char *keys,
                                       struct integration *i, char error[256])
{
    const struct sealed_place place = {i->org, TABLE, i->id, COLUMN};
    enum sealed_result result;
    char *plain;
    size_t len;

    if (cell == NULL) {
        i->secrets = parse(a, "{}");
        return SEALED_OK;
    }
    result = sealed_open(a, keys, &place, cell, &plain, &len, error);
    if (result == SEALED_OK) {
        i->secrets = parse(a, plain);
        sodium_memzero(plain, len);
    }
    return result;
}

/* One reading of the row. *stale: a rotation of the keys came between row and file. */
static enum db_status load_once(struct db *db, struct arena *a, const char *org,
                                const struct db_statement *statement, const char *which,
                                const char *keys, struct integration *integration,
                                struct endpoint *endpoint, bool *stale)
{
    const char *params[] = {org, which};
    char error[256] = "there is no such integration";
    enum sealed_result opened = SEALED_FAULT;
    PGresult *row = NULL;
    enum db_status status = db_query(db, org, statement, params, &row);

    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 1 && take(a, org, row, integration)) {
        if (endpoint != NULL)
            take_endpoint(a, row, endpoint);
        opened = open_secrets(a, db_text(row, 0, SECRETS), keys, integration, error);
    }
    PQclear(row);
    *stale = opened == SEALED_STALE;
    if (opened == SEALED_OK)
        return DB_OK;
    db_explain(db, "%s", error);
    return DB_FAILED;
}

static enum db_status load(struct db *db, struct arena *a, const char *org,
                           const struct db_statement *statement, const char *which,
                           const char *keys, struct integration *integration,
                           struct endpoint *endpoint)
{
    bool stale = false;
    enum db_status status =
        load_once(db, a, org, statement, which, keys, integration, endpoint, &stale);

    if (stale)
        status = load_once(db, a, org, statement, which, keys, integration, endpoint, &stale);
    return status;
}

enum db_status integration_load(struct db *db, struct arena *a, const char *org,
                                const char *endpoint_id, const char *keys,
                                struct integration *integration, struct endpoint *endpoint)
{
    return load(db, a, org, &load_call, db_uuid(endpoint_id), keys, integration, endpoint);
}

enum db_status integration_load_switched_off(struct db *db, struct arena *a, const char *org,
                                             const char *endpoint_id, const char *keys,
                                             struct integration *integration,
                                             struct endpoint *endpoint)
{
    return load(db, a, org, &load_switched_off, db_uuid(endpoint_id), keys, integration, endpoint);
}

enum db_status integration_find(struct db *db, struct arena *a, const char *org, const char *which,
                                const char *keys, struct integration *integration)
{
    return load(db, a, org, &find_one, which, keys, integration, NULL);
}

void integration_wipe(struct integration *integration)
{
    const struct fd_json *secret =
        integration->secrets != NULL ? integration->secrets->child : NULL;

    /* the arena's own memory: const only so that nobody else writes there */
    for (; secret != NULL; secret = secret->next) {
        if (secret->type == FD_JSON_STRING)
            sodium_memzero((char *)(uintptr_t)secret->text, secret->text_len);
    }
    integration->secrets = NULL;
}
