/* ENG-8: which questions are the same. */
#include "chat/cache.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ORG "11111111-1111-4111-8111-111111111111"

static bool same(const char *a, const char *b)
{
    char one[FD_SHA256_HEX_SIZE], other[FD_SHA256_HEX_SIZE];
    cache_key(one, ORG, a, strlen(a));
    cache_key(other, ORG, b, strlen(b));
    return strcmp(one, other) == 0;
}

static void test_identity(void **state)
{
    (void)state;
    assert_true(same("How long is shipping?", "  How \t long\nis  shipping? \r\n"));
    assert_true(same("caf\xc3\xa9", "cafe\xcc\x81")); /* composed and not */
    assert_true(same("a b", "a\xe2\x80\x83"
                            "b")); /* em space */
    assert_true(same("", "   "));
    assert_false(same("How long is shipping?", "how long is shipping?"));
    assert_false(same("a b", "ab"));
    assert_false(same("2\xc2\xb2", "22")); /* NFC, not NFKC */
    assert_false(same("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x9d"));
}

static void test_org(void **state)
{
    char one[FD_SHA256_HEX_SIZE], other[FD_SHA256_HEX_SIZE];
    (void)state;
    cache_key(one, ORG, "x", 1);
    cache_key(other, "22222222-1111-4111-8111-111111111111", "x", 1);
    assert_string_not_equal(one, other);
}

static void test_hostile(void **state)
{
    char key[FD_SHA256_HEX_SIZE], many[8192];
    (void)state;
    cache_key(key, ORG, "\xff\xfe\x80", 3);
    assert_int_equal(strlen(key), FD_SHA256_HEX_SIZE - 1);
    for (size_t i = 0; i + 1 < sizeof(many); i += 2)
        memcpy(many + i, "\xcc\x81", 2); /* nothing but accents */
    cache_key(key, ORG, many, sizeof(many));
    assert_int_equal(strlen(key), FD_SHA256_HEX_SIZE - 1);
}

static void test_digest(void **state)
{
    char one[FD_SHA256_HEX_SIZE], other[FD_SHA256_HEX_SIZE];
    struct llm_tool tool = {.name = "t", .description = "d", .parameters = "{}"};
    struct llm_request request = {.system = "s",
                                  .context = "c",
                                  .language = "en",
                                  .temperature = 0.2,
                                  .max_tokens = 100,
                                  .question = "q"};
    (void)state;
    assert_true(cache_digest(one, &request, "openai", "m"));
    request.question = "other";
    assert_true(cache_digest(other, &request, "openai", "m"));
    assert_string_equal(one, other);
    assert_true(cache_digest(other, &request, "openai", "n"));
    assert_string_not_equal(one, other);
    request.context = "d";
    assert_true(cache_digest(other, &request, "openai", "m"));
    assert_string_not_equal(one, other);
    request.context = "c";
    request.temperature = 0.3;
    assert_true(cache_digest(other, &request, "openai", "m"));
    assert_string_not_equal(one, other);
    request.temperature = 0.2;
    request.tools = &tool;
    request.tool_count = 1;
    assert_true(cache_digest(other, &request, "openai", "m"));
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_org),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
