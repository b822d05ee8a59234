#include "integration/shape.h"
#include "tool/line.h"
#include "tool/plain.h"
#include "tool/result.h"
#include "tool/shown.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NODES_MAX   100000 /* values of an answer */
#define DEPTH_MAX   24
#define DETAIL_SIZE 512
#define SAID_MAX    300 /* bytes of an API's error that the model is shown */
#define RULES_MAX   8

struct shaping {
    struct arena *a;
    const struct integration *integration;
    const struct endpoint *endpoint;
    const struct fd_json *arguments;
    const struct outbound_response *response;
    struct tool_result *result;
};

const char *shape_hint(enum integration_type type, int status)
{
    bool shopify = type == INTEGRATION_SHOPIFY, woo = type == INTEGRATION_WOOCOMMERCE;

    switch (status) {
    case 401:
        return shopify ? "the access token is not this shop's, or the app was uninstalled"
               : woo   ? "the consumer key or secret is wrong or revoked; some hosts drop the "
                         "Authorization header"
                       : "the credentials are not accepted";
    case 403:
        return shopify ? "the app lacks a scope, such as read_orders, read_products or "
                         "read_inventory"
               : woo   ? "the key has no read permission, or a security plugin blocks the API"
                       : "the credentials are accepted but may not do this";
    case 404:
        return shopify ? "there is nothing at this URL: check the shop's URL and the API version"
               : woo   ? "there is no REST API at this URL: check the shop's URL, and that "
                         "permalinks are not \"Plain\""
                       : "there is nothing at this URL: check the base URL and the endpoint's path";
    case 402: return shopify ? "the shop is frozen: it has unpaid bills" : NULL;
    case 406: return "it does not answer JSON here";
    case 423: return shopify ? "the shop is locked" : NULL;
    case 429: return "too many calls for its limit: they succeed again after a while";
    default: return status >= 500 ? "the fault is on its side" : NULL;
    }
}

/* -- failures --------------------------------------------------------------------------- */

static enum tool_failure failure_of(enum outbound_failure failure)
{
    switch (failure) {
    case OUTBOUND_BAD_URL:
    case OUTBOUND_BAD_HEADER:
    case OUTBOUND_BLOCKED:
    case OUTBOUND_REDIRECT: return TOOL_BLOCKED;
    case OUTBOUND_RESOLVE:
    case OUTBOUND_CONNECT:
    case OUTBOUND_TLS: return TOOL_UNREACHABLE;
    case OUTBOUND_TIMEOUT: return TOOL_TIMEOUT;
    case OUTBOUND_CUT:
    case OUTBOUND_TOO_LARGE: return TOOL_RESPONSE;
    case OUTBOUND_OK: break;
    }
    return TOOL_FAILED;
}

static void fail(struct shaping *s, enum tool_failure failure, const char *code,
                 const char *message, const char *detail)
{
    tool_result_fail(s->result, s->a, failure, s->endpoint->writes ? TOOL_WRITE : TOOL_READ, code,
                     message);
    s->result->operator_detail = detail;
}

/* What the API says about its refusal, for the model to correct itself. */
static const char *refusal(struct shaping *s)
{
    const struct outbound_response *r = s->response;
    char *message = arena_alloc(s->a, DETAIL_SIZE);
    struct line line;

    line_init(&line, message, DETAIL_SIZE);
    line_add(&line, "The system refused the values");
    if (!plain_is_html(r->content_type, r->body, r->body_len) && r->body_len > 0) {
        line_add(&line, ": ");
        line_quote(&line, r->body, r->body_len, SAID_MAX);
    }
    return message;
}

static void fail_status(struct shaping *s)
{
    int status = s->response->status;
    const char *hint = shape_hint(s->integration->type, status);
    const char *detail = arena_printf(s->a, "HTTP %d%s%s", status, hint != NULL ? ": " : "",
                                      hint != NULL ? hint : "");

    if (status == 400 || status == 409 || status == 422)
        fail(s, TOOL_HTTP, "refused", refusal(s), detail);
    else if (status == 429)
        fail(s, TOOL_HTTP, "rate_limited", "The system is busy. Nothing was done.", detail);
    else
        fail(s, TOOL_HTTP, NULL, NULL, detail);
}

/* -- choosing ----------------------------------------------------------------------------- */

/* "billing.email" of an element; "" is the element. */
static const struct fd_json *field(const struct fd_json *value, const char *path)
{
    char name[128];

    while (*path != '\0' && value != NULL) {
        size_t len = strcspn(path, ".");

        if (len >= sizeof(name))
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        value = fd_json_get(value, name);
        path += len;
        path += *path == '.';
    }
    return value;
}

