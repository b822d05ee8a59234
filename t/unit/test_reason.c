/* Sentences are known again, with their values.  ADM-8 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/reason.h"

#include <stdio.h>
#include <string.h>

static const char *told(const char *sentence)
{
    static char json[2048];
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, sizeof(json) - 1);
    buf_json(&out, &w);
    reason_write(&w, sentence);
    assert_true(buf_json_end(&out, &w));
    snprintf(json, sizeof(json), "%.*s", (int)out.len, out.data);
    buf_free(&out);
    return json;
}

/* What may stand for a value: the sentence of the table as an operation would say it. */
static void say(const char *sentence, char out[1024])
{
    static const struct {
        const char *kind, *example;
    } examples[] = {{":w", "red"},
                    {":n", "17"},
                    {":list", "red, green or blue"},
                    {":kinds", "a text or an object"},
                    {":reason", "the same key stands twice in one object"}};
    size_t len = 0;

    while (*sentence != '\0') {
        const char *end = strchr(sentence, '>'), *example = "Quite Another";

        if (sentence[0] != '<' || sentence[1] < 'a' || sentence[1] > 'z') {
            out[len++] = *sentence++;
            continue;
        }
        for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
            const char *kind = memchr(sentence, ':', (size_t)(end - sentence));
            if (kind != NULL && strlen(examples[i].kind) == (size_t)(end - kind) &&
                strncmp(kind, examples[i].kind, (size_t)(end - kind)) == 0)
                example = examples[i].example;
        }
        len += (size_t)snprintf(out + len, 1024 - len, "%s", example);
        sentence = end + 1;
    }
    out[len] = '\0';
}

static void every_sentence_is_taken_for_itself(void **state)
{
    char text[1024], wanted[128];
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < reason_count; i++) {
        say(reason_table[i].sentence, text);
        snprintf(wanted, sizeof(wanted), "{\"code\":\"%s\",", reason_table[i].code);
        if (strncmp(told(text), wanted, strlen(wanted)) == 0)
            continue;
        print_error("%s: \"%s\" is %.60s\n", reason_table[i].code, text, told(text));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void values_are_what_they_look_like(void **state)
{
    static const struct {
        const char *sentence, *json;
    } cases[] = {
        {"a whole number from -3 to 2.5e+06 would be right",
         "{\"code\":\"number_range\",\"params\":{\"min\":-3,\"max\":2.5e+06}}"},
        {"csv, json or jsonl would be right",
         "{\"code\":\"one_of\",\"params\":{\"values\":[\"csv\",\"json\",\"jsonl\"]}}"},
        {"a text or true or false or null would be right",
         "{\"code\":\"kind\",\"params\":{\"kinds\":[\"text\",\"boolean\",\"null\"]}}"},
        {"a text (fast|reasoning) would be right",
         "{\"code\":\"kind_one_of\",\"params\":{\"kinds\":[\"text\"],\"values\":[\"fast\","
         "\"reasoning\"]}}"},
        {"Model a \"b\" <c> is not enabled for this organization",
         "{\"code\":\"model_not_enabled\",\"params\":{\"model\":\"a \\\"b\\\" <c>\"}}"},
        {"origin \"http:\": an origin is at most 300 characters",
         "{\"code\":\"origin_wrong\",\"params\":{\"origin\":\"http:\",\"why\":{\"code\":"
         "\"origin_long\",\"params\":{\"max\":300}}}}"},
        {"no OAuth2 token: something nobody wrote down",
         "{\"code\":\"oauth_no_answer\",\"params\":{\"why\":\"something nobody wrote down\"}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(told(cases[i].sentence), cases[i].json);
}

static void what_is_not_in_the_table_has_no_reason(void **state)
{
    char deep[1100];

    (void)state;
    memset(deep, 'x', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_string_equal(told(NULL), "null");
    assert_string_equal(told(""), "null");
    assert_string_equal(told("ERROR:  syntax error at or near \"x\""), "null");
    assert_string_equal(told("a whole number from 01 to 5 would be right"), "null");
    assert_string_equal(told("a whole number from 1. to 5 would be right"), "null");
    assert_string_equal(told(deep), "null");
}

static void rows_have_reasons_beside_their_sentences(void **state)
{
    static const struct {
        const char *rows, *json;
    } cases[] = {
        {"[]", "[]"},
        {"[{\"why\": 1e999}]", "[{\"why\": 1e999}]"}, /* which is none of ours, and stays */
        {"[{\"a\":1,\"why\":\"it is empty\"},{\"why\":null}]",
         "[{\"a\":1,\"why\":\"it is empty\",\"why_reason\":{\"code\":\"no_text\",\"params\":{}}},{"
         "\"why\":null,\"why_reason\":null}]"},
        {"[{\"why\":[\"it is empty\",\"or not\"],\"b\":{\"why\":\"it is empty\"}}]",
         "[{\"why\":[\"it is empty\",\"or "
         "not\"],\"why_reason\":[{\"code\":\"no_text\",\"params\":{}},"
         "null],\"b\":{\"why\":\"it is empty\"}}]"},
    };
    struct fd_json_writer w;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_init(&out, 1024);
        buf_json(&out, &w);
        reason_write_rows(&w, cases[i].rows, "why", "why_reason");
        assert_true(buf_json_end(&out, &w));
        assert_string_equal(out.data, cases[i].json);
        buf_free(&out);
    }
}

/* As deep as they may be, a sentence within a sentence is a text. */
static void sentences_within_sentences_end(void **state)
{
    (void)state;
    assert_string_equal(told("line 1: line 2: line 3: line 4: line 5: it is empty"),
                        "{\"code\":\"csv_line\",\"params\":{\"line\":1,\"why\":{\"code\":"
                        "\"csv_line\",\"params\":{\"line\":2,\"why\":{\"code\":\"csv_line\","
                        "\"params\":{\"line\":3,\"why\":{\"code\":\"csv_line\",\"params\":{"
                        "\"line\":4,\"why\":\"line 5: it is empty\"}}}}}}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sentence_is_taken_for_itself),
        cmocka_unit_test(values_are_what_they_look_like),
        cmocka_unit_test(what_is_not_in_the_table_has_no_reason),
        cmocka_unit_test(rows_have_reasons_beside_their_sentences),
        cmocka_unit_test(sentences_within_sentences_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
