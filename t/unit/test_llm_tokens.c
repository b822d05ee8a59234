/* ENG-6: estimated tokens, and micro-dollars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "llm/price.h"
#include "llm/tokens.h"

static void eng_6_estimates(void **state)
{
    static const struct {
        const char *text;
        int tokens;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"abcd", 1},
        {"abcde", 2},
        {"The quick brown fox jumps over it.", 9}, /* 34 / 4 */
        {"שלום", 4},                               /* two bytes a token */
        {"привет", 6},
        {"שלום abc", 5},
        {"你好", 2}, /* one a character */
        {"こんにちは", 5},
        {"안녕", 2},
        {"สวัสดี", 6},
        {"नमस्ते", 9}, /* six code points of three bytes */
        {"😀", 2},
        {"\xff\xff\xff", 2}, /* not UTF-8: still counted */
        {"\xd7", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int tokens = tokens_estimate(cases[i].text, strlen(cases[i].text));
        if (tokens != cases[i].tokens) {
            fail_msg("\"%s\": %d", cases[i].text, tokens);
        }
    }
}

static void eng_6_prices(void **state)
{
    static const struct price mini = {400000, 1600000, 100000, -1}; /* gpt-4.1-mini */
    static const struct price sonnet = {3000000, 15000000, 300000, 3750000};
    static const struct price free_of_charge = {0, 0, 0, 0};
    static const struct price unknown = {-1, 1, 1, 1};
    static const struct price dear = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    static const struct {
        const struct price *price;
        struct llm_usage usage;
        int64_t micro;
    } cases[] = {
        {NULL, {1, 1, 1, 1, -1}, -1},
        {&unknown, {1, 1, 1, 1, -1}, -1},
        {&free_of_charge, {1000, 1000, 0, 0, -1}, 0},
        {&mini, {0, 0, 0, 0, -1}, 0},
        {&mini, {-1, -1, -1, -1, -1}, 0},
        {&mini, {1000000, 0, 0, 0, -1}, 400000},
        {&mini, {1, 0, 0, 0, -1}, 1}, /* rounded up */
        {&mini, {1, 1, 0, 0, -1}, 2}, /* 0.4 + 1.6: once, after the sum */
        {&mini, {1, 1, 1, 0, -1}, 3}, /* + 0.1 */
        {&mini, {0, 0, 0, 5, -1}, 2}, /* an unknown cache price is the input's */
        {&sonnet, {1000, 200, 5000, 400, -1}, 3000 + 3000 + 1500 + 1500},
        {&dear, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, -1}, INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(price_of(cases[i].price, &cases[i].usage), cases[i].micro);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_6_estimates),
        cmocka_unit_test(eng_6_prices),
    };
    return cmocka_run_group_tests_name("llm tokens", tests, NULL, NULL);
}
