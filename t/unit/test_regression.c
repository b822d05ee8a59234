/* ADM-4: what a case expects of an answer, and what an entry says of a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chat/entry.h"
#include "chat/test_case.h"
#include "chat/test_chat.h"
#include "protocol/job.h"

#include "json_fixture.h"

#include <string.h>

static const char *judge(const char *expect, const struct test_answer *answer)
{
    const char *failures[TEST_FAILURES_MAX];
    size_t count = test_case_judge(&a, parse(expect), answer, failures);

    return count == 0 ? "passed" : failures[count - 1];
}

/* ADM-4: every expectation holds, and each that does not is told. */
static void test_judges(void **state)
{
    const struct test_answer answer = {
        .text = "We ship to Canada in five to seven days. [article:shipping]",
        .tier = "fast",
        .calls = parse("[{\"name\": \"look_up\", \"status\": \"done\"}]"),
        .citations = parse("[{\"id\": \"article:shipping\", \"label\": \"Shipping\"}]")};

    (void)state;
    assert_string_equal(judge("{}", &answer), "passed");
    assert_string_equal(judge("{\"contains\": [\"canada\", \"FIVE\"], \"not_contains\": [\"no\"],"
                              " \"tool\": \"look_up\", \"cites\": [\"article:shipping\"],"
                              " \"language\": \"en\", \"tier\": \"fast\"}",
                              &answer),
                        "passed");
    assert_string_equal(judge("{\"contains\": [\"Canada\", \"Peru\"]}", &answer),
                        "is not in the answer: Peru");
    assert_string_equal(judge("{\"not_contains\": [\"canada\"]}", &answer),
                        "must not be in the answer: canada");
    assert_string_equal(judge("{\"tool\": \"look\"}", &answer), "was not called: look");
    assert_string_equal(judge("{\"cites\": [\"article:x\"]}", &answer), "is not cited: article:x");
    assert_string_equal(judge("{\"language\": \"he\"}", &answer),
                        "the answer is not in the language: he");
    assert_string_equal(judge("{\"tier\": \"reasoning\"}", &answer), "the tier is not: reasoning");
    assert_string_equal(judge("{\"tool\": null, \"tier\": null, \"language\": null}", &answer),
                        "passed");
}

/* ADM-4: no answer passes nothing, whatever was expected; what is not known is not met. */
static void test_judges_nothing(void **state)
{
    const struct test_answer none = {.why = "The AI's provider failed."}, bare = {.text = "Yes."};

    (void)state;
    assert_string_equal(judge("{}", &none), "no answer: The AI's provider failed.");
    assert_string_equal(judge("{}", &(struct test_answer){0}), "no answer: it is not known why");
    assert_string_equal(judge("{\"tool\": \"x\"}", &bare), "was not called: x");
    assert_string_equal(judge("{\"cites\": [\"x\"]}", &bare), "is not cited: x");
    assert_string_equal(judge("{\"tier\": \"fast\"}", &bare), "the tier is not: fast");
}

/* ADM-4: a long expectation is told in part, at a whole character. */
static void test_tells_in_part(void **state)
{
    char expect[1024] = "{\"contains\": [\"";

    (void)state;
    for (int i = 0; i < 150; i++)
        strcat(expect, "\xd7\xa9");
    strcat(expect, "\"]}");
    const char *told = judge(expect, &(struct test_answer){.text = "x"});
    assert_int_equal(strlen(told), strlen("is not in the answer: ") + 200 + 3);
    assert_string_equal(told + strlen(told) - 5, "\xd7\xa9...");
}

/* ADM-4: what is written is what is read. */
static void test_writes_and_reads(void **state)
{
    const struct test_chat test = {.trace = true,
                                   .allow_writes = true,
                                   .by = "key:1",
                                   .channel = "sms",
                                   .prompt = "Say \"hi\"\n"};
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    assert_true(test_chat_write(&out, &test));
    const struct test_chat *read = test_chat_read(&a, out.data, out.len);
    assert_non_null(read);
    assert_true(read->trace && read->allow_writes && !read->unattended);
    assert_string_equal(read->by, "key:1");
    assert_string_equal(read->channel, "sms");
    assert_string_equal(read->prompt, test.prompt);
    assert_null(test_chat_read(&a, "1", 1));
    assert_null(test_chat_read(&a, "{}", 2));
    assert_null(test_chat_read(&a, out.data, out.len - 1));
    buf_free(&out);
}

/* ADM-4: the question keeps a visitor's rules; it is streamed and comes from no cache. */
static void test_body(void **state)
{
    struct fd_chat_request asked = {.message = {"Hi", 2}, .language = {"en", 2}};
    struct fd_field_fault fault;

    (void)state;
    const char *body = test_chat_body(&a, &asked, &fault);
    assert_non_null(body);
    assert_true(fd_json_bool(parse(body), "stream", false));
    assert_false(fd_json_bool(parse(body), "cache", true));
    asked.message = (struct fd_text){" ", 1};
    assert_null(test_chat_body(&a, &asked, &fault));
    assert_string_equal(fault.field, "message");
    asked.message = (struct fd_text){NULL, 0};
    assert_null(test_chat_body(&a, &asked, &fault));
    assert_string_equal(fault.field, "message");
}

/* ADM-4: an entry whose word on a test cannot be read is not taken for a visitor's. */
static void test_entry(void **state)
{
    static const struct {
        const char *test;
        bool good;
    } cases[] = {{"{\"channel\": \"widget\", \"by\": \"\"}", true},
                 {"{\"channel\": \"widget\"}", false},
                 {"{", false},
                 {"", false},
                 {"{}", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *fields[] = {FD_JOB_ID,       "0-00000000000000000000000000000000",
                                FD_JOB_ORG,      "11111111-1111-4111-8111-111111111111",
                                FD_JOB_SESSION,  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                FD_JOB_DEADLINE, "2",
                                FD_JOB_ACCEPTED, "1",
                                FD_JOB_BODY,     "{}",
                                FD_JOB_TEST,     cases[i].test};
        enum { COUNT = sizeof(fields) / sizeof(fields[0]) };
        redisReply words[COUNT], *list[COUNT];
        struct job_entry entry;
        const char *error;
        for (size_t k = 0; k < COUNT; k++) {
            words[k] = (redisReply){.type = REDIS_REPLY_STRING,
                                    .str = arena_strdup(&a, fields[k]),
                                    .len = strlen(fields[k])};
            list[k] = &words[k];
        }
        redisReply id = {.type = REDIS_REPLY_STRING, .str = arena_strdup(&a, "1-0"), .len = 3};
        redisReply all = {.type = REDIS_REPLY_ARRAY, .element = list, .elements = COUNT};
        redisReply *both[] = {&id, &all};
        redisReply reply = {.type = REDIS_REPLY_ARRAY, .element = both, .elements = 2};
        assert_int_equal(entry_read(&a, &reply, &entry, &error), cases[i].good);
        if (cases[i].good)
            assert_string_equal(entry.test->channel, "widget");
        else
            assert_string_equal(error, "test");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_judges, arena_set_up, arena_tear_down),
        cmocka_unit_test_setup_teardown(test_judges_nothing, arena_set_up, arena_tear_down),
        cmocka_unit_test_setup_teardown(test_tells_in_part, arena_set_up, arena_tear_down),
        cmocka_unit_test_setup_teardown(test_writes_and_reads, arena_set_up, arena_tear_down),
        cmocka_unit_test_setup_teardown(test_body, arena_set_up, arena_tear_down),
        cmocka_unit_test_setup_teardown(test_entry, arena_set_up, arena_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
