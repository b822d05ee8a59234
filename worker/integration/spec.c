#include "integration/spec.h"
#include "integration/database.h"
#include "core/buf.h"
#include "net/guard.h"
#include "net/outbound_check.h"
#include "net/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define CREDENTIAL_MAX 4096
#define LAST4_FROM     12 /* of a shorter secret nothing is shown */
#define JSON_MAX       65536
#define SHOPIFY_HEADER "X-Shopify-Access-Token"

static bool __attribute__((format(printf, 3, 4)))
wrong(struct tool_problem *problem, const char *field, const char *format, ...)
{
    va_list args;

    problem->field = field;
    va_start(args, format);
    vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    return false;
}

/* -- where it is -------------------------------------------------------------------------- */

/* Credentials travel there: in clear text only where the platform's owner says so. */
static bool check_url(const char *allow, const char *url, const char *field,
                      struct tool_problem *problem)
{
    union resolved address;
    struct target target;
    char error[256];
    bool exempt, ok = true;

    if (!target_parse(&target, url, error))
        return wrong(problem, field, "%s", error);
    exempt = guard_exempts_name(allow, target.host, target.port);
    if (outbound_literal(target.host, target.port, &address)) {
        ok = outbound_judge(allow, exempt, target.host, &address.any, error) ||
             wrong(problem, field, "%s", error);
        exempt = exempt || guard_exempts_address(allow, &address.any);
    }
    if (ok && !exempt && strncasecmp(url, "http://", 7) == 0)
        ok = wrong(problem, field, "https:// would be right: credentials are sent there");
    target_free(&target);
    return ok;
}

/* Without the slashes at its end. */
static const char *trim(struct arena *a, const char *url)
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    return arena_strndup(a, url, len);
}

/* "my-shop", "my-shop.myshopify.com" and the URL of either are the same. */
static const char *shop_url(struct arena *a, const char *given, const char *domain)
{
    const char *url = trim(a, given);

    if (strstr(url, "://") != NULL)
        return url;
    if (domain != NULL && strchr(url, '.') == NULL && strchr(url, ':') == NULL)
        return arena_printf(a, "https://%s%s", url, domain);
    return arena_printf(a, "https://%s", url);
}

static bool read_url(struct arena *a, const char *allow, const struct integration_new *given,
                     struct integration_spec *spec, const char **shop, struct tool_problem *problem)
{
    const char *version = given->api_version != NULL ? given->api_version : SHOPIFY_VERSION;
    struct database_place place;

    if (given->url == NULL || given->url[0] == '\0')
        return wrong(problem, "url", "this field is required");
    if (strlen(given->url) > 2000 || strchr(given->url, '?') != NULL)
        return wrong(problem, "url", "a URL of at most 2000 bytes without ? would be right");
    switch (spec->type) {
    case INTEGRATION_SHOPIFY:
        if (version[strspn(version, "0123456789-")] != '\0' || strlen(version) != 7)
            return wrong(problem, "api_version",
                         "a version such as " SHOPIFY_VERSION " would be right");
        *shop = shop_url(a, given->url, ".myshopify.com");
        spec->base_url = arena_printf(a, "%s/admin/api/%s", *shop, version);
        break;
    case INTEGRATION_WOOCOMMERCE:
        *shop = shop_url(a, given->url, NULL);
        spec->base_url = arena_printf(a, "%s/wp-json/wc/v3", *shop);
        break;
    case INTEGRATION_DATABASE:
        spec->base_url = given->url;
        return database_place_read(given->url, &place) ||
               wrong(problem, "url", "host:port/name of the database would be right");
    case INTEGRATION_CUSTOM_API:
    case INTEGRATION_TYPES: spec->base_url = trim(a, given->url); break;
    }
    return check_url(allow, spec->base_url, "url", problem);
}

