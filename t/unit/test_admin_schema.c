/* What the routing table says of bodies and answers, checked and written (ADM-8): schema, shape,
 * tags, the description and its YAML. */
#include "admin/openapi.h"
#include "admin/resources.h"
#include "admin/schema.h"
#include "admin/shape.h"
#include "admin/tag.h"
#include "core/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static const struct fd_json *parse(const char *text)
{
    struct fd_json_limits limits = {.depth = 32, .nodes = 200000};
    struct fd_json_fault fault;
    const struct fd_json *json =
        fd_json_parse(text, strlen(text), limits, arena_allocator(&arena), &fault);

    assert_non_null(json);
    return json;
}

/* -- bodies --------------------------------------------------------------------------------- */

static const struct admin_field point_fields[] = {
    {"label", ADMIN_TEXT, .required = true, .max = 3},
};
static const struct admin_field fields[] = {
    {"name", ADMIN_TEXT, .required = true, .max = 5},
    {"note", ADMIN_TEXT | ADMIN_NULL, .empty = true, .max = 4},
    {"kind", ADMIN_TEXT, .one_of = "pk|sk|third"},
    {"count", ADMIN_INT, .min = 1, .max = 9},
    {"share", ADMIN_NUMBER, .min = -1, .max = 1},
    {"on", ADMIN_BOOL},
    {"words", ADMIN_TEXTS, .max = 2},
    {"days", ADMIN_TEXTS, .one_of = "mon|tue"},
    {"any", ADMIN_ANY},
    {"secret", ADMIN_TEXT | ADMIN_BOOL | ADMIN_NULL, .max = 8},
    {"money", ADMIN_TEXT | ADMIN_NUMBER},
    {"free", ADMIN_OBJECT},
    {"point", ADMIN_OBJECT, .members = ADMIN_BODY(point_fields)},
    {"points", ADMIN_LIST, .max = 2, .members = ADMIN_BODY(point_fields)},
};

static void test_bodies_that_are_right(void **state)
{
    static const char *const right[] = {
        "{\"name\":\"a\"}",
        "{\"name\":\"abcde\",\"note\":\"\"}",
        "{\"name\":\"a\",\"note\":null,\"kind\":\"third\",\"count\":9,\"share\":0.5,\"on\":false}",
        "{\"name\":\"a\",\"words\":[\"x\",\"y\"],\"days\":[\"mon\"],\"any\":[{\"b\":1}]}",
        "{\"name\":\"a\",\"secret\":true,\"money\":\"1.5\",\"free\":{\"x\":[1]}}",
        "{\"name\":\"a\",\"secret\":null,\"money\":1.5,\"point\":{\"label\":\"x\"}}",
        "{\"name\":\"a\",\"points\":[{\"label\":\"x\"},{\"label\":\"xyz\"}],\"words\":[]}",
    };
    struct schema_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        if (!schema_check(ADMIN_BODY(fields), parse(right[i]), &fault))
            fail_msg("%s: %s: %s", right[i], fault.field, fault.detail);
    }
    assert_true(schema_check(NULL, parse("{}"), &fault));
}

