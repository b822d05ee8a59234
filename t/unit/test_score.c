/* ENG-5: scored by the overlap of the question's terms; zeros dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/score.h"

#include <stdio.h>
#include <string.h>

static struct candidate one(const char *id, uint64_t terms, double text_rank)
{
    return (struct candidate){.snippet = {.id = id, .label = "", .body = ""},
                              .terms = terms,
                              .text_rank = text_rank,
                              .age_days = -1};
}

/* Three terms: two frequent ones and a rare one. */
static const struct score_terms known = {.count = 3, .having = {30, 3, 30}, .total = 100};
static const struct score_terms none;

static void more_terms_rank_higher(void **state)
{
    (void)state;
    struct candidate c[] = {one("b", 1, 0.1), one("a", 7, 0.1), one("c", 3, 0.1)};
    assert_int_equal(score_candidates(c, 3, &known), 3);
    assert_string_equal(c[0].snippet.id, "a");
    assert_string_equal(c[1].snippet.id, "c");
    assert_true(c[2].snippet.score > 0);
}

static void rare_terms_count_more(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0), one("b", 1, 0), one("c", 1, 0), one("z", 2, 0)};
    score_candidates(c, 4, &known);
    assert_string_equal(c[0].snippet.id, "z");
}

static void titles_count_more(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0), one("z", 1, 0)};
    c[1].title_terms = 1;
    score_candidates(c, 2, &known);
    assert_string_equal(c[0].snippet.id, "z");
}

static void the_own_language_and_the_text_rank_decide_ties(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0.1), one("b", 1, 0.2), one("c", 1, 0.1)};
    c[2].own_language = true;
    score_candidates(c, 3, &known);
    assert_string_equal(c[2].snippet.id, "a");

    struct candidate same[] = {one("b", 1, 0.1), one("a", 1, 0.1)};
    score_candidates(same, 2, &known);
    assert_string_equal(same[0].snippet.id, "a");
}

static void a_word_alike_counts_less(void **state)
{
    (void)state;
    const struct score_terms alike = {.count = 2, .mistyped = 2, .having = {9, 9}, .total = 100};
    struct candidate c[] = {one("a", 1, 0), one("b", 2, 0), one("z", 3, 0)};
    assert_int_equal(score_candidates(c, 3, &alike), 3);
    assert_string_equal(c[0].snippet.id, "z");
    assert_string_equal(c[1].snippet.id, "a");
    assert_int_equal(c[0].snippet.reasons, SNIPPET_WORDS | SNIPPET_ALIKE);
    assert_int_equal(c[1].snippet.reasons, SNIPPET_WORDS);
    assert_int_equal(c[2].snippet.reasons, SNIPPET_ALIKE);
}

static void the_new_comes_before_the_old(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0.1), one("b", 1, 0.1), one("c", 1, 0.1)};
    c[0].age_days = 900;
    c[2].age_days = 3;
    score_candidates(c, 3, &known);
    assert_string_equal(c[0].snippet.id, "c");
    assert_string_equal(c[1].snippet.id, "a");
    assert_true((c[0].snippet.reasons & SNIPPET_NEW) != 0);
    assert_true((c[1].snippet.reasons & SNIPPET_NEW) == 0);

    struct candidate better[] = {one("old", 3, 0.1), one("new", 1, 0.1)};
    better[1].age_days = 0;
    score_candidates(better, 2, &known);
    assert_string_equal(better[0].snippet.id, "old"); /* what is new is not more right */
}

static void the_topic_decides_between_equals(void **state)
{
    (void)state;
    struct score_terms near = known;
    near.near_count = 2;
    struct candidate c[] = {one("a", 1, 0.1), one("b", 1, 0.1), one("c", 0, 0)};
    c[1].near_terms = 1;
    c[2].near_terms = 3;
    assert_int_equal(score_candidates(c, 3, &near), 2); /* the topic alone finds nothing */
    assert_string_equal(c[0].snippet.id, "b");
    assert_true((c[0].snippet.reasons & SNIPPET_NEAR) != 0);
}

static void neighbours_in_an_article_support_each_other(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0.1), one("m", 7, 0.1), one("n", 1, 0.1), one("z", 1, 0.1)};
    for (int i = 0; i < 4; i++) {
        c[i].family = i == 2 ? "other" : "guide";
        c[i].position = i == 0 ? 9 : i;
    }
    c[3].position = 2; /* beside m */
    score_candidates(c, 4, &known);
    assert_string_equal(c[0].snippet.id, "m");
    assert_string_equal(c[1].snippet.id, "z");
    assert_string_equal(c[2].snippet.id, "a");
    assert_true((c[1].snippet.reasons & SNIPPET_NEAR) != 0);
    assert_true((c[2].snippet.reasons & SNIPPET_NEAR) == 0);
}

static void grounding_is_what_the_best_speaks_to(void **state)
{
    (void)state;
    const struct candidate all = one("a", 3, 0), frequent = one("a", 1, 0), rare = one("a", 2, 0);
    struct score_terms terms = {.count = 2, .having = {60, 2}, .total = 100};
    assert_float_equal(score_grounding(NULL, 0, &terms), 0, 1e-9);
    assert_float_equal(score_grounding(&all, 1, &terms), 1, 1e-9);
    assert_true(score_grounding(&rare, 1, &terms) > score_grounding(&frequent, 1, &terms));

    /* eight words of which the shop has only "store", in passing */
    struct score_terms strange = {.count = 8, .having = {60}, .total = 100};
    assert_true(score_grounding(&frequent, 1, &strange) < GROUNDING_WEAK);
    struct candidate titled = frequent; /* but "return" as a title answers a long story */
    titled.title_terms = 1;
    struct score_terms story = {.count = 8, .having = {12}, .total = 100};
    assert_true(score_grounding(&titled, 1, &story) > GROUNDING_WEAK);
    struct score_terms one_word = {.count = 1, .having = {60}, .total = 100};
    assert_float_equal(score_grounding(&frequent, 1, &one_word), 1, 1e-9);
    assert_float_equal(score_grounding(NULL, 0, &none), 0, 1e-9);
}

static void zeros_and_the_far_are_dropped(void **state)
{
    (void)state;
    struct candidate zeros[] = {one("a", 0, 0), one("b", 0, 0)};
    zeros[0].own_language = true;
    assert_int_equal(score_candidates(zeros, 2, &known), 0);
    assert_int_equal(score_candidates(NULL, 0, &none), 0);

    struct candidate far[] = {one("best", 0, 1.0), one("near", 0, 0.31), one("far", 0, 0.29)};
    assert_int_equal(score_candidates(far, 3, &known), 2);
    assert_string_equal(far[1].snippet.id, "near");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_terms_rank_higher),
        cmocka_unit_test(rare_terms_count_more),
        cmocka_unit_test(titles_count_more),
        cmocka_unit_test(the_own_language_and_the_text_rank_decide_ties),
        cmocka_unit_test(a_word_alike_counts_less),
        cmocka_unit_test(the_new_comes_before_the_old),
        cmocka_unit_test(the_topic_decides_between_equals),
        cmocka_unit_test(neighbours_in_an_article_support_each_other),
        cmocka_unit_test(grounding_is_what_the_best_speaks_to),
        cmocka_unit_test(zeros_and_the_far_are_dropped),
    };

    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