/* "#1001" is 1001, and the case of a mail address means nothing. */
static bool same(const struct fd_json *value, const struct fd_json *wanted)
{
    const char *a, *b;

    if (value == NULL || value->text == NULL || wanted->text == NULL)
        return false;
    a = value->text + strspn(value->text, " #");
    b = wanted->text + strspn(wanted->text, " #");
    return *a != '\0' && strcasecmp(a, b) == 0;
}

static bool matches(const struct shaping *s, const struct fd_json *element)
{
    const struct fd_json *rules = fd_json_get(s->endpoint->config, "match");

    for (const struct fd_json *rule = rules != NULL ? rules->child : NULL; rule != NULL;
         rule = rule->next) {
        const struct fd_json *wanted = fd_json_get(s->arguments, fd_json_string(rule, "argument"));

        if (wanted == NULL || wanted->type == FD_JSON_NULL)
            continue;
        if (!same(field(element, fd_json_string(rule, "field")), wanted))
            return false;
    }
    return true;
}

static struct fd_json *keep_matching(struct shaping *s, const struct fd_json *list)
{
    struct fd_json *kept = arena_zalloc(s->a, sizeof(*kept));
    struct fd_json **end = &kept->child;

    *kept = *list;
    kept->count = 0;
    kept->next = NULL;
    for (const struct fd_json *element = list->child; element != NULL; element = element->next) {
        if (!matches(s, element))
            continue;
        *end = arena_alloc(s->a, sizeof(**end));
        **end = *element;
        end = &(*end)->next;
        kept->count++;
    }
    *end = NULL;
    return kept;
}

/* NULL: an answer of this shape was not expected. */
static const struct fd_json *choose(struct shaping *s, const struct fd_json *answer)
{
    const char *where = fd_json_string(s->endpoint->config, "list");
    const struct fd_json *rules = fd_json_get(s->endpoint->config, "match");
    const struct fd_json *list = where != NULL ? field(answer, where) : answer;

    if (where != NULL && (list == NULL || list->type != FD_JSON_ARRAY))
        return NULL;
    if (rules == NULL || rules->count == 0)
        return list;
    if (list->type == FD_JSON_ARRAY)
        return keep_matching(s, list);
    if (matches(s, list))
        return list;
    list = arena_zalloc(s->a, sizeof(*list));
    return list; /* null: it is somebody else's, which is not said */
}

/* -- answers --------------------------------------------------------------------------------- */

static void show(struct shaping *s, const char *json, size_t len)
{
    s->result->failure = TOOL_OK;
    s->result->json = json;
    s->result->len = len;
}

static void show_nothing_found(struct shaping *s)
{
    static const char nothing[] = "{\"found\":false}";

    show(s, nothing, sizeof(nothing) - 1);
}

static bool is_json(const char *content_type, const char *body)
{
    body += strspn(body, " \t\r\n");
    return strstr(content_type, "json") != NULL || *body == '{' || *body == '[';
}

static void show_json(struct shaping *s)
{
    const struct outbound_response *r = s->response;
    struct fd_json_limits limits = {.depth = DEPTH_MAX, .nodes = NODES_MAX};
    struct fd_json_fault fault;
    const struct fd_json *answer =
        fd_json_parse(r->body, r->body_len, limits, arena_allocator(s->a), &fault);
    const struct fd_json *chosen = answer != NULL ? choose(s, answer) : NULL;
    const char *json;
    size_t len;

    if (answer == NULL) {
        fail(s, TOOL_RESPONSE, NULL, NULL,
             arena_printf(s->a, "the answer is not usable JSON: %s",
                          fd_json_error_text(fault.error)));
        return;
    }
    if (chosen == NULL) {
        fail(s, TOOL_RESPONSE, NULL, NULL,
             arena_printf(s->a, "the answer has no list \"%s\"",
                          fd_json_string(s->endpoint->config, "list")));
        return;
    }
    if (chosen->type == FD_JSON_NULL) {
        show_nothing_found(s);
        return;
    }
    json = shown_json(s->a, chosen, NULL, TOOL_RESULT_MAX, &len);
    show(s, json, len);
}

static void show_text(struct shaping *s)
{
    const struct outbound_response *r = s->response;
    const char *json;
    struct buf text;
    size_t len;

    if (plain_is_html(r->content_type, r->body, r->body_len)) {
        fail(s, TOOL_RESPONSE, NULL, NULL,
             "an HTML page came instead of data: the URL is a page, or asks to sign in");
        return;
    }
    buf_init(&text, r->body_len + 1);
    plain_of_text(&text, r->body, r->body_len);
    json = shown_text(s->a, text.data != NULL ? text.data : "", text.len, TOOL_RESULT_MAX, &len);
    show(s, json, len);
    buf_free(&text);
}