/* -- what it is told --------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(*words, text) == 0)
            return true;
    }
    return false;
}

static bool check_text_setting(const char *allow, const struct fd_json *m,
                               struct tool_problem *problem)
{
    static const char *const sslmodes[] = {"disable", "require", "verify-full", NULL};
    static const char *const token_auths[] = {"basic", "body", NULL};
    const char *headers[] = {NULL, NULL};
    char header[300], error[256];

    if (m->type != FD_JSON_STRING || m->text_len == 0 || m->text_len > 1000)
        return wrong(problem, "settings", "%.60s must be a text", m->key);
    if (strcmp(m->key, "token_url") == 0)
        return check_url(allow, m->text, "settings", problem);
    if (strcmp(m->key, "sslmode") == 0)
        return is_one_of(m->text, sslmodes) ||
               wrong(problem, "settings", "sslmode is disable, require or verify-full");
    if (strcmp(m->key, "token_auth") == 0)
        return is_one_of(m->text, token_auths) ||
               wrong(problem, "settings", "token_auth is basic or body");
    if (strcmp(m->key, "test_path") == 0)
        return m->text[0] == '/' || wrong(problem, "settings", "test_path begins with /");
    if (strcmp(m->key, "header") != 0)
        return true;
    snprintf(header, sizeof(header), "%.250s: x", m->text);
    headers[0] = header;
    return (outbound_check_headers(headers, error) && strchr(m->text, ':') == NULL) ||
           wrong(problem, "settings", "header must be the name of a header that is free");
}

bool spec_check_settings(const char *allow, enum integration_type type,
                         const struct fd_json *settings, struct tool_problem *problem)
{
    static const char *const texts[] = {"header",    "token_url", "token_auth", "scope",
                                        "test_path", "sslmode",   NULL};

    if (settings == NULL)
        return true;
    if (settings->type != FD_JSON_OBJECT)
        return wrong(problem, "settings", "a JSON object would be right");
    for (const struct fd_json *m = settings->child; m != NULL; m = m->next) {
        if (strcmp(m->key, "timeout_ms") == 0) {
            if (!m->is_integer || m->integer < 500 || m->integer > 30000)
                return wrong(problem, "settings", "timeout_ms is from 500 to 30000");
        } else if (!is_one_of(m->key, texts)) {
            return wrong(problem, "settings", "there is no setting %.60s", m->key);
        } else if (!check_text_setting(allow, m, problem)) {
            return false;
        }
    }
    return type == INTEGRATION_DATABASE || fd_json_get(settings, "sslmode") == NULL ||
           wrong(problem, "settings", "sslmode is for a database");
}

/* The given ones, and those that follow from the type. */
static const char *settings_json(struct arena *a, const struct integration_new *given,
                                 const struct integration_spec *spec, const char *shop)
{
    const char *json = NULL;
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, JSON_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (const struct fd_json *m = given->settings != NULL ? given->settings->child : NULL;
         m != NULL; m = m->next) {
        fd_jw_key(&w, m->key);
        fd_jw_json(&w, m);
    }
    if (spec->type == INTEGRATION_SHOPIFY && fd_json_get(given->settings, "header") == NULL)
        fd_jw_member(&w, "header", SHOPIFY_HEADER);
    if (spec->type == INTEGRATION_SHOPIFY && spec->auth == AUTH_OAUTH2 &&
        fd_json_get(given->settings, "token_url") == NULL) {
        fd_jw_member(&w, "token_url", arena_printf(a, "%s/admin/oauth/access_token", shop));
        fd_jw_member(&w, "token_auth", "body");
    }
    fd_jw_end_object(&w);
    if (buf_json_end(&out, &w))
        json = arena_strndup(a, out.data, out.len);
    buf_free(&out);
    return json;
}

/* -- how it signs in ------------------------------------------------------------------------------
 */

/* What shops call their credentials is understood too. */
static const char *plain_name(const char *name)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {{"access_token", "api_key"},
                 {"consumer_key", "username"},
                 {"consumer_secret", "password"},
                 {"user", "username"}};

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(names[i].theirs, name) == 0)
            return names[i].ours;
    }
    return name;
}

static enum integration_auth usual_auth(enum integration_type type,
                                        const struct fd_json *credentials)
{
    if (fd_json_get(credentials, "client_id") != NULL)
        return AUTH_OAUTH2;
    switch (type) {
    case INTEGRATION_SHOPIFY: return AUTH_API_KEY;
    case INTEGRATION_WOOCOMMERCE: return AUTH_BASIC;
    case INTEGRATION_DATABASE: return AUTH_PASSWORD;
    case INTEGRATION_CUSTOM_API:
    case INTEGRATION_TYPES: break;
    }
    return fd_json_get(credentials, "api_key") != NULL    ? AUTH_API_KEY
           : fd_json_get(credentials, "token") != NULL    ? AUTH_BEARER
           : fd_json_get(credentials, "username") != NULL ? AUTH_BASIC
                                                          : AUTH_NONE;
}

/* What may stand in a header or a form; a space only within a password. */
static bool is_credential(const struct fd_json *m)
{
    if (m->type != FD_JSON_STRING || m->text_len == 0 || m->text_len > CREDENTIAL_MAX)
        return false;
    for (size_t i = 0; i < m->text_len; i++) {
        if ((unsigned char)m->text[i] < 0x20 || m->text[i] == 0x7f)
            return false;
    }
    return true;
}

