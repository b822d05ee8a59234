/* ENG-5: scored by the overlap of the question's terms; zeros dropped, cut to 80. */
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
    return (struct candidate){
        .snippet = {.id = id, .label = "", .body = ""}, .terms = terms, .text_rank = text_rank};
}

static void more_terms_rank_higher(void **state)
{
    (void)state;
    struct candidate c[] = {one("b", 1, 0.1), one("a", 7, 0.1), one("c", 3, 0.1)};
    assert_int_equal(score_candidates(c, 3), 3);
    assert_string_equal(c[0].snippet.id, "a");
    assert_string_equal(c[1].snippet.id, "c");
    assert_true(c[2].snippet.score > 0);
}

static void rare_terms_count_more(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0), one("b", 1, 0), one("c", 1, 0), one("z", 2, 0)};
    score_candidates(c, 4);
    assert_string_equal(c[0].snippet.id, "z");
}

static void titles_count_more(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0), one("z", 1, 0)};
    c[1].title_terms = 1;
    score_candidates(c, 2);
    assert_string_equal(c[0].snippet.id, "z");
}

static void the_own_language_and_the_text_rank_decide_ties(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0.1), one("b", 1, 0.2), one("c", 1, 0.1)};
    c[2].own_language = true;
    score_candidates(c, 3);
    assert_string_equal(c[2].snippet.id, "a");

    struct candidate same[] = {one("b", 1, 0.1), one("a", 1, 0.1)};
    score_candidates(same, 2);
    assert_string_equal(same[0].snippet.id, "a");
}

static void similarity_stands_for_a_missing_term(void **state)
{
    (void)state;
    struct candidate c[] = {one("a", 1, 0), one("z", 1, 0), one("y", 0, 0)};
    c[1].similarity = 0.7;
    c[2].similarity = 0.7;
    assert_int_equal(score_candidates(c, 3), 3);
    assert_string_equal(c[0].snippet.id, "z");
}

static void zeros_and_the_far_are_dropped(void **state)
{
    (void)state;
    struct candidate none[] = {one("a", 0, 0), one("b", 0, 0)};
    none[0].own_language = true;
    assert_int_equal(score_candidates(none, 2), 0);
    assert_int_equal(score_candidates(NULL, 0), 0);

    struct candidate far[] = {one("best", 0, 1.0), one("near", 0, 0.31), one("far", 0, 0.29)};
    assert_int_equal(score_candidates(far, 3), 2);
    assert_string_equal(far[1].snippet.id, "near");
}

static void at_most_eighty(void **state)
{
    (void)state;
    static char ids[200][32];
    static struct candidate c[200];
    for (int i = 0; i < 200; i++) {
        snprintf(ids[i], sizeof(ids[i]), "article:%03d", i);
        c[i] = one(ids[i], UINT64_MAX, 0.1);
    }
    assert_int_equal(score_candidates(c, 200), SNIPPETS_MAX);
    assert_string_equal(c[79].snippet.id, "article:079");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_terms_rank_higher),
        cmocka_unit_test(rare_terms_count_more),
        cmocka_unit_test(titles_count_more),
        cmocka_unit_test(the_own_language_and_the_text_rank_decide_ties),
        cmocka_unit_test(similarity_stands_for_a_missing_term),
        cmocka_unit_test(zeros_and_the_far_are_dropped),
        cmocka_unit_test(at_most_eighty),
    };

    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
