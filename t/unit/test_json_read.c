/* protocol/json.h: reading */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/arena.h"
#include "protocol/json.h"
#include "protocol/limits.h"

static struct arena arena;

static struct fd_json *parse_n(const char *text, size_t len, struct fd_json_fault *fault)
{
    char *copy = malloc(len > 0 ? len : 1); /* so that reading past the end is seen */
    struct fd_json *json;

    memcpy(copy, text, len);
    json = fd_json_parse(copy, len, (struct fd_json_limits){0}, arena_allocator(&arena), fault);
    free(copy);
    return json;
}

static void assert_fault(const char *text, size_t len, enum fd_json_error error, const char *where)
{
    struct fd_json_fault fault;

    assert_null(parse_n(text, len, &fault));
    assert_int_equal(fault.error, error);
    assert_string_equal(fault.where, where);
}

static const struct fd_json *parse(const char *text)
{
    struct fd_json_fault fault;
    const struct fd_json *json = parse_n(text, strlen(text), &fault);

    assert_int_equal(fault.error, FD_JSON_OK);
    assert_non_null(json);
    return json;
}

static void test_values(void **state)
{
    const struct fd_json *json =
        parse(" {\"s\":\"a\\u00e9\\ud83d\\ude00\\n\", \"i\":-9223372036854775808, \"d\":1.5e3, "
              "\"t\":true, \"f\":false, \"n\":null, \"a\":[1,[],{}], \"\":\"\"} ");
    const struct fd_json *list = fd_json_get(json, "a");

    (void)state;
    assert_int_equal(json->count, 8);
    assert_string_equal(fd_json_string(json, "s"), "a\xc3\xa9\xf0\x9f\x98\x80\n");
    assert_true(fd_json_int(json, "i", 0) == INT64_MIN);
    assert_true(fd_json_double(json, "d", 0) == 1500);
    assert_int_equal(fd_json_int(json, "d", 7), 7); /* not an integer */
    assert_true(fd_json_bool(json, "t", false));
    assert_false(fd_json_bool(json, "f", true));
    assert_true(fd_json_bool(json, "n", true));
    assert_int_equal(fd_json_get(json, "n")->type, FD_JSON_NULL);
    assert_int_equal(list->count, 3);
    assert_int_equal(list->child->integer, 1);
    assert_int_equal(list->child->next->type, FD_JSON_ARRAY);
    assert_null(list->child->key);
    assert_string_equal(fd_json_string(json, ""), "");
    assert_null(fd_json_string(json, "i"));
    assert_null(fd_json_get(NULL, "x"));
    assert_null(fd_json_get(list, "x"));
    assert_true(parse("9223372036854775808")->number > 9e18);
    assert_false(parse("9223372036854775808")->is_integer);
    assert_true(parse("-0")->is_integer);
    assert_true(parse("1e-400")->number == 0);
}

/* EDGE-5: syntax, and what yajl alone would let through. */
static void test_syntax(void **state)
{
    static const char *const bad[] = {
        "",         " ",           "{",
        "[1",       "{\"a\"}",     "{\"a\":1,}",
        "[1,]",     "01",          "+1",
        "1.",       ".5",          "1e",
        "nul",      "NaN",         "'a'",
        "\"a",      "\"\\x\"",     "\"\\u12\"",
        "\"a\nb\"", "[1] 2",       "[1]]",
        "// c\n1",  "/**/1",       "\f1",
        "[\f]",     "[\v]",        "\xef\xbb\xbf{}",
        "{1:2}",    "\"\\u00g0\"", "-",
        "[1 2]",    "\\u0041",     "{\"a\":1 \"b\":2}",
        "tru",      "\"\\",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fd_json_fault fault;

        assert_null(parse_n(bad[i], strlen(bad[i]), &fault));
        assert_int_equal(fault.error, FD_JSON_SYNTAX);
    }
}

static void test_text_that_postgresql_refuses(void **state)
{
    static const char *const utf8[] = {
        "\xc0\xaf",       "\xe0\x80\xaf", "\xed\xa0\x80",   "\xf4\xbf\xbf\xbf", "\xff",
        "\x80",           "\xc3",         "\xe2\x82",       "\\ud800",          "\\udfaa",
        "\\ud800\\u0041", "\\ud800x",     "\\udc00\\ud800", "\\ud83d\\ud83d",
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof(utf8) / sizeof(utf8[0]); i++) {
        snprintf(text, sizeof(text), "{\"a\":{\"b\":[0,\"x%s\"]}}", utf8[i]);
        assert_fault(text, strlen(text), FD_JSON_UTF8, "a.b[1]");
    }
    assert_fault("{\"a\":\"\\u0000\"}", 14, FD_JSON_NUL, "a");
    assert_fault("{\"a\":\"x\0y\"}", 11, FD_JSON_NUL, "a");
    assert_fault("{\"a\\u0000b\":1}", 14, FD_JSON_NUL, "");
    /* an escaped backslash before "u0000" is not an escape of NUL */
    assert_string_equal(parse("\"\\\\u0000\"")->text, "\\u0000");
}

