/* integration/: a call of an endpoint - URLs from templates, requests, tokens, queries, and
 * what the model is shown (ENG-11) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "integration/oauth.h"
#include "integration/query_text.h"
#include "integration/request.h"
#include "integration/shape.h"
#include "integration/template.h"
#include "json_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char error[256];

static int set_up(void **state)
{
    error[0] = '\0';
    return arena_set_up(state);
}

/* -- templates ------------------------------------------------------------------------ */

#define BASE "https://shop.example/api"

static void test_templates(void **state)
{
    static const struct {
        const char *text, *arguments;
        const char *url; /* NULL: refused */
        bool rest;
    } rows[] = {
        {"/orders/{id}", "{\"id\":\"A 1\"}", BASE "/orders/A%201", false},
        {"/orders/{id}.json", "{\"id\":7}", BASE "/orders/7.json", false},
        {"/orders/{id}", "{\"id\":true}", BASE "/orders/true", false},
        {"/orders/{id}", "{\"id\":\"\xd7\x97\"}", BASE "/orders/%D7%97", false},
        {"/orders/{id}", "{}", NULL, false},
        {"/orders/{id}", "{\"id\":null}", NULL, false},
        {"/orders/{id}", "{\"id\":\"\"}", NULL, false},
        {"/orders/{id}", "{\"id\":\".\"}", NULL, false},
        {"/orders/{id}", "{\"id\":\"..\"}", NULL, false},
        {"/orders/{id}", "{\"id\":\"...\"}", BASE "/orders/...", false},
        {"/orders/{a}{b}", "{\"a\":\".\",\"b\":\".\"}", NULL, false},
        {"/orders/.{a}/x", "{\"a\":\".\"}", NULL, false},
        {"/orders/{id}", "{\"id\":\"a/b\"}", NULL, false},
        {"/orders/{id}", "{\"id\":\"a\\\\b\"}", NULL, false},
        {"/orders/{id}", "{\"id\":\"a\\nb\"}", NULL, false},
        {"/orders/{id}", "{\"id\":[1]}", NULL, false},
        {"/orders/{id}", "{\"id\":{}}", NULL, false},
        {"/orders/{id}", "{\"id\":\"x?y#z%2f\"}", BASE "/orders/x%3Fy%23z%252f", false},
        {"/orders/{id}", "{\"id\":\"@evil.example:80\"}", BASE "/orders/%40evil.example%3A80",
         false},
        {"/o?status=any&name={n}&email={e}", "{\"n\":\"#1\",\"e\":\"a@b&c=d\"}",
         BASE "/o?status=any&name=%231&email=a%40b%26c%3Dd", false},
        {"/o?status=any&name={n}&email={e}", "{\"e\":\"x\"}", BASE "/o?status=any&email=x", false},
        {"/o?name={n}", "{}", BASE "/o", false},
        {"/o?name={n}", "{\"n\":\"\"}", BASE "/o?name=", false},
        {"/o?ids={n}", "{\"n\":[1,\"b,c\",true]}", BASE "/o?ids=1,b%2Cc,true", false},
        {"/o?ids={n}", "{\"n\":[[1]]}", NULL, false},
        {"/o", "{\"q\":\"a b\",\"x\":null,\"l\":[1,2]}", BASE "/o?q=a%20b&l=1,2", true},
        {"/o", "{\"q=1&admin\":\"a\"}", BASE "/o?q%3D1%26admin=a", true},
        {"/o", "{\"q\":\"a\"}", BASE "/o", false},
        {"", "{}", BASE, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *url =
            template_expand(&a, BASE, rows[i].text, parse(rows[i].arguments), rows[i].rest, error);

        if ((url == NULL) != (rows[i].url == NULL) ||
            (url != NULL && strcmp(url, rows[i].url) != 0))
            fail_msg("%s with %s is %s (%s)", rows[i].text, rows[i].arguments,
                     url != NULL ? url : "refused", error);
    }
}

static void test_bad_templates(void **state)
{
    static const char *const bad[] = {"orders",
                                      "//evil.example/",
                                      "https://evil.example/",
                                      "/{",
                                      "/{}",
                                      "/{a b}",
                                      "/{a}/{a}",
                                      "/?a={a}b",
                                      "/?a=b{a}",
                                      "/?{a}=b",
                                      "/a b",
                                      "/a\\b",
                                      "/a#b",
                                      "/a\r\n",
                                      "/\xd7\x97",
                                      "@evil.example",
                                      ".evil.example"};
    struct template_names names;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (template_check(&a, bad[i], &names, error))
            fail_msg("%s is taken", bad[i]);
    }
    assert_true(template_check(&a, "/a/{b}/{c}?d={e}", &names, error));
    assert_int_equal(names.count, 3);
    assert_int_equal(names.in_path, 2);
}

