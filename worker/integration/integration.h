/*
 * Integration: a client's shop, API or database, and its endpoints: what of it the
 * assistant may call. An endpoint is a tool to the model (tool/tool.h); its name is
 * unique in the organisation. Credentials lie sealed in PostgreSQL (tenant/sealed.h)
 * and are opened for one use.
 */
#ifndef FD_INTEGRATION_INTEGRATION_H
#define FD_INTEGRATION_INTEGRATION_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/json.h"

#include <stdbool.h>

enum integration_type {
    INTEGRATION_SHOPIFY,
    INTEGRATION_WOOCOMMERCE,
    INTEGRATION_CUSTOM_API,
    INTEGRATION_DATABASE,
    INTEGRATION_TYPES
};
const char *integration_type_name(enum integration_type type); /* "custom_api" */
bool integration_type_parse(const char *name, enum integration_type *type);

enum integration_auth {
    AUTH_NONE,
    AUTH_API_KEY,  /* {"api_key"}, in the header that the settings name */
    AUTH_BEARER,   /* {"token"} */
    AUTH_BASIC,    /* {"username", "password"} */
    AUTH_OAUTH2,   /* {"client_id", "client_secret"}: client credentials (oauth.h) */
    AUTH_PASSWORD, /* {"username", "password"}, of a database */
    INTEGRATION_AUTHS
};
const char *integration_auth_name(enum integration_auth auth); /* "oauth2" */
bool integration_auth_parse(const char *name, enum integration_auth *auth);
/* The members of its credentials, NULL at the end. */
const char *const *integration_auth_secrets(enum integration_auth auth);

struct integration {
    const char *id;
    const char *org;
    const char *name;
    enum integration_type type;
    enum integration_auth auth;
    const char *base_url;           /* without a slash at its end; of a database host:port/name */
    const struct fd_json *settings; /* header, token_url, token_auth, scope, sslmode, ... */
    const struct fd_json *secrets;  /* NULL until integration_open() */
    int64_t revision;
};

enum endpoint_kind { ENDPOINT_HTTP, ENDPOINT_QUERY };

struct endpoint {
    const char *id;
    const char *name;
    enum endpoint_kind kind;
    const char *method;
    const char *url;              /* a template behind base_url (template.h) */
    const char *query;            /* of a database (query_text.h) */
    bool writes;                  /* its risk is not "read" */
    const struct fd_json *config; /* list, match, wrap, cache_seconds (shape.h) */
    int64_t revision;
};

/* What one call needs, by the id of its endpoint; secrets are open. DB_FAILED with
 * db_error(): there is none, or the credentials do not open. `keys` as in sealed.h. */
enum db_status integration_load(struct db *db, struct arena *a, const char *org,
                                const char *endpoint_id, const char *keys,
                                struct integration *integration, struct endpoint *endpoint);
/* The same of one that may be switched off, for its test. */
enum db_status integration_load_switched_off(struct db *db, struct arena *a, const char *org,
                                             const char *endpoint_id, const char *keys,
                                             struct integration *integration,
                                             struct endpoint *endpoint);
/* One by its id, or its name; secrets are open. */
enum db_status integration_find(struct db *db, struct arena *a, const char *org, const char *which,
                                const char *keys, struct integration *integration);
/* Overwrites the secrets' texts: the arena only frees them. */
void integration_wipe(struct integration *integration);

#endif
