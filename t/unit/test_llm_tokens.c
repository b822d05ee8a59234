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
        {"سلام", 4},
        {"“ok” – yes", 5}, /* seven characters and three marks of a token each */
        /* code and JSON: as many characters of prose would be 10, 7 and 6 */
        {"{\"order_id\":\"A-1234\",\"status\":\"sent\"}", 13},
        {"if (a == b && c() != d[0])", 9},
        {"<p class=\"x\">a</p><br/>", 8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int tokens = tokens_estimate(cases[i].text, strlen(cases[i].text));
        if (tokens != cases[i].tokens) {
            fail_msg("\"%s\": %d", cases[i].text, tokens);
        }
    }
}

/* Contract: ceil(code points / 4) for ASCII prose, whatever its punctuation. */
static void eng_6_prose_is_a_quarter_a_character(void **state)
{
    static const char *const prose[] = {
        "[article:returns] Returns\nGoods (unused, in their box) may be sent back; see below.",
        "\"It depends,\" she said: \"call us (or write), please.\" -- 24/7, #1 & more!",
        "Price: 59.00 ILS. In stock: 7.\n- 20% off, 3 * 4 = 12; a/b, https://shop.example/x_y?z=1",
        "1. One\n2. Two...\n\n---\n\n## Three (3), \"four\"; [five], [six]: seven.",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(prose) / sizeof(prose[0]); i++) {
        size_t len = strlen(prose[i]);
        assert_int_equal(tokens_estimate(prose[i], len), (len + 3) / 4);
    }
}

/* Packing seeks the longest prefix that fits, and measures a heading and a body apart. */
static void eng_6_more_text_never_costs_less(void **state)
{
    static const char text[] =
        "{\"a\": [1, {\"ב\":\"שלום\"}]} -> f() 你好😀\xff end\nnext <b>line</b>";
    int last = 0;
    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        int tokens = tokens_estimate(text, len);
        assert_true(len == 0 || tokens >= last || (text[len] & 0xC0) == 0x80);
        if ((text[len] & 0xC0) != 0x80)
            last = tokens;
    }
    const char *body = strchr(text, '\n') + 1;
    size_t head = (size_t)(body - text);
    assert_true(tokens_estimate(text, head) + tokens_estimate(body, strlen(body)) >=
                tokens_estimate(text, strlen(text)));
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
        cmocka_unit_test(eng_6_prose_is_a_quarter_a_character),
        cmocka_unit_test(eng_6_more_text_never_costs_less),
        cmocka_unit_test(eng_6_prices),
    };
    return cmocka_run_group_tests_name("llm tokens", tests, NULL, NULL);
}
