/* integration/: what may be saved as an integration or an endpoint (ENG-11) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "integration/database.h"
#include "integration/endpoint_check.h"
#include "integration/preset.h"
#include "integration/spec.h"
#include "json_fixture.h"

#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void test_places(void **state)
{
    static const char *const bad[] = {
        "",      "host",       "/name", "host/",    "host/a/b", "host/a?b", "h:0/a",    "h:x/a",
        "a,b/c", "/var/run/x", "@x/a",  "host/a b", "u@host/a", "host/a'b", "host/a=b", "[::1/a"};
    struct database_place place;

    (void)state;
    assert_true(database_place_read("DB.example/shop", &place));
    assert_string_equal(place.host, "db.example");
    assert_int_equal(place.port, 5432);
    assert_string_equal(place.name, "shop");
    assert_true(database_place_read("[2001:db8::1]:6432/shop", &place));
    assert_string_equal(place.host, "2001:db8::1");
    assert_int_equal(place.port, 6432);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (database_place_read(bad[i], &place))
            fail_msg("%s is taken", bad[i]);
    }
}

/* -- what may be saved --------------------------------------------------------------------------
 */

static const char *problem_of(const struct integration_new *given)
{
    static struct tool_problem problem;
    struct integration_spec spec;

    problem = (struct tool_problem){0};
    if (spec_read(&a, "127.0.0.1:5000,n8n.internal:80", given, &spec, &problem)) {
        assert_null(problem.field);
        return "";
    }
    assert_true(strlen(problem.text) > 0);
    return problem.field;
}

