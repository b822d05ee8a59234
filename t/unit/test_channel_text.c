/* ENG-15: answers on channels that know no Markdown: plain text, in parts of a sensible length. */
#include "chat/channel_text.h"

#include "protocol/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shows(const char *markdown, const char *plain)
{
    struct buf out;

    buf_init(&out, 65536);
    channel_text_plain(&out, markdown, strlen(markdown));
    assert_string_equal(out.data != NULL ? out.data : "", plain);
    buf_free(&out);
}

static void test_plain(void **state)
{
    (void)state;
    shows("", "");
    shows("Just words.", "Just words.");
    shows("**Bold** and *slanted*, __both__ and _each_.", "Bold and slanted, both and each.");
    shows("Use `code` and ~~not~~ this.", "Use code and not this.");
    shows("snake_case_name, 2 * 3 * 4, a ~ b", "snake_case_name, 2 * 3 * 4, a ~ b");
    shows("# Title\n\nText\n## Second ##\nmore", "Title\n\nText\nSecond\nmore");
    shows("#hashtag stays", "#hashtag stays");
    shows("* one\n+ two\n- three\n1. four", "- one\n- two\n- three\n1. four");
    shows("- one\n  - inner", "- one\n  - inner");
    shows("> quoted\n>> twice", "quoted\ntwice");
    shows("Before\n\n---\n\n\n\nAfter\n\n", "Before\n\nAfter");
    shows("```sh\n**as it is**\n```\nafter", "**as it is**\nafter");
    shows("| a | b |\n|---|:-:|\n| **1** | 2 |", " a | b\n 1 | 2");
    shows("\\*not bold\\*", "*not bold*");
    shows("line\r\nnext\r\n", "line\nnext");
}

static void test_links(void **state)
{
    (void)state;
    shows("See [our returns](https://shop.example/r).",
          "See our returns (https://shop.example/r).");
    shows("[https://a.example](https://a.example)", "https://a.example");
    shows("![a mug](https://a.example/m.png)", "a mug (https://a.example/m.png)");
    shows("[](https://a.example)", "(https://a.example)");
    shows("[broken](no end", "[broken](no end");
    shows("a [note] here", "a [note] here");
    shows("Thirty days [article:returns], always [order:12].", "Thirty days, always.");
    shows("[article:open", "[article:open");
}

static void test_any_bytes(void **state)
{
    (void)state;
    shows("a\xff"
          "b\x01"
          "c\td",
          "a\xEF\xBF\xBD"
          "bc d");
    shows("**\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D** *x", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D x");
}

static void splits(const char *text, size_t limit, const char *joined)
{
    struct channel_part parts[CHANNEL_PARTS_MAX];
    size_t count = channel_text_split(text, strlen(text), limit, parts);
    struct buf out;

    buf_init(&out, 65536);
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%s%.*s", i > 0 ? "|" : "", (int)parts[i].len, parts[i].s);
    assert_string_equal(out.data != NULL ? out.data : "", joined);
    buf_free(&out);
}

static void test_split(void **state)
{
    (void)state;
    splits("", 10, "");
    splits("short", 10, "short");
    splits("exactly10!", 10, "exactly10!");
    splits("one two three four", 10, "one two|three four");
    splits("First one. And more of it", 16, "First one.|And more of it");
    splits("A paragraph\n\nanother one", 16, "A paragraph|another one");
    splits("abcdefghijklmnop", 6, "abcdef|ghijkl|mnop");
    /* whole characters, counted as such */
    splits("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D\xD7\xA9\xD7\x9C", 4,
           "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D|\xD7\xA9\xD7\x9C");
    splits("a b c d e f g h i j k l m n", 1, "a|b|c|d|e|f|g|h|i|j");
    assert_int_equal(channel_text_limit("sms"), 200);
    assert_true(channel_text_limit("whatsapp") < 1600);
    assert_true(channel_text_limit("pigeon") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