static bool check_credentials(enum integration_auth auth, const struct fd_json *given,
                              struct tool_problem *problem)
{
    const char *const *wanted = integration_auth_secrets(auth);
    size_t count = 0, given_count = given != NULL ? given->count : 0;

    if (given != NULL && given->type != FD_JSON_OBJECT)
        return wrong(problem, "credentials", "a JSON object would be right");
    for (size_t i = 0; wanted[i] != NULL; i++) {
        const struct fd_json *found = NULL;

        for (const struct fd_json *m = given_count > 0 ? given->child : NULL; m != NULL;
             m = m->next) {
            if (strcmp(plain_name(m->key), wanted[i]) == 0)
                found = m;
        }
        if (found == NULL || !is_credential(found))
            return wrong(problem, "credentials", "%s needs %s%s%s, each a text",
                         integration_auth_name(auth), wanted[0], wanted[1] != NULL ? " and " : "",
                         wanted[1] != NULL ? wanted[1] : "");
        count++;
    }
    return count == given_count ||
           wrong(problem, "credentials", "%s takes nothing but%s%s%s%s",
                 integration_auth_name(auth), wanted[0] != NULL ? " " : " no credentials",
                 wanted[0] != NULL ? wanted[0] : "",
                 wanted[0] != NULL && wanted[1] != NULL ? " and " : "",
                 wanted[0] != NULL && wanted[1] != NULL ? wanted[1] : "");
}

static void write_last4(struct fd_json_writer *w, const struct fd_json *m)
{
    size_t from = m->text_len > 4 ? m->text_len - 4 : 0;

    /* a character is not cut in two: continuation bytes go */
    while (from < m->text_len && ((unsigned char)m->text[from] & 0xc0) == 0x80)
        from++;
    fd_jw_key(w, plain_name(m->key));
    fd_jw_string(w, m->text + from, m->text_len >= LAST4_FROM ? m->text_len - from : 0);
}

static const char *credentials_json(struct arena *a, const struct fd_json *given, bool last4)
{
    const char *json = NULL;
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, JSON_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (const struct fd_json *m = given != NULL ? given->child : NULL; m != NULL; m = m->next) {
        if (last4)
            write_last4(&w, m);
        else
            fd_jw_member(&w, plain_name(m->key), m->text);
    }
    fd_jw_end_object(&w);
    if (buf_json_end(&out, &w))
        json = arena_strndup(a, out.data, out.len);
    buf_free(&out);
    return json;
}

bool spec_read_credentials(struct arena *a, enum integration_type type, enum integration_auth auth,
                           const struct fd_json *given, struct integration_spec *spec,
                           struct tool_problem *problem)
{
    if ((type == INTEGRATION_DATABASE) != (auth == AUTH_PASSWORD))
        return wrong(problem, "auth", "%s cannot sign in by %s", integration_type_name(type),
                     integration_auth_name(auth));
    if (!check_credentials(auth, given, problem))
        return false;
    spec->credentials = auth != AUTH_NONE ? credentials_json(a, given, false) : NULL;
    spec->last4 = credentials_json(a, given, true);
    return true;
}

bool spec_read(struct arena *a, const char *allow, const struct integration_new *given,
               struct integration_spec *spec, struct tool_problem *problem)
{
    const char *shop = NULL;

    *spec = (struct integration_spec){0};
    if (given->type == NULL || !integration_type_parse(given->type, &spec->type))
        return wrong(problem, "type",
                     "shopify, woocommerce, custom_api or database would be right");
    if (given->name == NULL || given->name[0] == '\0' || strlen(given->name) > 100)
        return wrong(problem, "name", "a text of 1 to 100 bytes would be right");
    spec->auth = usual_auth(spec->type, given->credentials);
    if (given->auth != NULL && !integration_auth_parse(given->auth, &spec->auth))
        return wrong(problem, "auth",
                     "none, api_key, bearer, basic, oauth2 or password would be right");
    if (!read_url(a, allow, given, spec, &shop, problem) ||
        !spec_check_settings(allow, spec->type, given->settings, problem) ||
        !spec_read_credentials(a, spec->type, spec->auth, given->credentials, spec, problem))
        return false;
    if (spec->auth == AUTH_OAUTH2 && spec->type != INTEGRATION_SHOPIFY &&
        fd_json_string(given->settings, "token_url") == NULL)
        return wrong(problem, "settings", "oauth2 needs token_url");
    spec->settings = settings_json(a, given, spec, shop);
    return spec->settings != NULL || wrong(problem, "settings", "they are too long");
}