/* -- requests --------------------------------------------------------------------------- */

static bool has_header(const struct outbound_options *options, const char *header)
{
    for (const char *const *h = options->headers; *h != NULL; h++) {
        if (strcmp(*h, header) == 0)
            return true;
    }
    return false;
}

static void test_requests(void **state)
{
    struct integration i = {.base_url = BASE,
                            .auth = AUTH_BASIC,
                            .settings = parse("{}"),
                            .secrets = parse("{\"username\":\"u\",\"password\":\"p\"}")};
    struct endpoint e = {.name = "x", .method = "PUT", .url = "/o/{id}", .config = parse("{}")};
    struct outbound_options options;

    (void)state;
    assert_true(endpoint_request(&a, &i, &e, parse("{\"id\":1,\"n\":[1,{}]}"), NULL, "job:1",
                                 &options, error));
    assert_string_equal(options.url, BASE "/o/1");
    assert_string_equal(options.body, "{\"n\":[1,{}]}");
    assert_true(has_header(&options, "Authorization: Basic dTpw"));
    assert_true(has_header(&options, "Idempotency-Key: job:1"));
    assert_true(has_header(&options, "Content-Type: application/json"));

    e.method = "DELETE";
    e.config = parse("{\"wrap\":\"order\"}");
    i.auth = AUTH_API_KEY;
    i.secrets = parse("{\"api_key\":\"k\"}");
    assert_true(endpoint_request(&a, &i, &e, parse("{\"id\":1}"), NULL, NULL, &options, error));
    assert_null(options.body);
    assert_true(has_header(&options, "X-API-Key: k"));
    i.settings = parse("{\"header\":\"X-Mine\",\"timeout_ms\":700}");
    assert_true(endpoint_request(&a, &i, &e, parse("{\"id\":1}"), NULL, NULL, &options, error));
    assert_true(has_header(&options, "X-Mine: k"));
    assert_int_equal(options.total_ms, 700);

    i.auth = AUTH_BEARER; /* whose token is not there */
    assert_false(endpoint_request(&a, &i, &e, parse("{\"id\":1}"), NULL, NULL, &options, error));
    i.auth = AUTH_OAUTH2;
    i.settings = parse("{}");
    assert_false(endpoint_request(&a, &i, &e, parse("{\"id\":1}"), NULL, NULL, &options, error));
    assert_true(endpoint_request(&a, &i, &e, parse("{\"id\":1}"), "tok", NULL, &options, error));
    assert_true(has_header(&options, "Authorization: Bearer tok"));
}

/* -- OAuth2 -------------------------------------------------------------------------------- */

static const char *token_of(const char *body, int status, int64_t *lifetime)
{
    const struct outbound_response response = {
        .status = status, .body = body, .body_len = strlen(body)};

    return oauth_token(&a, &response, lifetime, error);
}

