/* protocol/json.h: writing; core/buf.h as its buffer */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/arena.h"
#include "core/buf.h"
#include "protocol/json.h"

#include <math.h>

static struct buf out;
static struct fd_json_writer w;

static int begin(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    buf_json(&out, &w);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

static void assert_wrote(const char *expected)
{
    assert_true(buf_json_end(&out, &w));
    assert_string_equal(out.data, expected);
}

static void test_everything(void **state)
{
    (void)state;
    fd_jw_object(&w);
    fd_jw_member(&w, "s", "a\"b\\c\n\r\t\x01/\xd7\xa9");
    fd_jw_member(&w, "none", NULL);
    fd_jw_member_int(&w, "i", INT64_MIN);
    fd_jw_member_bool(&w, "b", true);
    fd_jw_key(&w, "a");
    fd_jw_array(&w);
    fd_jw_int(&w, 1);
    fd_jw_object(&w);
    fd_jw_end_object(&w);
    fd_jw_array(&w);
    fd_jw_end_array(&w);
    fd_jw_raw(&w, "{\"x\":1}", 7);
    fd_jw_null(&w);
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    assert_wrote("{\"s\":\"a\\\"b\\\\c\\n\\r\\t\\u0001/\xd7\xa9\",\"none\":null,"
                 "\"i\":-9223372036854775808,\"b\":true,\"a\":[1,{},[],{\"x\":1},null]}");
}

static void test_doubles_are_short(void **state)
{
    static const double values[] = {0.1, 0.2, 1e21, 5, -0.5, 1.0 / 3, 9007199254740993.0};

    (void)state;
    fd_jw_array(&w);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        fd_jw_double(&w, values[i]);
    fd_jw_end_array(&w);
    assert_wrote("[0.1,0.2,1e+21,5,-0.5,0.3333333333333333,9007199254740992]");
}

/* What is written is what our own reader, PostgreSQL and a browser take. */
static void test_bad_text_is_replaced(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *expected;
    } cases[] = {
        {"a\0b", 3,
         "\"a\xef\xbf\xbd"
         "b\""},
        {"\xff", 1, "\"\xef\xbf\xbd\""},
        {"\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc0\xaf"
         "a",
         3,
         "\"\xef\xbf\xbd\xef\xbf\xbd"
         "a\""},
        {"", 0, "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_reset(&out);
        buf_json(&out, &w);
        fd_jw_string(&w, cases[i].text, cases[i].len);
        assert_wrote(cases[i].expected);
    }
}

#define ASSERT_REFUSED(...)                                                                        \
    do {                                                                                           \
        buf_reset(&out);                                                                           \
        buf_json(&out, &w);                                                                        \
        __VA_ARGS__;                                                                               \
        assert_false(buf_json_end(&out, &w));                                                      \
    } while (0)

static void test_misuse_is_latched(void **state)
{
    (void)state;
    ASSERT_REFUSED(fd_jw_object(&w));
    ASSERT_REFUSED(fd_jw_object(&w), fd_jw_int(&w, 1), fd_jw_end_object(&w));
    ASSERT_REFUSED(fd_jw_object(&w), fd_jw_key(&w, "k"), fd_jw_end_object(&w));
    ASSERT_REFUSED(fd_jw_object(&w), fd_jw_key(&w, "k"), fd_jw_key(&w, "l"), fd_jw_int(&w, 1),
                   fd_jw_end_object(&w));
    ASSERT_REFUSED(fd_jw_array(&w), fd_jw_key(&w, "k"), fd_jw_end_array(&w));
    ASSERT_REFUSED(fd_jw_array(&w), fd_jw_end_object(&w));
    ASSERT_REFUSED(fd_jw_int(&w, 1), fd_jw_int(&w, 2));
    ASSERT_REFUSED(fd_jw_end_array(&w));
    ASSERT_REFUSED(fd_jw_key(&w, "k"));
    ASSERT_REFUSED(fd_jw_double(&w, NAN));
    ASSERT_REFUSED(fd_jw_double(&w, -INFINITY));
    ASSERT_REFUSED(for (int i = 0; i < 100; i++) fd_jw_array(&w));
}

static void test_bound_is_kept(void **state)
{
    struct buf small;

    (void)state;
    buf_init(&small, 10);
    buf_json(&small, &w);
    fd_jw_string(&w, "12345678", 8);
    assert_true(buf_json_end(&small, &w));
    assert_int_equal(small.len, 10);
    buf_reset(&small);
    buf_json(&small, &w);
    fd_jw_string(&w, "123456789", 9);
    assert_false(buf_json_end(&small, &w));
    assert_true(small.len <= 10);
    buf_free(&small);
}

static void test_copies_what_was_read(void **state)
{
    const char *text = "{\"a\":[1,1e2,\"\\n\",{\"b\":null,\"c\":false}],\"d\":-1.50}";
    struct arena arena;
    struct fd_json_fault fault;
    const struct fd_json *json;

    (void)state;
    arena_init(&arena);
    json = fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, arena_allocator(&arena),
                         &fault);
    assert_non_null(json);
    fd_jw_json(&w, json);
    assert_wrote(text);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everything, begin, end),
        cmocka_unit_test_setup_teardown(test_doubles_are_short, begin, end),
        cmocka_unit_test_setup_teardown(test_bad_text_is_replaced, begin, end),
        cmocka_unit_test_setup_teardown(test_misuse_is_latched, begin, end),
        cmocka_unit_test_setup_teardown(test_bound_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_copies_what_was_read, begin, end),
    };

    return cmocka_run_group_tests_name("json write", tests, NULL, NULL);
}