static void show_done(struct shaping *s)
{
    static const char done[] = "{\"ok\":true}";

    if (s->endpoint->writes && s->response->status == 204)
        show(s, done, sizeof(done) - 1);
    else
        fail(s, TOOL_RESPONSE, NULL, NULL, "a success without an answer");
}

/* An argument is a part of the path: 404 says that there is no such thing. */
static bool names_a_thing(const struct endpoint *endpoint)
{
    size_t path = strcspn(endpoint->url, "?");

    return !endpoint->writes && memchr(endpoint->url, '{', path) != NULL;
}

void shape_response(struct arena *a, const struct integration *integration,
                    const struct endpoint *endpoint, const struct fd_json *arguments,
                    const struct outbound_response *response, struct tool_result *result)
{
    struct shaping s = {a, integration, endpoint, arguments, response, result};

    *result = (struct tool_result){.status = response->status, .ms = response->ms};
    if (response->failure != OUTBOUND_OK)
        fail(&s, failure_of(response->failure), NULL, NULL, arena_strdup(a, response->error));
    else if (response->status == 404 && names_a_thing(endpoint))
        show_nothing_found(&s);
    else if (response->status < 200 || response->status > 299)
        fail_status(&s);
    else if (response->body_len == 0)
        show_done(&s);
    else if (is_json(response->content_type, response->body))
        show_json(&s);
    else if (fd_json_get(endpoint->config, "match") != NULL)
        fail(&s, TOOL_RESPONSE, NULL, NULL, "the answer is not JSON: whose it is cannot be seen");
    else
        show_text(&s);
}

void shape_rows(struct arena *a, const char *json, size_t len, struct tool_result *result)
{
    struct fd_json_limits limits = {.depth = DEPTH_MAX, .nodes = NODES_MAX};
    struct fd_json_fault fault;
    const struct fd_json *rows = fd_json_parse(json, len, limits, arena_allocator(a), &fault);

    *result = (struct tool_result){0};
    if (rows == NULL) {
        tool_result_fail(result, a, TOOL_RESPONSE, TOOL_READ, NULL, NULL);
        result->operator_detail = fd_json_error_text(fault.error);
        return;
    }
    result->json = shown_json(a, rows, NULL, TOOL_RESULT_MAX, &result->len);
}

/* -- the config ----------------------------------------------------------------------------- */

static bool wrong(char error[256], const char *what)
{
    snprintf(error, 256, "config: %s", what);
    return false;
}

static bool check_rules(const struct fd_json *rules, char error[256])
{
    if (rules->type != FD_JSON_ARRAY || rules->count > RULES_MAX)
        return wrong(error, "\"match\" must be a list of at most 8 rules");
    for (const struct fd_json *rule = rules->child; rule != NULL; rule = rule->next) {
        if (fd_json_string(rule, "field") == NULL || fd_json_string(rule, "argument") == NULL ||
            rule->count != 2)
            return wrong(error, "a rule of \"match\" is {\"field\": ..., \"argument\": ...}");
    }
    return true;
}

bool shape_config_check(const struct fd_json *config, char error[256])
{
    if (config->type != FD_JSON_OBJECT)
        return wrong(error, "it must be a JSON object");
    for (const struct fd_json *m = config->child; m != NULL; m = m->next) {
        if (strcmp(m->key, "match") == 0) {
            if (!check_rules(m, error))
                return false;
        } else if (strcmp(m->key, "list") == 0 || strcmp(m->key, "wrap") == 0) {
            if (m->type != FD_JSON_STRING || m->text_len > 100)
                return wrong(error, "\"list\" and \"wrap\" are texts");
        } else if (strcmp(m->key, "cache_seconds") == 0) {
            if (!m->is_integer || m->integer < 0 || m->integer > SHAPE_CACHE_S_MAX)
                return wrong(error, "\"cache_seconds\" is from 0 to 600");
        } else {
            return wrong(error, "it may have list, match, wrap and cache_seconds only");
        }
    }
    return true;
}

int64_t shape_cache_seconds(const struct endpoint *endpoint)
{
    bool reads = !endpoint->writes &&
                 (endpoint->kind == ENDPOINT_QUERY || strcmp(endpoint->method, "GET") == 0);
    int64_t seconds = fd_json_int(endpoint->config, "cache_seconds",
                                  endpoint->kind == ENDPOINT_QUERY ? 0 : SHAPE_CACHE_S);

    return reads ? seconds : 0;
}