static void test_specs(void **state)
{
    static const struct {
        const char *type, *url, *auth, *settings, *credentials;
        const char *problem; /* "": none */
    } rows[] = {
        {"shopify", "my-shop", NULL, NULL, "{\"access_token\":\"t\"}", ""},
        {"shopify", "my-shop.myshopify.com/", NULL, NULL, "{\"api_key\":\"t\"}", ""},
        {"shopify", "https://my-shop.myshopify.com", NULL, NULL,
         "{\"client_id\":\"a\",\"client_secret\":\"b\"}", ""},
        {"shopify", "my-shop", NULL, NULL, NULL, "credentials"},
        {"shopify", "my-shop", NULL, NULL, "{\"api_key\":\"\"}", "credentials"},
        {"shopify", "my-shop", NULL, NULL, "{\"api_key\":\"a\\nb\"}", "credentials"},
        {"shopify", "my-shop", NULL, NULL, "{\"api_key\":1}", "credentials"},
        {"shopify", "my-shop", NULL, NULL, "{\"api_key\":\"a\",\"x\":\"b\"}", "credentials"},
        {"shopify", "http://my-shop.myshopify.com", NULL, NULL, "{\"api_key\":\"t\"}", "url"},
        {"shopify", "https://10.0.0.1", NULL, NULL, "{\"api_key\":\"t\"}", "url"},
        {"shopify", "https://0x7f.1", NULL, NULL, "{\"api_key\":\"t\"}", "url"},
        {"shopify", "https://u:p@my-shop", NULL, NULL, "{\"api_key\":\"t\"}", "url"},
        {"shopify", "http://127.0.0.1:5000", NULL, NULL, "{\"api_key\":\"t\"}", ""},
        {"shopify", "http://127.0.0.1:5001", NULL, NULL, "{\"api_key\":\"t\"}", "url"},
        {"woocommerce", "shop.example", NULL, NULL,
         "{\"consumer_key\":\"a\",\"consumer_secret\":\"b\"}", ""},
        {"custom_api", "https://api.example/v1", NULL, NULL, NULL, ""},
        {"custom_api", "http://n8n.internal/api", NULL, NULL, NULL, ""},
        {"custom_api", "https://api.example/?x=1", NULL, NULL, NULL, "url"},
        {"custom_api", "https://api.example", "basic", NULL, "{\"token\":\"a\"}", "credentials"},
        {"custom_api", "https://api.example", "magic", NULL, NULL, "auth"},
        {"custom_api", "https://api.example", "password", NULL,
         "{\"username\":\"a\",\"password\":\"b\"}", "auth"},
        {"custom_api", "https://api.example", "oauth2", NULL,
         "{\"client_id\":\"a\",\"client_secret\":\"b\"}", "settings"},
        {"custom_api", "https://api.example", "oauth2", "{\"token_url\":\"http://t.example\"}",
         "{\"client_id\":\"a\",\"client_secret\":\"b\"}", "settings"},
        {"custom_api", "https://api.example", "oauth2", "{\"token_url\":\"https://t.example/t\"}",
         "{\"client_id\":\"a\",\"client_secret\":\"b\"}", ""},
        {"custom_api", "https://api.example", NULL, "{\"header\":\"Host\"}", "{\"api_key\":\"k\"}",
         "settings"},
        {"custom_api", "https://api.example", NULL, "{\"header\":\"X: y\"}", "{\"api_key\":\"k\"}",
         "settings"},
        {"custom_api", "https://api.example", NULL, "{\"timeout_ms\":99999}", NULL, "settings"},
        {"custom_api", "https://api.example", NULL, "{\"other\":1}", NULL, "settings"},
        {"custom_api", "https://api.example", NULL, "{\"sslmode\":\"disable\"}", NULL, "settings"},
        {"database", "db.example/shop", NULL, "{\"sslmode\":\"verify-full\"}",
         "{\"user\":\"a\",\"password\":\"b\"}", ""},
        {"database", "db.example/shop", NULL, "{\"sslmode\":\"prefer\"}",
         "{\"user\":\"a\",\"password\":\"b\"}", "settings"},
        {"database", "/var/run/postgresql/x", NULL, NULL, "{\"user\":\"a\",\"password\":\"b\"}",
         "url"},
        {"database", "db.example/shop", NULL, NULL, NULL, "credentials"},
        {"ftp", "x", NULL, NULL, NULL, "type"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct integration_new given = {
            .type = rows[i].type,
            .name = "n",
            .url = rows[i].url,
            .auth = rows[i].auth,
            .settings = rows[i].settings != NULL ? parse(rows[i].settings) : NULL,
            .credentials = rows[i].credentials != NULL ? parse(rows[i].credentials) : NULL};
        const char *field = problem_of(&given);

        if (strcmp(field, rows[i].problem) != 0)
            fail_msg("%s %s %s: \"%s\"", rows[i].type, rows[i].url,
                     rows[i].credentials != NULL ? rows[i].credentials : "", field);
    }
}

static void test_made_whole(void **state)
{
    struct integration_new given = {.type = "shopify",
                                    .name = "n",
                                    .url = "my-shop",
                                    .credentials =
                                        parse("{\"client_id\":\"short\","
                                              "\"client_secret\":\"0123456789abcdef\"}")};
    struct tool_problem problem = {0};
    struct integration_spec spec;

    (void)state;
    assert_true(spec_read(&a, NULL, &given, &spec, &problem));
    assert_string_equal(spec.base_url, "https://my-shop.myshopify.com/admin/api/" SHOPIFY_VERSION);
    assert_string_equal(spec.settings, "{\"header\":\"X-Shopify-Access-Token\",\"token_url\":"
                                       "\"https://my-shop.myshopify.com/admin/oauth/access_token\","
                                       "\"token_auth\":\"body\"}");
    assert_string_equal(spec.last4, "{\"client_id\":\"\",\"client_secret\":\"cdef\"}");
    given.api_version = "2026/10";
    assert_false(spec_read(&a, NULL, &given, &spec, &problem));
    assert_string_equal(problem.field, "api_version");
}

static const char *endpoint_problem(enum integration_type type, struct endpoint_new spec)
{
    static struct tool_problem problem;
    struct endpoint_row row;

    problem = (struct tool_problem){0};
    if (spec.name == NULL)
        spec.name = "x";
    if (spec.description == NULL)
        spec.description = "x";
    return endpoint_check(&a, type, &spec, &row, &problem) ? "" : problem.field;
}

#define ID_REQUIRED                                                                                \
    "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"string\"}}}"
#define ID_OPTIONAL "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"}}}"

static void test_endpoints(void **state)
{
    const struct fd_json *match = parse("{\"match\":[{\"field\":\"a\",\"argument\":\"id\"}]}");
    const struct fd_json *bound = parse("{\"id\":\"visitor.user_id\"}");
    struct {
        struct endpoint_new spec;
        enum integration_type type;
        const char *problem;
    } rows[] = {
        {{.url = "/a"}, INTEGRATION_CUSTOM_API, ""},
        {{.url = "/{id}", .schema = ID_REQUIRED}, INTEGRATION_CUSTOM_API, ""},
        {{.url = "/{id}", .schema = ID_OPTIONAL}, INTEGRATION_CUSTOM_API, "url"},
        {{.url = "/{id}", .schema = ID_OPTIONAL, .bindings = bound}, INTEGRATION_CUSTOM_API, ""},
        {{.url = "/?id={id}", .schema = ID_OPTIONAL}, INTEGRATION_CUSTOM_API, ""},
        {{.url = "/{no}", .schema = ID_REQUIRED}, INTEGRATION_CUSTOM_API, "url"},
        {{.url = "/a", .method = "TRACE"}, INTEGRATION_CUSTOM_API, "method"},
        {{.url = "/a", .risk = "none"}, INTEGRATION_CUSTOM_API, "risk"},
        {{.url = "/a", .schema = "{\"type\":\"strin\"}"},
         INTEGRATION_CUSTOM_API,
         "parameters_schema"},
        {{.url = "/a", .bindings = parse("{\"id\":\"nowhere\"}")},
         INTEGRATION_CUSTOM_API,
         "bindings"},
        {{.url = "/a", .bindings = bound}, INTEGRATION_CUSTOM_API, "bindings"},
        {{.url = "/a", .schema = ID_REQUIRED, .config = match}, INTEGRATION_CUSTOM_API, ""},
        /* who leaves it out would see everything */
        {{.url = "/a", .schema = ID_OPTIONAL, .config = match}, INTEGRATION_CUSTOM_API, "config"},
        {{.url = "/a", .config = match}, INTEGRATION_CUSTOM_API, "config"},
        {{.url = "/a", .name = "a b"}, INTEGRATION_CUSTOM_API, "name"},
        {{.url = "/a", .description = ""}, INTEGRATION_CUSTOM_API, "description"},
        {{.url = "/a", .query = "SELECT 1"}, INTEGRATION_SHOPIFY, "query"},
        {{.query = "SELECT {id}", .schema = ID_OPTIONAL}, INTEGRATION_DATABASE, ""},
        {{.query = "SELECT {no}", .schema = ID_OPTIONAL}, INTEGRATION_DATABASE, "query"},
        {{.query = "DROP TABLE x"}, INTEGRATION_DATABASE, "query"},
        {{.url = "/a"}, INTEGRATION_DATABASE, "url"},
        {{0}, INTEGRATION_DATABASE, "query"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *field = endpoint_problem(rows[i].type, rows[i].spec);

        if (strcmp(field, rows[i].problem) != 0)
            fail_msg("row %zu: \"%s\"", i, field);
    }
}

static void test_presets(void **state)
{
    (void)state;
    assert_true(preset_count >= 8);
    for (size_t i = 0; i < preset_count; i++) {
        const struct endpoint_new spec = {.name = presets[i].name,
                                          .description = presets[i].description,
                                          .url = presets[i].url,
                                          .schema = presets[i].schema,
                                          .config = parse(presets[i].config)};
        const char *field = endpoint_problem(presets[i].type, spec);

        if (field[0] != '\0')
            fail_msg("%s: %s", presets[i].name, field);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_set_up, arena_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_places),    TEST(test_specs),   TEST(test_made_whole),
        TEST(test_endpoints), TEST(test_presets),
    };

    return cmocka_run_group_tests_name("integration", tests, NULL, NULL);
}