static void test_oauth(void **state)
{
    int64_t lifetime = 0;

    (void)state;
    assert_string_equal(
        token_of("{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":3600}", 200,
                 &lifetime),
        "t");
    assert_int_equal(lifetime, 3570);
    assert_non_null(token_of("{\"access_token\":\"t\",\"expires_in\":10}", 200, &lifetime));
    assert_int_equal(lifetime, 5);
    assert_non_null(token_of("{\"access_token\":\"t\",\"expires_in\":-5}", 200, &lifetime));
    assert_true(lifetime <= 0);
    assert_non_null(token_of("{\"access_token\":\"t\"}", 200, &lifetime));
    assert_true(lifetime > 0 && lifetime <= 300);
    assert_null(token_of("{\"access_token\":\"t\",\"token_type\":\"mac\"}", 200, &lifetime));
    assert_null(token_of("{\"access_token\":\"a\\r\\nX: b\"}", 200, &lifetime));
    assert_null(token_of("{\"access_token\":\"\"}", 200, &lifetime));
    assert_null(token_of("{\"access_token\":\"t\"}", 302, &lifetime));
    assert_null(token_of("<html>", 200, &lifetime));
    assert_null(token_of("{\"error\":\"invalid_scope\"}", 400, &lifetime));
    assert_non_null(strstr(error, "invalid_scope"));
}

static void test_token_cache(void **state)
{
    struct token_cache *cache = token_cache_new();
    struct integration mine = {.org = "org-1", .id = "i-1", .revision = 1};
    struct integration theirs = {.org = "org-2", .id = "i-1", .revision = 1};
    struct integration changed = {.org = "org-1", .id = "i-1", .revision = 2};
    char id[16];

    (void)state;
    token_cache_put(cache, &mine, "t", 10, 1000);
    assert_string_equal(token_cache_get(cache, &a, &mine, 10999), "t");
    assert_null(token_cache_get(cache, &a, &theirs, 1000));
    assert_null(token_cache_get(cache, &a, &changed, 1000));
    assert_null(token_cache_get(cache, &a, &mine, 11000));
    token_cache_put(cache, &mine, "t", 10, 1000);
    token_cache_drop(cache, &mine);
    assert_null(token_cache_get(cache, &a, &mine, 1000));
    token_cache_put(cache, &mine, "t", 0, 1000);
    assert_null(token_cache_get(cache, &a, &mine, 1000));
    for (int i = 0; i < 3000; i++) { /* bounded: the oldest go */
        struct integration one = {.org = "org-1", .id = id, .revision = 1};

        snprintf(id, sizeof(id), "n-%d", i);
        token_cache_put(cache, &one, "t", 100, 1000);
    }
    snprintf(id, sizeof(id), "n-%d", 0);
    assert_null(token_cache_get(
        cache, &a, &(struct integration){.org = "org-1", .id = id, .revision = 1}, 1000));
    token_cache_free(cache);
}

/* -- queries ---------------------------------------------------------------------------------- */

