/* ENG-7: what a prompt says twice or in vain is left out, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/compress.h"

#include <string.h>
#include <time.h>

#define ASK_US "Questions? Write to us, we answer on every working day."

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

static void eng_7_boilerplate_is_said_once(void **state)
{
    (void)state;
    struct snippet s[] = {{.id = "a", .body = "Delivery takes 3 days.\n\n" ASK_US},
                          {.id = "b", .body = "Returns are free.\n" ASK_US "  \n"},
                          {.id = "c", .body = ASK_US "\nCare: wash by hand."},
                          {.id = "d", .body = "Something else."}};
    assert_int_equal(compress_snippets(&arena, s, 4), 28);
    assert_string_equal(s[0].body, "Delivery takes 3 days.\n\n" ASK_US);
    assert_string_equal(s[1].body, "Returns are free.");
    assert_string_equal(s[2].body, "Care: wash by hand.");
    assert_string_equal(s[3].body, "Something else.");
}

/* As large as snippets come: the loop has no time for each line against each other. */
static void eng_7_many_lines_take_no_time(void **state)
{
    enum { LINES = 400 };
    struct snippet s[SNIPPETS_MAX];
    struct buf body;
    struct timespec from, to;
    (void)state;
    for (size_t i = 0; i < SNIPPETS_MAX; i++) {
        buf_init(&body, 1 << 20);
        for (unsigned line = 0; line < LINES; line++)
            buf_printf(&body, "The same long sentence of a page without an end, %c%c%c%c.\n",
                       'a' + line % 26, 'a' + line / 26, i % 2 ? 'x' : 'y', 'a' + (int)i % 26);
        buf_puts(&body, ASK_US);
        s[i] = (struct snippet){.body = arena_strdup(&arena, body.data)};
        buf_free(&body);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_true(compress_snippets(&arena, s, SNIPPETS_MAX) > 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_in_range((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000, 0,
                    1000);
    assert_non_null(strstr(s[0].body, "Questions?"));
    assert_int_equal(strncmp(s[1].body, "The same", 8), 0);
}

/* Within one snippet it counts once. */
static void eng_7_a_snippet_that_repeats_itself(void **state)
{
    (void)state;
    struct snippet s[] = {{.body = "A.\n" ASK_US "\n" ASK_US "\n" ASK_US}, {.body = "B.\n" ASK_US}};
    assert_int_equal(compress_snippets(&arena, s, 2), 0);
}

/* What may be an answer stays wherever it stands, however often it is said. */
static void eng_7_facts_stay(void **state)
{
    static const char *const lines[] = {
        "Price: 59.00 ILS, in stock, delivered within the usual time.", /* numbers */
        "- Free of charge for members of the club and their families.", /* an item */
        "| delivery of heavy goods to the door | free of charge |.",    /* a table */
        "## What is not refunded, and whom to ask about it then?",      /* a heading */
        "Not refunded.",                                                /* short */
        "delivery of heavy goods to the door costs nothing",            /* no sentence */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct snippet s[] = {{.body = lines[i]}, {.body = lines[i]}, {.body = lines[i]}};
        assert_int_equal(compress_snippets(&arena, s, 3), 0);
        assert_string_equal(s[2].body, lines[i]);
    }
    struct snippet twice[] = {{.body = "A.\n" ASK_US}, {.body = "B.\n" ASK_US}};
    assert_int_equal(compress_snippets(&arena, twice, 2), 0); /* it may be theirs */
    struct snippet alone[] = {{.body = ASK_US}, {.body = ASK_US}, {.body = ASK_US}};
    compress_snippets(&arena, alone, 3);
    assert_string_equal(alone[2].body, ASK_US); /* no body becomes empty */
    assert_int_equal(compress_snippets(&arena, NULL, 0), 0);
}

static void eng_7_blank_lines_are_one(void **state)
{
    (void)state;
    struct snippet s[] = {{.body = "\n\nOne.  \n\n\n\nTwo.\n\tThree.\n\n"}};
    assert_true(compress_snippets(&arena, s, 1) > 0);
    assert_string_equal(s[0].body, "One.\n\nTwo.\n\tThree.");
}

static void eng_7_a_schema_takes_the_same_with_fewer_words(void **state)
{
    static const struct {
        const char *schema, *shorter;
    } cases[] = {
        {"{ \"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": \"Order\","
         " \"type\": \"object\", \"$comment\": \"x\", \"properties\": {\"title\": {\"type\": "
         "\"string\","
         " \"title\": \"Title\", \"description\": \"of the book\"}}, \"required\": [\"title\"] }",
         "{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"description\":\"of "
         "the book\"}},"
         "\"required\":[\"title\"]}"},
        {"{\"properties\": {\"properties\": {\"title\": \"x\", \"const\": {\"title\": \"kept\"}},"
         " \"$defs\": {\"type\": \"number\", \"multipleOf\": 0.10}}}",
         "{\"properties\":{\"properties\":{\"const\":{\"title\":\"kept\"}},"
         "\"$defs\":{\"type\":\"number\",\"multipleOf\":0.10}}}"},
        {"{\"enum\": [{\"title\": \"a\"}], \"default\": {\"$comment\": \"b\"}, \"examples\": "
         "[{\"title\": \"c\"}]}",
         "{\"enum\":[{\"title\":\"a\"}],\"default\":{\"$comment\":\"b\"},\"examples\":[{\"title\":"
         "\"c\"}]}"},
        {"{\"anyOf\": [{\"title\": \"a\", \"type\": \"null\"}, {\"type\": \"string\"}]}",
         "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}"},
        {"{}", "{}"},
        {"true", "true"},
        {"no JSON {", "no JSON {"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(compress_schema(&arena, cases[i].schema), cases[i].shorter);
}

static void eng_7_of_many_tools_those_that_are_spoken_of(void **state)
{
    static struct llm_tool tools[40];
    const struct llm_tool *kept;
    const char *const said[] = {"Where are my orders?", "I want to book a table"};
    (void)state;
    for (size_t i = 0; i < 40; i++)
        tools[i] =
            (struct llm_tool){arena_printf(&arena, "tool_%zu", i), "Does a thing.", "{}", false};
    assert_int_equal(compress_tools(&arena, tools, COMPRESS_TOOLS_KEPT, said, 2, &kept),
                     COMPRESS_TOOLS_KEPT);
    assert_ptr_equal(kept, tools); /* so few are all offered */

    tools[39].name = "get_order_status";
    tools[20].description = "Books an appointment or a table.";
    assert_int_equal(compress_tools(&arena, tools, 40, said, 2, &kept), COMPRESS_TOOLS_KEPT);
    assert_string_equal(kept[0].name, "tool_0"); /* in their order */
    assert_string_equal(kept[COMPRESS_TOOLS_KEPT - 2].name, "tool_20");
    assert_string_equal(kept[COMPRESS_TOOLS_KEPT - 1].name, "get_order_status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_7_boilerplate_is_said_once),
        cmocka_unit_test(eng_7_facts_stay),
        cmocka_unit_test(eng_7_many_lines_take_no_time),
        cmocka_unit_test(eng_7_a_snippet_that_repeats_itself),
        cmocka_unit_test(eng_7_blank_lines_are_one),
        cmocka_unit_test(eng_7_a_schema_takes_the_same_with_fewer_words),
        cmocka_unit_test(eng_7_of_many_tools_those_that_are_spoken_of),
    };

    return cmocka_run_group_tests_name("compress", tests, set_up, tear_down);
}
