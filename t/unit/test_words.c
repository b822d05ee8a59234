/* Words: the normal form that routing (ENG-2) and search (ENG-5) compare. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/words.h"

#include <string.h>

static struct arena arena;

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

/* The words of a text with a bar between them. */
static const char *cut(const char *text)
{
    struct word words[64];
    size_t count = words_of(&arena, text, strlen(text), words, 64);
    const char *joined = "";

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strlen(words[i].text), words[i].len);
        joined = arena_printf(&arena, "%s%s%s", joined, i > 0 ? "|" : "", words[i].text);
    }
    return joined;
}

static struct word one(const char *text)
{
    struct word word;

    assert_int_equal(words_of(&arena, text, strlen(text), &word, 1), 1);
    return word;
}

static bool form(const char *word, const char *base)
{
    struct word w = one(word), b = one(base);

    return word_is_form_of(&w, &b);
}

static void words_are_cut_at_everything_else(void **state)
{
    (void)state;
    assert_string_equal(cut(""), "");
    assert_string_equal(cut(" \t\n.,!?"), "");
    assert_string_equal(cut("Where is my order #A-1001?"), "where|is|my|order|a|1001");
    assert_string_equal(cut("price:5€/kg—cheap…✓😀ok"), "price|5|kg|cheap|ok");
    assert_string_equal(cut("בית־ספר, לא?"), "בית|ספר|לא");
    assert_string_equal(cut("送料は、いくら。"), "送料は|いくら");
}

static void case_is_folded_without_a_locale(void **state)
{
    (void)state;
    assert_string_equal(cut("ÉCOLE Straße ŁÓDŹ Žižkov"), "école|straße|łódź|žižkov");
    assert_string_equal(cut("ДОСТАВКА ЁЛКА Ґанок"), "доставка|ёлка|ґанок");
    assert_string_equal(cut("ΑΘΉΝΑ Ώρα"), "αθήνα|ώρα");
}

static void points_and_invisible_marks_do_not_count(void **state)
{
    (void)state;
    assert_string_equal(cut("שָׁלוֹם"), "שלום");
    assert_string_equal(cut("\xE2\x80\x8F"
                            "משלוח"
                            "\xE2\x80\x8E"),
                        "משלוח");
    assert_string_equal(cut("ship\xC2\xADping"), "shipping");
    assert_string_equal(cut("كِتَاب"), "كتاب");
}

static void apostrophes_stay_inside_words(void **state)
{
    (void)state;
    assert_string_equal(cut("won't WON’T l'avion"), "won't|won't|l'avion");
    assert_string_equal(cut("Acme's deals' 'quoted'"), "acme|deals|quoted");
    assert_string_equal(cut("דוא\"ל דוא״ל צ'ק"), "דוא'ל|דוא'ל|צ'ק");
    assert_string_equal(cut("12\" \"deal\""), "12|deal");
}

static void long_words_are_cut_at_a_code_point(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'x', sizeof(text));
    struct word words[2];
    assert_int_equal(words_of(&arena, text, sizeof(text), words, 2), 1);
    assert_int_equal(words[0].len, WORD_BYTES_MAX);

    for (size_t i = 0; i < sizeof(text); i += 4) {
        memcpy(text + i,
               "x"
               "\xE1\xBA\xBF",
               4); /* 1 + 3 bytes */
    }
    assert_int_equal(words_of(&arena, text + 1, sizeof(text) - 1, words, 2), 1);
    assert_true(words[0].len > WORD_BYTES_MAX - 4 && words[0].len <= WORD_BYTES_MAX);
}

