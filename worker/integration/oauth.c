#include "integration/oauth.h"
#include "integration/request.h"
#include "core/buf.h"
#include "tool/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>
/* The default one falls through in a switch, which clang warns of. */
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>

#define TOKEN_MAX        8000 /* bytes */
#define REPLY_MAX        65536
#define LIFETIME_UNKNOWN 300 /* s */
#define LIFETIME_MAX     86400
#define MARGIN_S         30 /* clocks differ, and a call takes its time */
#define TOKENS_MAX       1000
#define TOKEN_MS         10000
#define UNRESERVED       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

/* application/x-www-form-urlencoded */
static const char *encode(struct arena *a, const char *s)
{
    char *out = arena_alloc(a, 3 * strlen(s) + 1), *end = out;

    for (; *s != '\0'; s++) {
        if (strchr(UNRESERVED, *s) != NULL)
            *end++ = *s;
        else
            end += snprintf(end, 4, "%%%02X", (unsigned char)*s);
    }
    *end = '\0';
    return out;
}

bool oauth_request(struct arena *a, const struct integration *integration,
                   struct outbound_options *options, char error[256])
{
    const struct fd_json *settings = integration->settings;
    const char *url = fd_json_string(settings, "token_url");
    const char *scope = fd_json_string(settings, "scope");
    const char *how = fd_json_string(settings, "token_auth");
    const char *id = fd_json_string(integration->secrets, "client_id");
    const char *secret = fd_json_string(integration->secrets, "client_secret");
    const char **headers = arena_zalloc(a, 4 * sizeof(*headers));
    const char *body = "grant_type=client_credentials";

    if (url == NULL || id == NULL || secret == NULL) {
        snprintf(error, 256, "OAuth2 needs token_url, client_id and client_secret");
        return false;
    }
    if (scope != NULL)
        body = arena_printf(a, "%s&scope=%s", body, encode(a, scope));
    headers[0] = "Content-Type: application/x-www-form-urlencoded";
    headers[1] = "Accept: application/json";
    if (how != NULL && strcmp(how, "body") == 0)
        body = arena_printf(a, "%s&client_id=%s&client_secret=%s", body, encode(a, id),
                            encode(a, secret));
    else
        headers[2] = arena_printf(a, "Authorization: %s",
                                  basic_credentials(a, encode(a, id), encode(a, secret)));
    *options = (struct outbound_options){.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .body = body,
                                         .body_len = strlen(body),
                                         .total_ms = TOKEN_MS,
                                         .max_body = REPLY_MAX};
    return true;
}

/* "the token request failed with 401: invalid_client" */
static void describe(const struct outbound_response *response, const struct fd_json *json,
                     char error[256])
{
    const char *code = fd_json_string(json, "error");
    struct line line;

    line_init(&line, error, 256);
    if (response->failure != OUTBOUND_OK) {
        line_add(&line, "no OAuth2 token: %.200s", response->error);
        return;
    }
    line_add(&line, "no OAuth2 token: the token URL answered %d", response->status);
    if (code != NULL) {
        line_add(&line, " ");
        line_quote(&line, code, strlen(code), 60);
    }
    if (response->status == 200)
        line_add(&line, " without an access_token of type Bearer");
    else if (response->status == 400 || response->status == 401)
        line_add(&line, "; check client_id, client_secret, scope and token_auth");
    else if (response->status == 404)
        line_add(&line, "; check token_url");
}

/* What may stand in a header. */
static bool is_token(const char *s)
{
    size_t len = strlen(s);

    for (size_t i = 0; i < len; i++) {
        if (s[i] <= 0x20 || s[i] >= 0x7f)
            return false;
    }
    return len > 0 && len <= TOKEN_MAX;
}

const char *oauth_token(struct arena *a, const struct outbound_response *response,
                        int64_t *lifetime_s, char error[256])
{
    struct fd_json_fault fault;
    const struct fd_json *json = NULL;
    const char *token, *type;
    int64_t expires;

    if (response->failure == OUTBOUND_OK)
        json = fd_json_parse(response->body, response->body_len, (struct fd_json_limits){0},
                             arena_allocator(a), &fault);
    token = fd_json_string(json, "access_token");
    type = fd_json_string(json, "token_type");
    expires = fd_json_int(json, "expires_in", LIFETIME_UNKNOWN);
    if (response->failure != OUTBOUND_OK || response->status != 200 || token == NULL ||
        !is_token(token) || (type != NULL && strcasecmp(type, "bearer") != 0)) {
        describe(response, json, error);
        return NULL;
    }
    if (expires > LIFETIME_MAX)
        expires = LIFETIME_MAX;
    *lifetime_s = expires > 2 * MARGIN_S ? expires - MARGIN_S : expires / 2;
    return token;
}

/* -- the cache -------------------------------------------------------------------------- */

struct token {
    char key[128]; /* org|integration|revision */
    char *text;
    int64_t until_ms;
    UT_hash_handle hh;
};

struct token_cache {
    struct token *tokens; /* the oldest first */
};

struct token_cache *token_cache_new(void)
{
    struct token_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL)
        abort();
    return cache;
}

static void drop(struct token_cache *cache, struct token *token)
{
    HASH_DEL(cache->tokens, token);
    sodium_memzero(token->text, strlen(token->text));
    free(token->text);
    free(token);
}

void token_cache_free(struct token_cache *cache)
{
    while (cache->tokens != NULL)
        drop(cache, cache->tokens);
    free(cache);
}

static void key_of(const struct integration *i, char key[128])
{
    snprintf(key, 128, "%.40s|%.40s|%lld", i->org, i->id, (long long)i->revision);
}

static struct token *find(struct token_cache *cache, const struct integration *integration)
{
    struct token *token;
    char key[128];

    key_of(integration, key);
    HASH_FIND_STR(cache->tokens, key, token);
    return token;
}

const char *token_cache_get(struct token_cache *cache, struct arena *a,
                            const struct integration *integration, int64_t now_ms)
{
    struct token *token = find(cache, integration);

    if (token != NULL && token->until_ms <= now_ms) {
        drop(cache, token);
        token = NULL;
    }
    return token != NULL ? arena_strdup(a, token->text) : NULL;
}

void token_cache_put(struct token_cache *cache, const struct integration *integration,
                     const char *text, int64_t lifetime_s, int64_t now_ms)
{
    struct token *token;

    token_cache_drop(cache, integration);
    if (lifetime_s <= 0)
        return;
    if (HASH_COUNT(cache->tokens) == TOKENS_MAX)
        drop(cache, cache->tokens);
    token = calloc(1, sizeof(*token));
    if (token == NULL || (token->text = strdup(text)) == NULL)
        abort();
    key_of(integration, token->key);
    token->until_ms = now_ms + 1000 * lifetime_s;
    HASH_ADD_STR(cache->tokens, key, token);
}

void token_cache_drop(struct token_cache *cache, const struct integration *integration)
{
    struct token *token = find(cache, integration);

    if (token != NULL)
        drop(cache, token);
}