static void test_places(void **state)
{
    (void)state;
    assert_fault("{\"a\":1,\"a\":2}", 13, FD_JSON_DUPLICATE, "a");
    assert_fault("{\"a\":1,\"\\u0061\":2}", 18, FD_JSON_DUPLICATE, "a");
    assert_fault("{\"x\":[{},{\"a\":1,\"a\":2}]}", 25, FD_JSON_DUPLICATE, "x[1].a");
    assert_fault("{\"n\":1e999}", 11, FD_JSON_RANGE, "n");
    assert_fault("[1,-1e999]", 10, FD_JSON_RANGE, "[1]");
    assert_fault("{\"a\":{\"b\":tru}}", 15, FD_JSON_SYNTAX, "a.b");
    /* the earlier fault is the one that is told */
    assert_fault("{\"a\":x,\"b\":\"\\u0000\"}", 20, FD_JSON_SYNTAX, "a");
}

static void test_offsets(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
    } cases[] = {
        {"", 0},      {"[1,", 3}, {"[1,x]", 4}, {"[\"\\u0000\"]", 2}, {"{\"a\":1,\"a\":2}", 10},
        {"1e999", 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fd_json_fault fault;

        assert_null(parse_n(cases[i].text, strlen(cases[i].text), &fault));
        assert_int_equal(fault.offset, cases[i].offset);
    }
}

static void test_bounds(void **state)
{
    char text[32768];
    size_t len = 0;
    struct fd_json_fault fault;

    (void)state;
    memset(text, '[', FD_JSON_DEPTH_MAX);
    memset(text + FD_JSON_DEPTH_MAX, ']', FD_JSON_DEPTH_MAX);
    assert_non_null(parse_n(text, 2 * FD_JSON_DEPTH_MAX, &fault));
    memset(text, '[', sizeof(text));
    assert_null(parse_n(text, sizeof(text), &fault));
    assert_int_equal(fault.error, FD_JSON_TOO_DEEP);

    text[len++] = '[';
    for (int i = 0; i < FD_JSON_NODES_MAX - 1; i++) {
        memcpy(text + len, i > 0 ? ",1" : "1", i > 0 ? 2 : 1);
        len += i > 0 ? 2 : 1;
    }
    text[len] = ']';
    assert_non_null(parse_n(text, len + 1, &fault));
    memcpy(text + len, ",1]", 3);
    assert_fault(text, len + 3, FD_JSON_TOO_MANY, "[4095]");

    len = (size_t)snprintf(text, sizeof(text), "{");
    for (int i = 0; i <= FD_JSON_KEYS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"k%d\":0", i > 0 ? "," : "", i);
    assert_fault(text, len, FD_JSON_TOO_MANY, "");
}

/* A long or malformed key must not break the sentence it is put into. */
static void test_place_is_cut_at_a_character(void **state)
{
    char text[512] = "{\"";
    struct fd_json_fault fault;

    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(text, "\xd7\xa9");
    strcat(text, "\":x}");
    assert_null(parse_n(text, strlen(text), &fault));
    assert_true(strlen(fault.where) >= 120);
    assert_true(fd_utf8_valid(fault.where, strlen(fault.where)));
}

struct scarce {
    int left;
    struct arena *arena;
};

static void *scarce_alloc(void *ctx, size_t size)
{
    struct scarce *s = ctx;

    return s->left-- > 0 ? arena_alloc(s->arena, size) : NULL;
}

/* Torture: every single allocation fails once. */
static void test_no_memory(void **state)
{
    const char *text = "{\"a\":[1,\"x\\ny\",{\"b\":null}],\"c\":\"\\u00e9\"}";
    int needed;

    (void)state;
    for (needed = 0; needed < 1000; needed++) {
        struct scarce scarce = {needed, &arena};
        struct fd_alloc alloc = {scarce_alloc, &scarce};
        struct fd_json_fault fault;

        if (fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, alloc, &fault) != NULL)
            break;
        assert_int_equal(fault.error, FD_JSON_NO_MEMORY);
    }
    assert_in_range(needed, 10, 100);
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(fd_utf8_valid("", 0));
    assert_true(fd_utf8_valid("\xf4\x8f\xbf\xbf\xee\x80\x80\xed\x9f\xbf\xc2\x80", 12));
    assert_false(fd_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(fd_utf8_valid("\xf0\x8f\xbf\xbf", 4));
    assert_false(fd_utf8_valid("\xe0\x9f\xbf", 3));
    assert_false(fd_utf8_valid("\xc1\xbf", 2));
    assert_false(fd_utf8_valid("\xe2\x82\xac", 2));
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_text_that_postgresql_refuses),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_place_is_cut_at_a_character),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests_name("json read", tests, NULL, teardown);
}
