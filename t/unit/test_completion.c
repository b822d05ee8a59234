/* EDGE-11: chat/completion.h: answers as OpenAI's clients read them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "chat/answer.h"
#include "chat/completion.h"
#include "core/arena.h"

static struct arena arena;
static struct buf out;
static struct fd_json_writer w;
static struct completion c;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    buf_init(&out, 1 << 20);
    completion_init(&c, "12-00112233445566778899aabbccddeeff", 1763600000999);
    completion_answered_by(&c, "openai", "mock-fast");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&out);
    arena_free(&arena);
    return 0;
}

static void begin(void)
{
    buf_reset(&out);
    buf_json(&out, &w);
}

static const struct fd_json *written(void)
{
    struct fd_json_fault fault;
    assert_true(buf_json_end(&out, &w));
    const struct fd_json *json = fd_json_parse(out.data, out.len, (struct fd_json_limits){0},
                                               arena_allocator(&arena), &fault);
    assert_non_null(json);
    return json;
}

static const struct fd_json *choice_of(const struct fd_json *json)
{
    assert_int_equal(fd_json_get(json, "choices")->count, 1);
    return fd_json_get(json, "choices")->child;
}

static const struct fd_json *call_of(const struct fd_json *delta)
{
    return fd_json_get(delta, "tool_calls")->child;
}

static void test_edge11_head(void **state)
{
    (void)state;
    begin();
    completion_text(&c, &w, "hi", 2);
    const struct fd_json *chunk = written();
    assert_string_equal(fd_json_string(chunk, "id"), "chatcmpl-00112233445566778899aabbccddeeff");
    assert_string_equal(fd_json_string(chunk, "object"), "chat.completion.chunk");
    assert_int_equal(fd_json_int(chunk, "created", 0), 1763600000);
    assert_string_equal(fd_json_string(chunk, "model"), "mock-fast");
    assert_memory_equal(fd_json_string(chunk, "system_fingerprint"), "fp_", 3);
    assert_int_equal(fd_json_get(chunk, "system_fingerprint")->text_len, 13);

    char same[COMPLETION_FINGERPRINT_SIZE];
    strcpy(same, c.fingerprint);
    completion_answered_by(&c, "openai", "mock-fast");
    assert_string_equal(c.fingerprint, same);
    completion_answered_by(&c, "openai", "mock-other");
    assert_string_not_equal(c.fingerprint, same);
}

static void test_edge11_chunks_of_text(void **state)
{
    (void)state;
    begin();
    completion_text(&c, &w, "Hel", 3);
    const struct fd_json *choice = choice_of(written());
    const struct fd_json *delta = fd_json_get(choice, "delta");
    assert_string_equal(fd_json_string(delta, "role"), "assistant");
    assert_string_equal(fd_json_string(delta, "content"), "Hel");
    assert_int_equal(fd_json_get(choice, "finish_reason")->type, FD_JSON_NULL);

    begin();
    completion_text(&c, &w, "lo", 2);
    delta = fd_json_get(choice_of(written()), "delta");
    assert_int_equal(delta->count, 1); /* the role is said once */
    assert_string_equal(fd_json_string(delta, "content"), "lo");

    begin();
    completion_finish(&c, &w, "stop");
    const struct fd_json *chunk = written();
    assert_int_equal(fd_json_get(choice_of(chunk), "delta")->count, 0);
    assert_string_equal(fd_json_string(choice_of(chunk), "finish_reason"), "stop");
    assert_null(fd_json_get(chunk, "usage"));
}

static void test_edge11_chunks_of_calls(void **state)
{
    (void)state;
    begin();
    completion_call(&c, &w, 0, "call_1", "weather");
    const struct fd_json *delta = fd_json_get(choice_of(written()), "delta");
    assert_int_equal(fd_json_get(delta, "content")->type, FD_JSON_NULL);
    assert_int_equal(fd_json_int(call_of(delta), "index", -1), 0);
    assert_string_equal(fd_json_string(call_of(delta), "id"), "call_1");
    assert_string_equal(fd_json_string(call_of(delta), "type"), "function");
    const struct fd_json *function = fd_json_get(call_of(delta), "function");
    assert_string_equal(fd_json_string(function, "name"), "weather");
    assert_string_equal(fd_json_string(function, "arguments"), "");

    begin();
    completion_arguments(&c, &w, 1, "{\"a\"", 4);
    delta = fd_json_get(choice_of(written()), "delta");
    assert_int_equal(delta->count, 1);
    assert_int_equal(fd_json_int(call_of(delta), "index", -1), 1);
    assert_null(fd_json_get(call_of(delta), "id"));
    assert_string_equal(fd_json_string(fd_json_get(call_of(delta), "function"), "arguments"),
                        "{\"a\"");
}

