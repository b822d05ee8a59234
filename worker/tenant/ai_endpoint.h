/*
 * Ai endpoint: an organisation's own model server (ENG-1): who answers in place of the
 * platform's providers, and who makes embeddings. Its key is sealed (tenant/sealed.h); of it
 * the last four characters are all that ever comes back. A server that is named by its URL is
 * a stranger's: net/outbound.h reaches it. On a pool thread or in a command.
 */
#ifndef FD_TENANT_AI_ENDPOINT_H
#define FD_TENANT_AI_ENDPOINT_H

#include "core/config.h"
#include "tenant/ai_settings.h"

enum ai_endpoint_kind { AI_ENDPOINT_CHAT, AI_ENDPOINT_EMBEDDING };
#define AI_ENDPOINT_KINDS 2
const char *ai_endpoint_kind_name(enum ai_endpoint_kind kind); /* "chat", "embedding" */

#define AI_ENDPOINT_JSON_MAX 16384

/* As calls use it. */
struct ai_endpoint {
    const char *provider; /* NULL: the organisation has none */
    const char *base_url; /* NULL: the provider's own */
    const char *model;    /* of embeddings */
    int dimensions;       /* 0: the model's own */
    const char *api_key;  /* NULL = none is set */
    bool broken;          /* there is a key, but it cannot be opened: it is in the log */
    int64_t revision;
};

/* Of what was embedded. */
struct ai_vectors {
    int64_t version;  /* how many batches there were */
    bool in_database; /* PostgreSQL searches them: migrations/0026_vectors.sql */
};

/* Both kinds; strings in `a`, which holds keys then: arena_wipe(). */
enum db_status ai_endpoints_load(struct db *db, struct arena *a, const char *vault_keys,
                                 const char *org, struct ai_endpoint list[AI_ENDPOINT_KINDS],
                                 struct ai_vectors *vectors);

/* {provider, base_url, model, dimensions, api_key: {set, ends_with}, last_test, updated_at};
 * without one {provider: null}. */
enum db_status ai_endpoint_show(struct db *db, const char *org, enum ai_endpoint_kind kind,
                                struct buf *out);
/* Some of provider, base_url, api_key, model, dimensions; null takes a value away. A key goes
 * to no server that it was not given for: whoever changes that, gives it again. */
enum db_status ai_endpoint_change(struct db *db, const struct config *config, const char *org,
                                  enum ai_endpoint_kind kind, const struct fd_json *patch,
                                  struct ai_fault *fault, struct buf *out);
enum db_status ai_endpoint_remove(struct db *db, const char *org, enum ai_endpoint_kind kind,
                                  bool *found);

/* Asks it something small, and keeps how that went: {ok, ms, status, detail}. *found false:
 * there is none. */
enum db_status ai_endpoint_test(struct db *db, const struct config *config, const char *org,
                                enum ai_endpoint_kind kind, bool *found, struct buf *out);

/* Where a kind's requests go, without a slash at the end. */
const char *ai_endpoint_url(const struct ai_endpoint *endpoint);

#endif
