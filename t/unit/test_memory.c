/* core/arena.h, core/buf.h and core/address.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/address.h"
#include "core/arena.h"
#include "core/buf.h"

static void test_arena(void **state)
{
    struct arena a;
    unsigned char *blocks[200];

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < 200; i++) {
        size_t size = i * i;

        blocks[i] = arena_alloc(&a, size);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, size);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t at = 0; at < i * i; at++)
            assert_int_equal(blocks[i][at], i);
    }
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(arena_strndup(&a, "abc", 2), "ab");
    assert_null(arena_strdup(&a, NULL));
    assert_int_equal(((char *)arena_zalloc(&a, 100000))[99999], 0);
    assert_true(a.used > 100000);
    arena_free(&a);
    assert_int_equal(a.used, 0);
    assert_string_equal(arena_strdup(&a, "again"), "again");
    arena_free(&a);
}

static void test_buf(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_null(b.data);
    assert_true(buf_append(&b, "", 0));
    assert_string_equal(b.data, "");
    assert_true(buf_puts(&b, "1234"));
    assert_true(buf_printf(&b, "%d", 5678));
    assert_string_equal(b.data, "12345678");
    assert_false(b.over);
    assert_false(buf_puts(&b, "9"));
    assert_true(b.over);
    assert_false(buf_append(&b, "", 0)); /* latched */
    assert_string_equal(b.data, "12345678");
    buf_consume(&b, 3);
    assert_string_equal(b.data, "45678");
    buf_consume(&b, 99);
    assert_int_equal(b.len, 0);
    buf_reset(&b);
    assert_false(buf_printf(&b, "%09d", 1));
    assert_true(b.over);
    assert_int_equal(b.len, 0);
    buf_free(&b);
}

static void test_buf_grows(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 10000; i++)
        assert_true(buf_printf(&b, "%08d\n", i));
    assert_int_equal(b.len, 90000);
    assert_memory_equal(b.data + 9 * 9999, "00009999\n", 10);
    assert_true(b.cap <= 100001);
    buf_free(&b);
}

static void test_address(void **state)
{
    static const char *const bad[] = {
        "",
        "unix:",
        "unix:relative",
        "localhost:6379",
        "1.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:0",
        "1.2.3.4:65536",
        "1.2.3.4:+1",
        "1.2.3.4:1 ",
        "::1:6379",
        "[::1]",
        "[::1:6379",
        "[1.2.3.4]:1",
        ":6379",
        "256.1.1.1:1",
        "1.2.3.4:123456",
        "/run/x",
    };
    char path[128] = "unix:/";
    struct address a;

    (void)state;
    assert_true(address_parse("unix:/run/redis.sock", &a));
    assert_true(a.is_unix);
    assert_string_equal(a.host, "/run/redis.sock");
    assert_true(address_parse("127.0.0.1:6379", &a));
    assert_false(a.is_unix);
    assert_string_equal(a.host, "127.0.0.1");
    assert_int_equal(a.port, 6379);
    assert_true(address_parse("[::1]:65535", &a));
    assert_string_equal(a.host, "::1");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(address_parse(bad[i], &a));
    memset(path + 6, 'x', 106); /* the kernel's bound for a socket's path */
    assert_true(address_parse(path, &a));
    path[112] = 'x';
    assert_false(address_parse(path, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_buf_grows),
        cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
