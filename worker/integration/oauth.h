/*
 * Oauth: access tokens by client credentials (RFC 6749, 4.4) and where they wait for
 * their next use: in this process, per organisation, integration and revision, never
 * longer than the server said.
 */
#ifndef FD_INTEGRATION_OAUTH_H
#define FD_INTEGRATION_OAUTH_H

#include "integration/integration.h"
#include "net/outbound.h"

#include <stdint.h>

/* The request for a token. The settings: token_url, scope, token_auth "basic" (usual) or
 * "body". False: error says what is missing. */
bool oauth_request(struct arena *a, const struct integration *integration,
                   struct outbound_options *options, char error[256]);
/* NULL: error says for the operator why there is none. *lifetime_s is what remains of it
 * after a margin. */
const char *oauth_token(struct arena *a, const struct outbound_response *response,
                        int64_t *lifetime_s, char error[256]);

struct token_cache; /* one a loop */
struct token_cache *token_cache_new(void);
void token_cache_free(struct token_cache *cache);
/* Copied into the arena; NULL: none that is still good. now_ms is monotonic. */
const char *token_cache_get(struct token_cache *cache, struct arena *a,
                            const struct integration *integration, int64_t now_ms);
void token_cache_put(struct token_cache *cache, const struct integration *integration,
                     const char *token, int64_t lifetime_s, int64_t now_ms);
/* It was refused. */
void token_cache_drop(struct token_cache *cache, const struct integration *integration);

#endif