static void test_queries(void **state)
{
    static const struct {
        const char *text;
        const char *sql; /* NULL: refused */
        size_t count;
    } rows[] = {
        {"SELECT 1", "SELECT 1", 0},
        {" with x as (select {a}) select {b}, {a} from x;\n",
         " with x as (select $1) select $2, $1 from x;\n", 2},
        {"(SELECT 1)", "(SELECT 1)", 0},
        {"VALUES (1)", "VALUES (1)", 0},
        {"TABLE t", "TABLE t", 0},
        {"SELECT '{a}', \"{b}\", '''{c}'", "SELECT '{a}', \"{b}\", '''{c}'", 0},
        {"SELECT E'\\'{a}' , {b}", "SELECT E'\\'{a}' , $1", 1},
        {"SELECT '\\', {b}", "SELECT '\\', $1", 1},
        {"SELECT $$ {a}; $$, {b}", "SELECT $$ {a}; $$, $1", 1},
        {"SELECT $x$ $$ {a} $x$", "SELECT $x$ $$ {a} $x$", 0},
        {"SELECT 1 -- {a};\n, {b}", "SELECT 1 -- {a};\n, $1", 1},
        {"SELECT 1 /* {a}; /* x */ {c} */, {b}", "SELECT 1 /* {a}; /* x */ {c} */, $1", 1},
        {"SELECT ';'", "SELECT ';'", 0},
        {"SELECT 1; DELETE FROM t", NULL, 0},
        {"SELECT {a b}", NULL, 0},
        {"SELECT {}", NULL, 0},
        {"SELECT {a", NULL, 0},
        {"SELECT $1", NULL, 0},
        {"DELETE FROM t", NULL, 0},
        {"selection", NULL, 0},
        {"", NULL, 0},
    };
    const char *values[QUERY_PARAMS_MAX];
    struct query_text query;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool ok = query_text_read(&a, rows[i].text, &query, error);

        if (ok != (rows[i].sql != NULL) || (ok && strcmp(query.sql, rows[i].sql) != 0) ||
            (ok && query.count != rows[i].count))
            fail_msg("%s is %s (%s)", rows[i].text, ok ? query.sql : "refused", error);
    }
    assert_true(query_text_read(&a, "SELECT {a}, {b}, {c}, {d}", &query, error));
    assert_true(query_text_bind(&a, &query, parse("{\"c\":true,\"a\":\"'; --\",\"b\":1.50}"),
                                values, error));
    assert_string_equal(values[0], "'; --");
    assert_string_equal(values[1], "1.50");
    assert_string_equal(values[2], "true");
    assert_null(values[3]);
    assert_false(query_text_bind(&a, &query, parse("{\"a\":[]}"), values, error));
}

/* -- shapes -------------------------------------------------------------------------------------
 */

static struct tool_result shape(const char *config, const char *arguments, int status,
                                const char *type, const char *body)
{
    static const struct integration i = {.type = INTEGRATION_SHOPIFY};
    const struct endpoint e = {
        .method = "GET", .url = "/orders/{id}", .config = parse(config), .name = "x"};
    const struct outbound_response response = {
        .status = status, .content_type = type, .body = body, .body_len = strlen(body)};
    struct tool_result result;

    shape_response(&a, &i, &e, parse(arguments), &response, &result);
    assert_non_null(result.json);
    assert_int_equal(result.len, strlen(result.json));
    return result;
}

#define JSON "application/json"
#define ORDERS                                                                                     \
    "{\"orders\":[{\"name\":\"#1\",\"email\":\"Ada@x.example\",\"to\":{\"zip\":7}},"               \
    "{\"name\":\"#2\",\"email\":\"bob@x.example\"},{\"name\":\"#1\"}]}"
#define RULES                                                                                      \
    "{\"list\":\"orders\",\"match\":[{\"field\":\"name\",\"argument\":\"n\"},"                     \
    "{\"field\":\"email\",\"argument\":\"e\"}]}"

static void test_matching(void **state)
{
    (void)state;
    assert_string_equal(
        shape(RULES, "{\"n\":\"1\",\"e\":\"ada@X.example\"}", 200, JSON, ORDERS).json,
        "[{\"name\":\"#1\",\"email\":\"Ada@x.example\",\"to\":{\"zip\":7}}]");
    assert_string_equal(
        shape(RULES, "{\"n\":\"2\",\"e\":\"ada@x.example\"}", 200, JSON, ORDERS).json, "[]");
    assert_string_equal(shape(RULES, "{\"n\":\"\",\"e\":\"\"}", 200, JSON, ORDERS).json, "[]");
    assert_string_equal(shape(RULES, "{\"n\":[],\"e\":{}}", 200, JSON, ORDERS).json, "[]");
    assert_string_equal(shape("{\"match\":[{\"field\":\"a.b\",\"argument\":\"n\"}]}", "{\"n\":7}",
                              200, JSON, "{\"a\":{\"b\":7}}")
                            .json,
                        "{\"a\":{\"b\":7}}");
    assert_string_equal(shape("{\"match\":[{\"field\":\"a.b\",\"argument\":\"n\"}]}", "{\"n\":8}",
                              200, JSON, "{\"a\":{\"b\":7}}")
                            .json,
                        "{\"found\":false}");
    assert_int_equal(shape(RULES, "{}", 200, JSON, "{\"other\":[]}").failure, TOOL_RESPONSE);
    assert_int_equal(shape(RULES, "{}", 200, JSON, "[]").failure, TOOL_RESPONSE);
    assert_int_equal(shape(RULES, "{}", 200, "text/plain", "bob@x.example").failure, TOOL_RESPONSE);
}