static void test_bodies_that_are_wrong(void **state)
{
    static const struct {
        const char *body;
        const char *field;
        const char *detail;
    } wrong[] = {
        {"{}", "name", "this field is required"},
        {"{\"name\":\"a\",\"org_id\":1}", "org_id", "there is no such field here"},
        {"{\"name\":\"\"}", "name", "a text of 1 to 5 bytes would be right"},
        {"{\"name\":\"abcdef\"}", "name", "a text of 1 to 5 bytes would be right"},
        {"{\"name\":7}", "name", "a text of 1 to 5 bytes would be right"},
        {"{\"name\":null}", "name", "a text of 1 to 5 bytes would be right"},
        {"{\"name\":\"a\",\"note\":\"abcde\"}", "note", "a text of 0 to 4 bytes would be right"},
        {"{\"name\":\"a\",\"note\":1}", "note", "a text or null of 0 to 4 bytes would be right"},
        {"{\"name\":\"a\",\"kind\":\"xx\"}", "kind", "pk, sk or third would be right"},
        {"{\"name\":\"a\",\"kind\":\"p\"}", "kind", "pk, sk or third would be right"},
        {"{\"name\":\"a\",\"count\":0}", "count", "a whole number from 1 to 9 would be right"},
        {"{\"name\":\"a\",\"count\":1.5}", "count", "a whole number from 1 to 9 would be right"},
        {"{\"name\":\"a\",\"count\":\"1\"}", "count", "a whole number from 1 to 9 would be right"},
        {"{\"name\":\"a\",\"share\":1.5}", "share", "a number from -1 to 1 would be right"},
        {"{\"name\":\"a\",\"on\":1}", "on", "true or false would be right"},
        {"{\"name\":\"a\",\"words\":\"x\"}", "words", "an array of texts would be right"},
        {"{\"name\":\"a\",\"words\":[\"x\",1]}", "words[1]", "a text would be right"},
        {"{\"name\":\"a\",\"words\":[\"x\",\"y\",\"z\"]}", "words",
         "an array of at most 2 texts would be right"},
        {"{\"name\":\"a\",\"days\":[\"mon\",\"sat\"]}", "days[1]", "mon or tue would be right"},
        {"{\"name\":\"a\",\"free\":[]}", "free", "an object would be right"},
        {"{\"name\":\"a\",\"point\":{}}", "point.label", "this field is required"},
        {"{\"name\":\"a\",\"point\":{\"label\":\"x\",\"id\":1}}", "point.id",
         "there is no such field here"},
        {"{\"name\":\"a\",\"points\":[{\"label\":\"x\"},{\"label\":\"long\"}]}", "points[1].label",
         "a text of 1 to 3 bytes would be right"},
        {"{\"name\":\"a\",\"points\":[1]}", "points[0]", "an object would be right"},
    };
    struct schema_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(schema_check(ADMIN_BODY(fields), parse(wrong[i].body), &fault));
        assert_string_equal(fault.field, wrong[i].field);
        assert_string_equal(fault.detail, wrong[i].detail);
    }
    assert_false(schema_check(NULL, parse("{\"a\":1}"), &fault));
}

/* A name of any length, at any depth, is cut, and writes over nothing. */
static void test_long_names(void **state)
{
    struct schema_fault fault;
    char body[2048] = "{\"name\":\"a\",\"point\":{\"";
    size_t len = strlen(body);

    (void)state;
    memset(body + len, 'x', 1000);
    strcpy(body + len + 1000, "\":1}}");
    assert_false(schema_check(ADMIN_BODY(fields), parse(body), &fault));
    assert_true(strlen(fault.field) < 100);
}

/* -- shapes --------------------------------------------------------------------------------- */

static const char *shape(const char *text)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, 65536);
    buf_json(&out, &w);
    bool ok = shape_write(&w, text);
    ok = buf_json_end(&out, &w) && ok;
    const char *json = ok ? arena_strdup(&arena, out.data) : "malformed";
    buf_free(&out);
    return json;
}

static void test_shapes(void **state)
{
    (void)state;
    assert_string_equal(shape("text"), "{\"type\":\"string\"}");
    assert_string_equal(shape("time|null"),
                        "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}");
    assert_string_equal(shape("up|down|null"), "{\"enum\":[\"up\",\"down\",null]}");
    assert_string_equal(shape("[int]"), "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}");
    assert_string_equal(
        shape("{a: text, b?: [{c: json}]}"),
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":"
        "\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"c\":true},"
        "\"additionalProperties\":false,\"required\":[\"c\"]}}},\"additionalProperties\":false,"
        "\"required\":[\"a\"]}");
    assert_string_equal(shape("{*: int}"), "{\"type\":\"object\",\"properties\":{},"
                                           "\"additionalProperties\":{\"type\":\"integer\"}}");
    assert_string_equal(shape("null|{a: int}"),
                        "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":{"
                        "\"a\":{\"type\":\"integer\"}},\"additionalProperties\":false,"
                        "\"required\":[\"a\"]}]}");
}

static void test_shapes_that_are_none(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{a}",
        "{a: }",
        "{a: int",
        "{a: int,}",
        "[int",
        "int]",
        "a b",
        "|int",
        "int|",
        "{:}",
        "{a: int} x",
        "[]",
        "{a: int; b: int}",
        "{a?? : int}",
        "{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: int}}}}}}}}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (strcmp(shape(bad[i]), "malformed") != 0)
            fail_msg("%s is taken: %s", bad[i], shape(bad[i]));
    }
}

