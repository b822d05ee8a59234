/* ENG-5: what a question searches for; nothing of it can be more than a quoted word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/terms.h"

#include <string.h>

static struct arena arena;
static struct term terms[TERMS_MAX];

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static size_t find(const char *question, const char *language)
{
    return terms_of(&arena, question, strlen(question), language, terms);
}

static void function_words_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(find("How long does the shipping take?", "en"), 1);
    assert_string_equal(terms[0].word, "shipping");
    assert_int_equal(find("is it the one that I don't have", "en"), 1); /* "one" */
    assert_int_equal(find("כמה זמן לוקח המשלוח?", "he"), 1);
    assert_int_equal(find("", "en"), 0);
    assert_int_equal(find("a b 5 ?", "en"), 0);
}

static void english_words_are_stemmed_by_the_database(void **state)
{
    (void)state;
    assert_int_equal(find("Returns fee", "en"), 2);
    assert_string_equal(terms[0].word, "returns");
    assert_string_equal(terms[0].forms, "returns*");
    assert_string_equal(terms[1].forms, "fee"); /* "feel" is another word */
}

static void other_alphabets_match_by_their_beginning(void **state)
{
    (void)state;
    assert_int_equal(find("доставки", "ru"), 1);
    assert_string_equal(terms[0].forms, "доставк*");
    assert_int_equal(find("l'envío", "es"), 1);
    assert_string_equal(terms[0].forms, "enví*");
}

static bool searches(const char *word, const char *lexeme)
{
    assert_int_equal(find(word, "he"), 1);
    return strstr(arena_printf(&arena, " %s ", terms[0].forms),
                  arena_printf(&arena, " %s* ", lexeme)) != NULL;
}

static void hebrew_is_searched_with_and_without_prefixes(void **state)
{
    (void)state;
    assert_true(searches("המשלוח", "משלוח"));
    assert_true(searches("ולמשלוח", "משלוח"));
    assert_true(searches("משלוח", "למשלוח"));
    assert_true(searches("משלוח", "והמשלוח"));
    assert_true(searches("משלוחים", "משלוח"));
    assert_true(searches("הזמנה", "הזמנ")); /* so does the plural's stem */
    assert_true(searches("ההזמנות", "הזמנ"));
    assert_true(searches("חשבון", "חשבו"));
    assert_false(searches("המשלוח", "לוח"));
    assert_int_equal(find("דוא\"ל", "he"), 1);
    assert_string_equal(terms[0].word, "דוא");
}

static void addresses_are_not_words(void **state)
{
    (void)state;
    assert_int_equal(find("write noam@customer.example or https://shop.example/a/b now", "en"), 1);
    assert_string_equal(terms[0].word, "write");
}

static void each_word_once_and_at_most_sixteen(void **state)
{
    (void)state;
    assert_int_equal(find("shipping Shipping SHIPPING shipping's", "en"), 1);
    const char *text = "";
    for (int i = 0; i < 40; i++) {
        text = arena_printf(&arena, "%s word%d", text, i);
    }
    assert_int_equal(find(text, "en"), TERMS_MAX);
    assert_string_equal(terms[15].word, "word15");
}

/* Between quotes, which a word cannot hold, only letters and digits; around them only
 * " | " and ":*". */
static void check_query(const char *query)
{
    bool quoted = false;

    for (const char *c = query; *c != '\0'; c++) {
        if (*c == '\'') {
            quoted = !quoted;
        } else if ((unsigned char)*c < 0x80) {
            bool letter = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
            assert_true(quoted ? letter : strchr(" |:*", *c) != NULL);
        } else {
            assert_true(quoted);
        }
    }
    assert_false(quoted);
    assert_true(fd_utf8_valid(query, strlen(query)));
}

static void forms_are_alternatives_of_a_query(void **state)
{
    (void)state;
    assert_string_equal(terms_query(&arena, "fee"), "'fee'");
    assert_string_equal(terms_query(&arena, "ship* shop"), "'ship':* | 'shop'");
    assert_string_equal(terms_query(&arena, ""), "");
}

static void no_question_writes_an_operator(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "'",    "\"", "\\",    "|", "&", "!",  "(",  ")",    ":*",   "<->", "{", "}", ",", "NULL",
        "word", "של", "משלוח", "é", " ", "\n", "\0", "\xFF", "\xD7", "’",   "״", "1", "%s"};
    unsigned seed = 7;
    for (int round = 0; round < 4000; round++) {
        char text[96];
        size_t len = 0;
        while (len < 80) {
            seed = seed * 1103515245u + 12345u;
            const char *piece = pieces[(seed >> 8) % (sizeof(pieces) / sizeof(*pieces))];
            size_t size = *piece == '\0' ? 1 : strlen(piece);
            memcpy(text + len, piece, size);
            len += size;
        }
        size_t count = terms_of(&arena, text, len, round % 2 ? "en" : "he", terms);
        for (size_t i = 0; i < count; i++) {
            check_query(terms_query(&arena, terms[i].forms));
            assert_null(strpbrk(terms[i].word, "'\"\\{},"));
            assert_null(strpbrk(terms[i].forms, "'\"\\{},"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(function_words_are_left_out),
        cmocka_unit_test(english_words_are_stemmed_by_the_database),
        cmocka_unit_test(other_alphabets_match_by_their_beginning),
        cmocka_unit_test(hebrew_is_searched_with_and_without_prefixes),
        cmocka_unit_test(addresses_are_not_words),
        cmocka_unit_test(each_word_once_and_at_most_sixteen),
        cmocka_unit_test(forms_are_alternatives_of_a_query),
        cmocka_unit_test(no_question_writes_an_operator),
    };

    return cmocka_run_group_tests_name("terms", tests, setup, teardown);
}
