/* ENG-5: the order number and the address that must stand in one message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/mention.h"

#include <string.h>

static struct arena arena;
static struct mentions found;

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

static void look(const char *text)
{
    mentions_of(&arena, text, strlen(text), &found);
}

static bool has_number(const char *number)
{
    for (size_t i = 0; i < found.number_count; i++) {
        if (strcmp(found.numbers[i], number) == 0) {
            return true;
        }
    }
    return false;
}

static void both_are_found(void **state)
{
    (void)state;
    look("Where is order d-1002? My address is Noam.Levi+shop@Customer.Example.");
    assert_int_equal(found.email_count, 1);
    assert_string_equal(found.emails[0], "noam.levi+shop@customer.example");
    assert_true(has_number("d-1002"));
    assert_true(has_number("D-1002"));
    look("הזמנה #1001, מייל <dana@a.co.il>");
    assert_string_equal(found.emails[0], "dana@a.co.il");
    assert_true(has_number("#1001"));
    assert_true(has_number("1001"));
    look("(order:A_7/2024)...");
    assert_true(has_number("A_7/2024"));
}

static void other_text_is_none(void **state)
{
    (void)state;
    look("");
    assert_int_equal(found.email_count + found.number_count, 0);
    look("no numbers, me@home, @you, a@@b.c, x@.");
    assert_int_equal(found.email_count, 0);
    assert_int_equal(found.number_count, 0);
    look("### -- ... @ /");
    assert_int_equal(found.email_count + found.number_count, 0);
}

static void few_are_taken(void **state)
{
    (void)state;
    look("1 2 3 4 5 6 7 8 a@b.c c@d.e e@f.g");
    assert_true(has_number("4"));
    assert_false(has_number("5"));
    assert_int_equal(found.email_count, MENTION_EMAILS_MAX);
    look("#a1 #b1 #c1 #d1 #e1");
    assert_int_equal(found.number_count, MENTION_NUMBERS_MAX * MENTION_VARIANTS_MAX);
}

static void long_ones_are_none(void **state)
{
    (void)state;
    char text[400];
    memset(text, '7', sizeof(text));
    mentions_of(&arena, text, sizeof(text), &found);
    assert_int_equal(found.number_count, 0);
    memcpy(text + 300, "@b.c", 4);
    mentions_of(&arena, text, 304, &found);
    assert_int_equal(found.email_count, 0);
}

static void only_plain_characters_come_out(void **state)
{
    (void)state;
    look("\"1\\2\" '3' {4},5 a\"1@b.c\\ %s");
    for (size_t i = 0; i < found.number_count; i++) {
        assert_null(strpbrk(found.numbers[i], "\"\\{},' "));
    }
    for (size_t i = 0; i < found.email_count; i++) {
        assert_null(strpbrk(found.emails[i], "\"\\{},' "));
    }
    mentions_of(&arena, "1\0002", 3, &found);
    assert_true(has_number("1") && has_number("2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_found),
        cmocka_unit_test(other_text_is_none),
        cmocka_unit_test(few_are_taken),
        cmocka_unit_test(long_ones_are_none),
        cmocka_unit_test(only_plain_characters_come_out),
    };

    return cmocka_run_group_tests_name("mention", tests, setup, teardown);
}
