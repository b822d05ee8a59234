/* EDGE-1, EDGE-2: which origins a publishable key may be given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tenant/keys.h"

static void test_good_origins(void **state)
{
    static const char *const good[] = {
        "https://shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "http://localhost",
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "https://*.shop.example",
        "https://*.shop.example:444",
        "https://a.b.c.d.shop.example",
        "https://xn--4dbrk0ce.xn--9dbq2a",
        "http://[::1]:3000",
        "https://my_shop.example",
        "https://1.example",
    };
    char error[128];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!key_origin_valid(good[i], error))
            fail_msg("%s: %s", good[i], error);
    }
}

static void test_hostile_origins(void **state)
{
    static const char *const bad[] = {
        "",
        "*",
        "null",
        "shop.example",
        "//shop.example",
        "https:",
        "https://",
        "https:///",
        "https://shop.example/",
        "https://shop.example/path",
        "https://shop.example?x",
        "https://shop.example#x",
        "https://user@shop.example",
        "https://user:pass@shop.example",
        "HTTPS://shop.example",
        "https://Shop.example",
        "https://shop.example.",
        "https://.shop.example",
        "https://shop..example",
        "https://-shop.example",
        "https://shop-.example",
        "https://shop.example:",
        "https://shop.example:0",
        "https://shop.example:08",
        "https://shop.example:65536",
        "https://shop.example:99999999999",
        "https://shop.example:443",
        "http://shop.example:80",
        "https://shop.example:12a",
        "https://shop.example:1:2",
        "https://*",
        "https://*.",
        "https://*.example",
        "https://*.*.example",
        "https://*.127.0.0.1",
        "https://*.[::1]",
        "https://shop.*.example",
        "https://*shop.example",
        "https://shop*.example",
        "https://shop.example https://evil.example",
        "https://shop.example\nhttps://evil.example",
        "https://shop.example\r\nX: y",
        "https://shop.example\t",
        " https://shop.example",
        "https://\xd7\xa9.example",
        "https://shop%2eexample",
        "https://[::1",
        "https://[::1]x",
        "https://[::g]",
        "https://[]",
        "ftp://shop.example",
        "file://",
        "javascript:alert(1)",
        "chrome-extension://abcdef",
    };
    char error[128], label[80] = "https://", whole[600] = "https://";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(error, 0, sizeof(error));
        if (key_origin_valid(bad[i], error))
            fail_msg("let through: \"%s\"", bad[i]);
        assert_in_range(strlen(error), 10, 127);
    }
    memset(label + 8, 'a', 64);
    assert_false(key_origin_valid(label, error));
    label[8 + 63] = '\0';
    assert_true(key_origin_valid(label, error));
    for (int i = 0; i < 250; i++)
        memcpy(whole + 8 + 2 * i, "a.", 3);
    assert_false(key_origin_valid(whole, error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_origins),
        cmocka_unit_test(test_hostile_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