static void test_shapes(void **state)
{
    static const struct {
        int status;
        const char *type, *body;
        enum tool_failure failure;
    } rows[] = {
        {200, JSON, "[]", TOOL_OK},
        {200, "", " {\"a\":1}", TOOL_OK},
        {200, "text/plain", "in stock", TOOL_OK},
        {404, JSON, "{}", TOOL_OK},
        {200, JSON, "", TOOL_RESPONSE},
        {204, JSON, "", TOOL_RESPONSE},
        {200, JSON, "{\"a\":", TOOL_RESPONSE},
        {200, JSON, "{\"a\":1,\"a\":2}", TOOL_RESPONSE},
        {200, "text/html", "<!DOCTYPE html><p>Sign in", TOOL_RESPONSE},
        {401, JSON, "{}", TOOL_HTTP},
        {403, JSON, "{}", TOOL_HTTP},
        {422, JSON, "{\"errors\":1}", TOOL_HTTP},
        {429, JSON, "{}", TOOL_HTTP},
        {500, JSON, "{}", TOOL_HTTP},
        {304, JSON, "", TOOL_HTTP},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tool_result r =
            shape("{}", "{\"id\":1}", rows[i].status, rows[i].type, rows[i].body);

        if (r.failure != rows[i].failure)
            fail_msg("%d %s is %s", rows[i].status, rows[i].body, tool_failure_name(r.failure));
        if (r.failure != TOOL_OK)
            assert_non_null(r.operator_detail);
    }
    assert_non_null(strstr(shape("{}", "{}", 403, JSON, "{}").operator_detail, "read_orders"));
}

/* However much comes, what the model is shown is bounded, and JSON. */
static void test_long_answers(void **state)
{
    size_t size = 700000, len = 0;
    char *body = malloc(size + 100);
    struct tool_result r;

    (void)state;
    len += (size_t)sprintf(body, "[");
    while (len < size)
        len += (size_t)sprintf(body + len, "%s{\"id\":%zu,\"title\":\"a product of some words\"}",
                               len > 1 ? "," : "", len);
    sprintf(body + len, "]");
    r = shape("{}", "{}", 200, JSON, body);
    assert_int_equal(r.failure, TOOL_OK);
    assert_true(r.len <= TOOL_RESULT_MAX);
    parse(r.json);
    free(body);
}

static void test_caching(void **state)
{
    struct endpoint e = {.kind = ENDPOINT_HTTP, .method = "GET", .config = parse("{}")};

    (void)state;
    assert_int_equal(shape_cache_seconds(&e), 300);
    e.writes = true;
    assert_int_equal(shape_cache_seconds(&e), 0);
    e.writes = false;
    e.method = "POST";
    assert_int_equal(shape_cache_seconds(&e), 0);
    e.method = "GET";
    e.config = parse("{\"cache_seconds\":0}");
    assert_int_equal(shape_cache_seconds(&e), 0);
    assert_true(shape_config_check(e.config, error));
    assert_false(shape_config_check(parse("{\"cache_seconds\":601}"), error));
    assert_false(shape_config_check(parse("{\"match\":[{\"field\":\"a\"}]}"), error));
    assert_false(shape_config_check(parse("{\"other\":1}"), error));
    assert_false(shape_config_check(parse("[]"), error));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, arena_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_templates),    TEST(test_bad_templates), TEST(test_requests), TEST(test_oauth),
        TEST(test_token_cache),  TEST(test_queries),       TEST(test_matching), TEST(test_shapes),
        TEST(test_long_answers), TEST(test_caching),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
