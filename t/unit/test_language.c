/* ENG-12: the language is detected from the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chat/language.h"

#include <string.h>

static const char *of(const char *text, const char *otherwise)
{
    return language_of(text, strlen(text), otherwise);
}

static void scripts_decide(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"כמה עולה משלוח?", "he"},         {"כמה עולה?", "he"},         {"كم سعر الشحن؟", "ar"},
        {"Сколько стоит доставка?", "ru"}, {"Πόσο κοστίζει;", "el"},    {"运费多少钱", "zh"},
        {"送料はいくらですか", "ja"},      {"배송비가 얼마예요", "ko"}, {"ค่าส่งเท่าไหร่", "th"},
        {"शिपिंग कितने का है", "hi"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_string_equal(of(cases[i][0], "en"), cases[i][1]);
    }
}

static void nothing_decides(void **state)
{
    (void)state;
    assert_string_equal(of("", "he"), "he");
    assert_string_equal(of("12345 ?! 😀", "he"), "he");
    assert_string_equal(of("\xFF\xD7", "fr"), "fr");
    assert_null(of("How much?", NULL));
    assert_null(of("", NULL));
    assert_string_equal(of("כמה", NULL), "he");
}

static void latin_is_the_default_unless_that_is_not_latin(void **state)
{
    (void)state;
    assert_string_equal(of("Combien coûte la livraison ?", "fr"), "fr");
    assert_string_equal(of("How much is shipping?", "en-GB"), "en-GB");
    assert_string_equal(of("How much is shipping?", "he"), "en");
    assert_string_equal(of("How much is shipping?", "he-IL"), "en");
}

static void brands_and_addresses_do_not_outvote_hebrew(void **state)
{
    (void)state;
    assert_string_equal(of("מה המחיר של iPhone 15 Pro Max?", "en"), "he");
    assert_string_equal(of("לא עובד https://shop.example/returns/and/refunds", "en"), "he");
    assert_string_equal(of("המייל שלי dana.levi@example.com", "en"), "he");
    assert_string_equal(of("What does the word שלום mean in English?", "he"), "en");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_decide),
        cmocka_unit_test(nothing_decides),
        cmocka_unit_test(latin_is_the_default_unless_that_is_not_latin),
        cmocka_unit_test(brands_and_addresses_do_not_outvote_hebrew),
    };

    return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
