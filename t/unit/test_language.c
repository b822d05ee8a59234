/* ENG-12: the language is detected from the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/turn_language.h"
#include "core/language.h"
#include "core/language_check.h"

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

static void eng_12_another_script_is_not_lost_among_brands(void **state)
{
    (void)state;
    assert_string_equal(of("יש Samsung Galaxy Ultra?", "en"), "he");
    assert_string_equal(of("How do I type שלום on it?", "en"), "en");
    assert_string_equal(of("Cuánto cuesta?", "uk"), "en");
}

/* -- pinned for a turn ------------------------------------------------------------------ */

static const char *turn(const char *question, const char *first, const char *second,
                        const char *own)
{
    const struct llm_message history[] = {{.role = LLM_USER, .text = first},
                                          {.role = LLM_ASSISTANT, .text = "Зачем это здесь?"},
                                          {.role = LLM_USER, .text = second}};
    size_t count = first == NULL ? 0 : second == NULL ? 2 : 3;
    return turn_language(question, strlen(question), history, count, own);
}

static void eng_12_a_question_that_says_its_language_decides(void **state)
{
    (void)state;
    assert_string_equal(turn("How much is shipping?", "כמה עולה משלוח?", NULL, "he"), "en");
    assert_string_equal(turn("כמה עולה משלוח?", "How much is shipping?", NULL, "en"), "he");
    assert_string_equal(turn("תודה", "How much is shipping?", NULL, "en"), "he");
}

static void eng_12_a_short_one_is_in_the_conversations_language(void **state)
{
    static const char *const unclear[] = {"OK", "A-1042", "iPhone 15?",     "Nike Air",
                                          "??", "5",      "a@shop.example", "thanks"};
    (void)state;
    for (size_t i = 0; i < sizeof(unclear) / sizeof(*unclear); i++) {
        assert_string_equal(turn(unclear[i], "כמה עולה משלוח?", NULL, "en"), "he");
        assert_string_equal(turn(unclear[i], "How much is shipping?", NULL, "he"), "en");
        assert_string_equal(turn(unclear[i], "כמה עולה משלוח?", "OK", "en"), "he");
        assert_string_equal(turn(unclear[i], "כמה עולה?", "And how much is it?", "he"), "en");
        assert_string_equal(turn(unclear[i], "OK", "5", "he"), "he");
        assert_string_equal(turn(unclear[i], NULL, NULL, "fr"), "fr");
    }
}

/* -- of an answer ---------------------------------------------------------------------- */

static bool differs(const char *text, const char *expected)
{
    return language_differs(text, strlen(text), expected);
}

static void eng_12_an_answer_in_another_language_is_noticed(void **state)
{
    (void)state;
    assert_true(differs("Shipping takes three business days.", "he"));
    assert_true(differs("המשלוח אורך שלושה ימי עסקים.", "en"));
    assert_true(differs("Доставка займёт три дня, спасибо.", "he-IL"));
    assert_true(differs("המשלוח אורך שלושה ימי עסקים.", "ar"));
    assert_false(differs("המשלוח אורך שלושה ימי עסקים.", "he"));
    assert_false(differs("Shipping takes three business days.", "en"));
    assert_false(differs("La livraison prend trois jours.", "en")); /* letters cannot tell */
    assert_false(differs("Доставка займёт три дня.", "uk"));
    assert_false(differs("送料は三日です。配送会社に確認して下さい。", "ja"));
}

static void eng_12_what_says_nothing_of_the_language(void **state)
{
    static const char *const hebrew[] = {
        "כן: `git clone the-whole-repository` בלבד",
        "הנה:\n```\nselect something from a table\n```\nזהו",
        "פתוח כאן: https://shop.example/returns/and/refunds/and/more-of-it",
        "[article:international-shipping-times] משלוח [article:returns-and-refunds]",
        "[טופס](https://shop.example/a/very/long/address) להחזרה",
        "Samsung Galaxy S24 Ultra Enterprise Edition במלאי",
        "1,299.00 12:30 050-5550100 יום ראשון",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(hebrew) / sizeof(*hebrew); i++) {
        if (differs(hebrew[i], "he")) {
            fail_msg("%s", hebrew[i]);
        }
    }
    assert_false(differs("", "he"));
    assert_false(differs("OK, done", "he"));
    assert_false(differs("```\nan answer that is all code, and cut", "he"));
    assert_false(differs("Shipping takes three days.", "am")); /* a script that is not known */
    assert_false(differs("Shipping takes three days.", "ta-IN"));
    assert_true(differs("[see: all of this] is the way that it goes", "he")); /* no citation */
    assert_false(differs("\xFF\xD7`[(", "he"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_decide),
        cmocka_unit_test(nothing_decides),
        cmocka_unit_test(latin_is_the_default_unless_that_is_not_latin),
        cmocka_unit_test(brands_and_addresses_do_not_outvote_hebrew),
        cmocka_unit_test(eng_12_another_script_is_not_lost_among_brands),
        cmocka_unit_test(eng_12_a_question_that_says_its_language_decides),
        cmocka_unit_test(eng_12_a_short_one_is_in_the_conversations_language),
        cmocka_unit_test(eng_12_an_answer_in_another_language_is_noticed),
        cmocka_unit_test(eng_12_what_says_nothing_of_the_language),
    };

    return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