/* -- the tables themselves ------------------------------------------------------------------ */

static void test_every_route_is_described(void **state)
{
    struct buf out;
    const char *broken;

    (void)state;
    for (size_t i = 0; i < admin_resource_count; i++) {
        for (size_t k = 0; k < admin_resources[i]->count; k++) {
            const struct admin_route *route = &admin_resources[i]->routes[k];
            if (route->summary == NULL)
                fail_msg("%s %s has no summary", route->method, route->pattern);
            if (strcmp(route->method, "GET") == 0 && route->body != NULL)
                fail_msg("GET %s has a body", route->pattern);
        }
    }
    buf_init(&out, OPENAPI_MAX);
    if (!openapi_write(&out, &broken))
        fail_msg("the shape of %s is not well formed", broken);
    const struct fd_json *paths = fd_json_get(parse(out.data), "paths");
    assert_true(paths->count > 60);
    buf_free(&out);
}

/* -- tags ----------------------------------------------------------------------------------- */

static const char *tag(const char *body, const char *const *computed)
{
    struct buf b = {0};

    buf_init(&b, 4096);
    buf_puts(&b, body);
    const char *t = tag_of(&arena, &b, computed);
    buf_free(&b);
    return t;
}

static void test_tags(void **state)
{
    static const char *const computed[] = {"spent", NULL};
    const char *plain = tag("{\"a\":1}", NULL), *other = tag("{\"a\":2}", NULL);
    const char *early = tag("{\"cap\":5,\"spent\":1}", computed);
    const char *late = tag("{\"cap\":5,\"spent\":2}", computed);
    const char *raised = tag("{\"cap\":6,\"spent\":2}", computed);

    (void)state;
    assert_string_equal(plain, tag("{\"a\":1}", NULL));
    assert_string_not_equal(plain, other);
    assert_string_not_equal(early, late); /* strong: other bytes, another tag */
    assert_false(tag_is_known(late, early));
    assert_true(tag_is_known(early, early));
    assert_true(tag_allows(late, early)); /* but nothing was set meanwhile */
    assert_false(tag_allows(raised, early));
    assert_false(tag_allows(early, raised));
    /* no half is taken for a whole */
    assert_false(tag_allows("\"\"", early));
    assert_false(tag_allows("\".\"", early));
}

static void test_lists_of_tags(void **state)
{
    const char *t = tag("{}", NULL);
    char list[256];

    (void)state;
    assert_true(tag_allows("*", t));
    assert_true(tag_is_known("*", t));
    snprintf(list, sizeof(list), "\"x\" , W/%s,\"y\"", t);
    assert_true(tag_allows(list, t)); /* nginx makes tags weak when it compresses */
    assert_true(tag_is_known(list, t));
    assert_false(tag_allows("", t));
    assert_false(tag_allows("nonsense", t));
    assert_false(tag_allows("\"", t));
    assert_false(tag_allows("\"x\",", t));
    snprintf(list, sizeof(list), "%.*s", (int)strlen(t) - 1, t); /* without its last quote */
    assert_false(tag_allows(list, t));
}

/* -- YAML ----------------------------------------------------------------------------------- */

static void test_yaml(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    yaml_write(&out,
               parse("{\"a\":{\"200\":\"x: y\",\"no\":[],\"list\":[{\"b\":{},\"long\":"
                     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},[1,true,null,\"null\",\"two words\"]]}}"));
    assert_string_equal(out.data,
                        "a:\n"
                        "  \"200\": \"x: y\"\n"
                        "  \"no\": []\n"
                        "  list:\n"
                        "    - b: {}\n"
                        "      long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
                        "    - [1, true, null, \"null\", two words]\n");
    buf_free(&out);
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_that_are_right),
        cmocka_unit_test(test_bodies_that_are_wrong),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_shapes_that_are_none),
        cmocka_unit_test(test_every_route_is_described),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_lists_of_tags),
        cmocka_unit_test(test_yaml),
    };

    arena_init(&arena);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