static void malformed_bytes_are_separators(void **state)
{
    (void)state;
    assert_string_equal(cut("a\xFF"
                            "b\xC3"),
                        "a|b");
    assert_string_equal(cut("\xF0\x9F\x98"), "");
    for (unsigned seed = 1; seed < 2000; seed++) {
        char bytes[48];
        unsigned x = seed * 2654435761u;
        for (size_t i = 0; i < sizeof(bytes); i++) {
            x = x * 1103515245u + 12345u;
            bytes[i] = (char)(x >> 16);
        }
        struct word words[48];
        size_t count = words_of(&arena, bytes, sizeof(bytes), words, 48);
        for (size_t i = 0; i < count; i++) {
            assert_true(fd_utf8_valid(words[i].text, words[i].len));
        }
    }
}

static void the_number_of_words_is_bounded(void **state)
{
    (void)state;
    struct word words[2];
    assert_int_equal(words_of(&arena, "a b c d", 7, words, 2), 2);
    assert_string_equal(words[1].text, "b");
}

static void english_inflections(void **state)
{
    (void)state;
    assert_true(form("deals", "deal"));
    assert_true(form("deal's", "deal"));
    assert_true(form("wins", "win"));
    assert_true(form("winning", "win"));
    assert_true(form("drafted", "draft"));
    assert_true(form("drafting", "draft"));
    assert_true(form("emailing", "email"));
    assert_true(form("E-Mails", "e"));
    assert_true(form("pipelines", "pipeline"));
    assert_true(form("closing", "close"));
    assert_true(form("closed", "close"));
    assert_true(form("replies", "reply"));
    assert_true(form("boxes", "box"));
    assert_false(form("window", "win"));
    assert_false(form("winner", "win"));
    assert_false(form("won't", "won"));
    assert_false(form("wing", "win"));
    assert_false(form("wincing", "win"));
    assert_false(form("ideal", "deal"));
    assert_false(form("dealer", "deal"));
    assert_false(form("draughts", "draft"));
    assert_false(form("deal", "deals"));
    assert_false(form("as", "a"));
}

static void hebrew_prefixes(void **state)
{
    (void)state;
    static const char *const forms[] = {"העסקה",  "בעסקה",  "לעסקה",  "ועסקה",  "מעסקה",
                                        "שעסקה",  "כעסקה",  "והעסקה", "שבעסקה", "כשהעסקה",
                                        "מהעסקה", "ולעסקה", "ושהעסקה"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        assert_true(form(forms[i], "עסקה"));
    }
    assert_false(form("תעסקה", "עסקה"));
    assert_false(form("עסקהה", "עסקה"));

    /* the article ends the chain: no root begins behind "המ" */
    struct word word = one("המשלוח");
    size_t starts[WORD_STARTS_MAX];
    assert_int_equal(word_starts(&word, starts), 2);
    assert_int_equal(starts[1], 2);
    word = one("בהזמנה"); /* as "in" does, which swallows it */
    assert_int_equal(word_starts(&word, starts), 2);
    word = one("של");
    assert_int_equal(word_starts(&word, starts), 1);
}

static void stop_words(void **state)
{
    (void)state;
    static const char *const stops[] = {"the", "How", "don't", "we're", "של", "אתם", "you"};
    static const char *const content[] = {"shipping", "return", "משלוח", "l'avion", "доставка"};
    for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++) {
        struct word word = one(stops[i]);
        assert_true(word_is_stop(&word));
    }
    for (size_t i = 0; i < sizeof(content) / sizeof(*content); i++) {
        struct word word = one(content[i]);
        assert_false(word_is_stop(&word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_cut_at_everything_else),
        cmocka_unit_test(case_is_folded_without_a_locale),
        cmocka_unit_test(points_and_invisible_marks_do_not_count),
        cmocka_unit_test(apostrophes_stay_inside_words),
        cmocka_unit_test(long_words_are_cut_at_a_code_point),
        cmocka_unit_test(malformed_bytes_are_separators),
        cmocka_unit_test(the_number_of_words_is_bounded),
        cmocka_unit_test(english_inflections),
        cmocka_unit_test(hebrew_prefixes),
        cmocka_unit_test(stop_words),
    };

    return cmocka_run_group_tests_name("words", tests, setup, teardown);
}
