/* ENG-5: what says the same is sent once; what differs in a fact is not the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/duplicates.h"

#include <string.h>

#define DELIVERY                                                                                   \
    "Standard delivery is handled by our courier from the depot in the north, who rings the bell " \
    "and leaves the parcel with a neighbour if nobody opens; heavy goods are brought to the "      \
    "kerb only, and the driver cannot carry anything up the stairs or take the packaging back. "

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

static struct candidate section(const char *id, const char *body)
{
    return (struct candidate){.snippet = {.id = id, .label = "", .body = body}, .family = "a"};
}

static size_t kept_of(const char *one, const char *other)
{
    struct candidate c[] = {section("one", one), section("other", other)};
    size_t kept = duplicates_drop(&arena, c, 2);
    assert_string_equal(c[0].snippet.id, "one"); /* the better one */
    return kept;
}

static void eng_5_the_same_but_for_a_few_words(void **state)
{
    (void)state;
    assert_int_equal(kept_of("Open daily.", "Open daily."), 1);
    assert_int_equal(kept_of(DELIVERY, DELIVERY "Thank you!"), 1);
    assert_int_equal(kept_of("  open, DAILY", "Open daily!"), 1); /* as words */
    assert_int_equal(kept_of("חנות פתוחה תמיד", "חנות פתוחה תמיד."), 1);
}

static void eng_5_other_facts_are_not_the_same(void **state)
{
    (void)state;
    assert_int_equal(kept_of(DELIVERY "It takes 3 days.", DELIVERY "It takes 5 days."), 2);
    assert_int_equal(kept_of("Open daily.", "Open on Mondays."), 2);
    assert_int_equal(kept_of("Open daily.", ""), 2);
    assert_int_equal(kept_of("", ""), 2);
    /* the same beginning, however long, and another end */
    char *one = arena_zalloc(&arena, 12000), *other = arena_zalloc(&arena, 12000);
    for (int i = 0; i < 30; i++) {
        strcat(one, DELIVERY);
        strcat(other, DELIVERY);
    }
    strcat(one, "Price: 59.");
    strcat(other, "Price: 79.");
    assert_int_equal(kept_of(one, other), 2);
}

/* Products share their texts and are still two. */
static void eng_5_only_sections_are_compared(void **state)
{
    (void)state;
    struct candidate c[] = {section("a", DELIVERY), section("b", DELIVERY), section("c", DELIVERY)};
    c[1].family = NULL;
    assert_int_equal(duplicates_drop(&arena, c, 3), 2);
    assert_string_equal(c[0].snippet.id, "a");
    assert_string_equal(c[1].snippet.id, "b");
    assert_int_equal(duplicates_drop(&arena, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_5_the_same_but_for_a_few_words),
        cmocka_unit_test(eng_5_other_facts_are_not_the_same),
        cmocka_unit_test(eng_5_only_sections_are_compared),
    };

    return cmocka_run_group_tests_name("duplicates", tests, set_up, tear_down);
}
