/* ENG-5: which words of a question lead, by how many records have them: no plan reads more
 * than some hundreds, whatever is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/search_plan.h"

#include <string.h>

static struct arena arena;
static struct search_plan plan;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct planned_term term(const char *word, int sections, int titles, int products)
{
    return (struct planned_term){.words = {{word, sections, titles, products}}, .count = 1};
}

static void make(const struct planned_term *terms, size_t count)
{
    search_plan_make(&arena, terms, count, 100000, 1000, &plan);
}

static void eng_5_few_records_are_read_by_any_word(void **state)
{
    (void)state;
    const struct planned_term terms[] = {term("delivery", 12, 2, 0), term("haifa", 3, 0, 1)};
    make(terms, 2);
    assert_string_equal(plan.rare, "'haifa'|'delivery'");
    assert_null(plan.common);
    assert_string_equal(plan.titles, "'delivery'");
    assert_string_equal(plan.products, "'haifa'");
    assert_null(plan.products_common);
    assert_string_equal(plan.all, "'delivery'|'haifa'");
    assert_string_equal(plan.terms[1], "'haifa'");
}

static void eng_5_rare_words_lead_before_frequent_ones(void **state)
{
    (void)state;
    const struct planned_term terms[] = {term("price", 24000, 800, 900),
                                         term("delivery", 30000, 90, 0), term("haifa", 350, 9, 0),
                                         term("eilat", 60, 0, 0)};
    make(terms, 4);
    assert_string_equal(plan.rare, "'eilat'"); /* with haifa it would be 410 */
    /* what has haifa and a frequent word, too: 350 * 0.24 would be too few for a third */
    assert_string_equal(plan.common, "'haifa'");
    assert_string_equal(plan.titles, "'haifa'|'delivery'");
    assert_null(plan.products);
    assert_string_equal(plan.products_common, "'price'");
}

static void eng_5_of_frequent_words_several_at_once(void **state)
{
    (void)state;
    const struct planned_term terms[] = {term("order", 40000, 2000, 0),
                                         term("price", 24000, 800, 0), term("care", 11000, 300, 0),
                                         term("size", 20000, 700, 0), term("card", 15000, 500, 0)};
    make(terms, 5);
    assert_null(plan.rare);
    /* 11000 * 0.15 * 0.2 = 330; a fourth would leave 79 */
    assert_string_equal(plan.common, "'care'&'card'&'size'");
    assert_string_equal(plan.titles, "'care'"); /* as far as is read */
}

static void eng_5_a_frequent_stem_stands_for_its_forms(void **state)
{
    (void)state;
    const struct planned_term terms[] = {
        {.words = {{"shipping", 2000, 9, 0}, {"ship", 27000, 900, 0}, {"shippings", 4, 1, 0}},
         .count = 3}};
    make(terms, 1);
    assert_string_equal(plan.rare, "'shippings'");
    assert_string_equal(plan.common, "'ship'");
    assert_string_equal(plan.terms[0], "'shipping'|'ship'|'shippings'");
}

static void eng_5_nothing_is_planned_of_nothing(void **state)
{
    (void)state;
    const struct planned_term none[] = {{.count = 0}, {.count = 0}};
    make(none, 2);
    assert_null(plan.titles);
    assert_null(plan.rare);
    assert_null(plan.common);
    assert_null(plan.all);
    assert_null(plan.terms[1]);
    search_plan_make(&arena, NULL, 0, 0, 0, &plan);
    assert_null(plan.all);
}

/* A vocabulary is made of what people wrote. */
static void eng_5_words_are_quoted(void **state)
{
    (void)state;
    const struct planned_term terms[] = {term("o'neil", 1, 0, 0), term("a\\b", 1, 0, 0),
                                         term("x|y:*&!", 1, 0, 0)};
    make(terms, 3);
    assert_string_equal(plan.all, "'o''neil'|'a\\\\b'|'x|y:*&!'");
}

static void eng_5_the_nearest_spelling_is_taken(void **state)
{
    (void)state;
    struct planned_term one = {0};
    const struct vocabulary_word words[] = {{"shippings", 5, 0, 0},
                                            {"skipping", 9, 0, 0},
                                            {"shipping", 7, 0, 0},
                                            {"shopping", 0, 0, 0}};
    for (size_t i = 0; i < 4; i++)
        search_plan_word(&one, "shipping", &words[i], true);
    assert_int_equal(one.count, 1);
    assert_int_equal(one.slips, 0);
    assert_string_equal(one.words[0].word, "shipping");

    struct planned_term two = {0};
    for (size_t i = 0; i < 4; i++)
        search_plan_word(&two, "shippjng", &words[i], true);
    assert_int_equal(two.slips, 1);
    assert_int_equal(two.count, 1); /* what nothing has any more is no spelling */
    assert_string_equal(two.words[0].word, "shipping");

    struct planned_term known = {0};
    for (int i = 0; i < 40; i++)
        search_plan_word(&known, "shipping", &words[i % 4], false);
    assert_int_equal(known.count, TERM_WORDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_5_few_records_are_read_by_any_word),
        cmocka_unit_test(eng_5_rare_words_lead_before_frequent_ones),
        cmocka_unit_test(eng_5_of_frequent_words_several_at_once),
        cmocka_unit_test(eng_5_a_frequent_stem_stands_for_its_forms),
        cmocka_unit_test(eng_5_nothing_is_planned_of_nothing),
        cmocka_unit_test(eng_5_words_are_quoted),
        cmocka_unit_test(eng_5_the_nearest_spelling_is_taken),
    };

    return cmocka_run_group_tests_name("search plan", tests, set_up, tear_down);
}
