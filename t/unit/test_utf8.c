/* Code points of texts that may be malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/utf8.h"

#include <string.h>

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) {
            continue;
        }
        char bytes[4];
        const char *at = bytes;
        size_t len = utf8_put(bytes, code);
        assert_int_equal(utf8_next(&at, bytes + len), code);
        assert_ptr_equal(at, bytes + len);
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(utf8_floor(bytes, len, cut), 0);
        }
        assert_int_equal(utf8_floor(bytes, len, len), len);
    }
}

static void malformed_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "\x80",         "\xC0\x80",     "\xC3", "\xE2\x82",         "\xED\xA0\x80",
        "\xF5\x80\x80", "\xF0\x80\x80", "\xFF", "\xF4\x90\x80\x80", "\xE0\x80\xAF"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        const char *at = broken[i], *end = at + strlen(at);
        assert_int_equal(utf8_next(&at, end), UTF8_REPLACEMENT);
        assert_ptr_equal(at, broken[i] + 1);
    }
}

static void a_cut_never_goes_back_further_than_a_sequence(void **state)
{
    (void)state;
    assert_int_equal(utf8_floor("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
    assert_int_equal(utf8_floor("abc", 3, 9), 3);
    assert_int_equal(utf8_floor("", 0, 0), 0);
}

static void a_line_is_valid_and_ends_at_a_character(void **state)
{
    (void)state;
    static const char text[] = " a\r\n\t\xFF\xE2\x82\xAC\xC2\x85\xD7\xA9\xD7";
    static const struct {
        size_t size;
        const char *line;
    } cases[] = {{64, "a \xEF\xBF\xBD\xE2\x82\xAC \xD7\xA9\xEF\xBF\xBD"},
                 {9, "a \xEF\xBF\xBD\xE2\x82\xAC"},
                 {8, "a \xEF\xBF\xBD"},
                 {6, "a \xEF\xBF\xBD"},
                 {5, "a "},
                 {1, ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char line[64];
        const char *at = text, *end = text + sizeof(text) - 1;
        assert_int_equal(utf8_line(line, cases[i].size, &at, end), strlen(cases[i].line));
        assert_string_equal(line, cases[i].line);
        assert_true((at == end) == (cases[i].size == 64));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(malformed_bytes_are_replaced_one_by_one),
        cmocka_unit_test(a_cut_never_goes_back_further_than_a_sequence),
        cmocka_unit_test(a_line_is_valid_and_ends_at_a_character),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