static void test_edge11_chunk_of_usage(void **state)
{
    (void)state;
    struct llm_usage usage = {.input = 50, .output = 7, .cache_read = 40, .cache_write = 10};
    c.include_usage = true;
    begin();
    completion_text(&c, &w, "a", 1);
    assert_int_equal(fd_json_get(written(), "usage")->type, FD_JSON_NULL);

    begin();
    completion_usage(&c, &w, &usage);
    const struct fd_json *chunk = written();
    assert_int_equal(fd_json_get(chunk, "choices")->count, 0);
    const struct fd_json *told = fd_json_get(chunk, "usage");
    assert_int_equal(fd_json_int(told, "prompt_tokens", 0), 100);
    assert_int_equal(fd_json_int(told, "completion_tokens", 0), 7);
    assert_int_equal(fd_json_int(told, "total_tokens", 0), 107);
    assert_int_equal(fd_json_int(fd_json_get(told, "prompt_tokens_details"), "cached_tokens", 0),
                     40);
}

static void test_edge11_an_empty_answer_has_its_role(void **state)
{
    (void)state;
    begin();
    completion_finish(&c, &w, "length");
    const struct fd_json *choice = choice_of(written());
    const struct fd_json *delta = fd_json_get(choice, "delta");
    assert_string_equal(fd_json_string(delta, "role"), "assistant");
    assert_string_equal(fd_json_string(delta, "content"), "");
    assert_string_equal(fd_json_string(choice, "finish_reason"), "length");
}

static void test_edge11_reasons(void **state)
{
    (void)state;
    assert_string_equal(completion_reason(&c, LLM_FINISH_STOP), "stop");
    assert_string_equal(completion_reason(&c, LLM_FINISH_OTHER), "stop");
    assert_string_equal(completion_reason(&c, LLM_FINISH_LENGTH), "length");
    assert_string_equal(completion_reason(&c, LLM_FINISH_FILTER), "content_filter");
    c.call_count = 1;
    assert_string_equal(completion_reason(&c, LLM_FINISH_TOOLS), "tool_calls");
    assert_string_equal(completion_reason(&c, LLM_FINISH_LENGTH), "length");
    c.cut = true;
    assert_string_equal(completion_reason(&c, LLM_FINISH_TOOLS), "length");
}

static void test_edge11_the_whole(void **state)
{
    (void)state;
    struct answer answer = {.end = ANSWER_DONE,
                            .text = "It is \"warm\".",
                            .text_len = 13,
                            .finish = LLM_FINISH_STOP,
                            .completion = &c};
    answer.attempts[0].usage = (struct llm_usage){.input = 3, .output = 1};
    answer.attempts[1].usage = (struct llm_usage){.input = 4, .output = 2, .cache_read = 1};
    answer.attempt_count = 2;
    buf_reset(&out);
    assert_true(answer_data(&answer, &out));
    struct fd_json_fault fault;
    const struct fd_json *whole = fd_json_parse(out.data, out.len, (struct fd_json_limits){0},
                                                arena_allocator(&arena), &fault);
    const struct fd_json *message = fd_json_get(choice_of(whole), "message");
    assert_string_equal(fd_json_string(whole, "object"), "chat.completion");
    assert_string_equal(fd_json_string(message, "role"), "assistant");
    assert_string_equal(fd_json_string(message, "content"), "It is \"warm\".");
    assert_int_equal(fd_json_get(message, "refusal")->type, FD_JSON_NULL);
    assert_null(fd_json_get(message, "tool_calls"));
    assert_string_equal(fd_json_string(choice_of(whole), "finish_reason"), "stop");
    assert_int_equal(fd_json_int(fd_json_get(whole, "usage"), "total_tokens", 0), 11);
}

static void test_edge11_the_whole_with_calls(void **state)
{
    (void)state;
    struct llm_usage usage = {.input = 1, .output = 1};
    c.calls[0] = (struct completion_call){"call_1", "f", "{\"a\":1}"};
    c.calls[1] = (struct completion_call){"call_2", "g", "{}"};
    c.call_count = 2;
    begin();
    completion_write(&w, &c, "", 0, "tool_calls", &usage);
    const struct fd_json *message = fd_json_get(choice_of(written()), "message");
    assert_int_equal(fd_json_get(message, "content")->type, FD_JSON_NULL);
    assert_int_equal(fd_json_get(message, "tool_calls")->count, 2);
    const struct fd_json *second = call_of(message)->next;
    assert_string_equal(fd_json_string(second, "id"), "call_2");
    assert_string_equal(fd_json_string(fd_json_get(call_of(message), "function"), "arguments"),
                        "{\"a\":1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_edge11_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_chunks_of_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_chunks_of_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_chunk_of_usage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_an_empty_answer_has_its_role, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_reasons, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_the_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge11_the_whole_with_calls, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
