/* ENG-5: rankings whose scores cannot be compared, fused by their places alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/fuse.h"

static struct arena arena;

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

static void eng_5_what_both_lists_have_comes_first(void **state)
{
    static const struct ranked words[] = {{"a", 90}, {"b", 80}, {"c", 70}};
    static const struct ranked meaning[] = {{"d", 0.9}, {"c", 0.8}};
    const struct ranking_list lists[] = {{words, 3, 1}, {meaning, 2, 1}};
    struct fused *fused;

    (void)state;
    assert_int_equal(fuse_rankings(&arena, lists, 2, 10, &fused), 4);
    assert_string_equal(fused[0].id, "c");
    assert_int_equal(fused[0].lists, 3);
    assert_string_equal(fused[1].id, "a"); /* as good as d, which comes later in the alphabet */
    assert_string_equal(fused[2].id, "d");
    assert_true(fused[1].score == fused[2].score);
    assert_string_equal(fused[3].id, "b");
    assert_int_equal(fused[3].lists, 1);
    assert_int_equal(fuse_rankings(&arena, lists, 2, 2, &fused), 2);
}

static void eng_5_the_first_of_all_lists_has_one(void **state)
{
    static const struct ranked one[] = {{"a", 1}, {"b", 1}, {"c", 0.5}};
    const struct ranking_list lists[] = {{one, 3, 1}, {one, 3, 3}};
    struct fused *fused;

    (void)state;
    assert_int_equal(fuse_rankings(&arena, lists, 2, 10, &fused), 3);
    assert_float_equal(fused[0].score, 1, 1e-9);
    assert_float_equal(fused[1].score, 1, 1e-9); /* equal scores share a place */
    assert_float_equal(fused[2].score, 61.0 / 63, 1e-9);
}

static void eng_5_a_list_that_is_trusted_more_decides(void **state)
{
    static const struct ranked left[] = {{"a", 2}, {"b", 1}}, right[] = {{"b", 2}, {"a", 1}};
    struct ranking_list lists[] = {{left, 2, 1}, {right, 2, 2}};
    struct fused *fused;

    (void)state;
    fuse_rankings(&arena, lists, 2, 10, &fused);
    assert_string_equal(fused[0].id, "b");
    lists[0].weight = 3;
    fuse_rankings(&arena, lists, 2, 10, &fused);
    assert_string_equal(fused[0].id, "a");
}

static void eng_5_an_id_is_heard_once_in_a_list(void **state)
{
    static const struct ranked twice[] = {{"b", 3}, {"a", 2}, {"a", 1}, {"a", 0}};
    const struct ranking_list lists[] = {{twice, 4, 1}};
    struct fused *fused;

    (void)state;
    assert_int_equal(fuse_rankings(&arena, lists, 1, 10, &fused), 2);
    assert_string_equal(fused[0].id, "b");
    assert_float_equal(fused[1].score, 61.0 / 62, 1e-9);
}

static void eng_5_nothing_is_fused_of_nothing(void **state)
{
    const struct ranking_list lists[] = {{NULL, 0, 1}, {NULL, 0, 1}};
    struct fused *fused;

    (void)state;
    assert_int_equal(fuse_rankings(&arena, lists, 2, 10, &fused), 0);
    assert_int_equal(fuse_rankings(&arena, NULL, 0, 10, &fused), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_5_what_both_lists_have_comes_first),
        cmocka_unit_test(eng_5_the_first_of_all_lists_has_one),
        cmocka_unit_test(eng_5_a_list_that_is_trusted_more_decides),
        cmocka_unit_test(eng_5_an_id_is_heard_once_in_a_list),
        cmocka_unit_test(eng_5_nothing_is_fused_of_nothing),
    };

    return cmocka_run_group_tests_name("fuse", tests, set_up, tear_down);
}
