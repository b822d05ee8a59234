#include "integration/request.h"
#include "integration/template.h"
#include "core/buf.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define HEADERS_MAX 6

const char *basic_credentials(struct arena *a, const char *username, const char *password)
{
    const char *pair = arena_printf(a, "%s:%s", username, password);
    size_t size = sodium_base64_ENCODED_LEN(strlen(pair), sodium_base64_VARIANT_ORIGINAL);
    char *encoded = arena_alloc(a, size);

    sodium_bin2base64(encoded, size, (const unsigned char *)pair, strlen(pair),
                      sodium_base64_VARIANT_ORIGINAL);
    return arena_printf(a, "Basic %s", encoded);
}

/* The header that the settings name, else the usual one. */
static const char *token_header(struct arena *a, const struct integration *i, const char *usual,
                                const char *prefix, const char *secret)
{
    const char *named = fd_json_string(i->settings, "header");

    if (named != NULL)
        return arena_printf(a, "%s: %s", named, secret);
    return arena_printf(a, "%s: %s%s", usual, prefix, secret);
}

/* NULL: none is needed, or a credential is missing. */
static const char *auth_header(struct arena *a, const struct integration *i, const char *token)
{
    const struct fd_json *s = i->secrets;
    const char *key = fd_json_string(s, "api_key"), *bearer = fd_json_string(s, "token");
    const char *username = fd_json_string(s, "username");
    const char *password = fd_json_string(s, "password");

    switch (i->auth) {
    case AUTH_API_KEY: return key != NULL ? token_header(a, i, "X-API-Key", "", key) : NULL;
    case AUTH_BEARER:
        return bearer != NULL ? token_header(a, i, "Authorization", "Bearer ", bearer) : NULL;
    case AUTH_OAUTH2:
        return token != NULL ? token_header(a, i, "Authorization", "Bearer ", token) : NULL;
    case AUTH_BASIC:
        return username != NULL && password != NULL
                   ? arena_printf(a, "Authorization: %s", basic_credentials(a, username, password))
                   : NULL;
    case AUTH_NONE:
    case AUTH_PASSWORD:
    case INTEGRATION_AUTHS: break;
    }
    return NULL;
}

static bool set_headers(struct arena *a, const struct integration *i, const char *token,
                        const char *key, struct outbound_options *options, char error[256])
{
    const char **headers = arena_zalloc(a, HEADERS_MAX * sizeof(*headers));
    const char *auth = auth_header(a, i, token);
    size_t count = 0;

    options->headers = headers;
    headers[count++] = "Accept: application/json";
    if (options->body != NULL)
        headers[count++] = "Content-Type: application/json";
    if (key != NULL)
        headers[count++] = arena_printf(a, "Idempotency-Key: %s", key);
    if (auth != NULL)
        headers[count++] = auth;
    if (auth == NULL && i->auth != AUTH_NONE) {
        snprintf(error, 256, "the credentials are incomplete: give them again");
        return false;
    }
    return true;
}

static bool has_body(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0;
}

/* The arguments that are not in the URL, in {"wrap": ...} where the API wants it so. */
static bool set_body(struct arena *a, const struct endpoint *endpoint,
                     const struct fd_json *arguments, struct outbound_options *options,
                     char error[256])
{
    const char *wrap = fd_json_string(endpoint->config, "wrap");
    struct template_names names;
    struct fd_json_writer w;
    struct buf out;
    bool ok;

    if (!template_check(a, endpoint->url, &names, error))
        return false;
    buf_init(&out, ENDPOINT_BODY_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    if (wrap != NULL) {
        fd_jw_key(&w, wrap);
        fd_jw_object(&w);
    }
    for (const struct fd_json *v = arguments->child; v != NULL; v = v->next) {
        if (template_has(&names, v->key))
            continue;
        fd_jw_key(&w, v->key);
        fd_jw_json(&w, v);
    }
    if (wrap != NULL)
        fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    ok = buf_json_end(&out, &w);
    if (ok) {
        options->body = arena_strndup(a, out.data, out.len);
        options->body_len = out.len;
    } else {
        snprintf(error, 256, "the arguments are too long");
    }
    buf_free(&out);
    return ok;
}

static void set_bounds(const struct integration *i, struct outbound_options *options)
{
    options->total_ms = (int)fd_json_int(i->settings, "timeout_ms", ENDPOINT_MS);
    options->max_body = ENDPOINT_BODY_MAX;
}

bool endpoint_request(struct arena *a, const struct integration *integration,
                      const struct endpoint *endpoint, const struct fd_json *arguments,
                      const char *token, const char *key, struct outbound_options *options,
                      char error[256])
{
    bool body = has_body(endpoint->method);

    *options = (struct outbound_options){.method = endpoint->method};
    set_bounds(integration, options);
    options->url = template_expand(a, integration->base_url, endpoint->url, arguments,
                                   !body && strchr(endpoint->url, '?') == NULL, error);
    return options->url != NULL && (!body || set_body(a, endpoint, arguments, options, error)) &&
           set_headers(a, integration, token, key, options, error);
}

bool integration_request(struct arena *a, const struct integration *integration, const char *path,
                         const char *token, struct outbound_options *options, char error[256])
{
    *options = (struct outbound_options){.method = "GET"};
    set_bounds(integration, options);
    options->url = arena_printf(a, "%s%s", integration->base_url, path);
    return set_headers(a, integration, token, NULL, options, error);
}
