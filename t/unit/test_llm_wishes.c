/* EDGE-11: what a caller wishes of a model, as each protocol writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "llm/provider.h"

static const struct llm_message question = {.role = LLM_USER, .text = "hi"};
static const struct llm_tool tool = {
    .name = "f", .parameters = "{\"type\":\"object\"}", .strict = true};
static const char *const stops[] = {"END", "\n\n"};

static const struct llm_wishes nothing = {.top_p = -1, .parallel_calls = -1};
static const struct llm_wishes everything = {
    .top_p = 0.5,
    .frequency_penalty = -1,
    .presence_penalty = 1.5,
    .has_seed = true,
    .seed = 7,
    .stop = stops,
    .stop_count = 2,
    .must_call = true,
    .must_call_name = "f",
    .parallel_calls = 0,
    .format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\"}}",
    .schema = "{\"type\":\"object\"}",
    .reasoning_effort = "low",
    .verbosity = "high",
};

static struct arena arena;

static const struct fd_json *sent(const struct llm_protocol *protocol, const char *model,
                                  const struct llm_wishes *wishes, double temperature)
{
    struct llm_request request = {.model = model,
                                  .messages = &question,
                                  .message_count = 1,
                                  .tools = &tool,
                                  .tool_count = 1,
                                  .temperature = temperature,
                                  .wishes = wishes};
    const char *path;
    const char *const *headers;
    struct fd_json_fault fault;
    struct buf body;
    buf_init(&body, 1u << 16);
    assert_true(protocol->encode(&request, "key", &arena, &path, &headers, &body));
    const struct fd_json *json = fd_json_parse(body.data, body.len, (struct fd_json_limits){0},
                                               arena_allocator(&arena), &fault);
    assert_non_null(json);
    buf_free(&body);
    return json;
}

static void test_edge11_openai(void **state)
{
    (void)state;
    const struct fd_json *body = sent(&llm_openai, "gpt-4.1", &everything, -1);
    assert_true(fd_json_double(body, "top_p", 0) == 0.5);
    assert_true(fd_json_double(body, "frequency_penalty", 0) == -1);
    assert_true(fd_json_double(body, "presence_penalty", 0) == 1.5);
    assert_int_equal(fd_json_int(body, "seed", 0), 7);
    assert_int_equal(fd_json_get(body, "stop")->count, 2);
    const struct fd_json *choice = fd_json_get(body, "tool_choice");
    assert_string_equal(fd_json_string(choice, "type"), "function");
    assert_string_equal(fd_json_string(fd_json_get(choice, "function"), "name"), "f");
    assert_false(fd_json_bool(body, "parallel_tool_calls", true));
    assert_string_equal(fd_json_string(fd_json_get(body, "response_format"), "type"),
                        "json_schema");
    assert_string_equal(fd_json_string(body, "reasoning_effort"), "low");
    assert_string_equal(fd_json_string(body, "verbosity"), "high");
    const struct fd_json *function = fd_json_get(fd_json_get(body, "tools")->child, "function");
    assert_true(fd_json_bool(function, "strict", false));

    struct llm_wishes any = nothing;
    any.must_call = true;
    body = sent(&llm_openai, "gpt-4.1", &any, -1);
    assert_string_equal(fd_json_string(body, "tool_choice"), "required");
}

/* Sampling is refused there. */
static void test_edge11_openai_reasoning(void **state)
{
    (void)state;
    const struct fd_json *body = sent(&llm_openai, "o3", &everything, 1);
    assert_null(fd_json_get(body, "top_p"));
    assert_null(fd_json_get(body, "presence_penalty"));
    assert_null(fd_json_get(body, "temperature"));
    assert_string_equal(fd_json_string(body, "reasoning_effort"), "low");
}

/* ENG-14: only where a model reasons, and only where nobody said how much. */
static void test_thinks_little(void **state)
{
    static const struct {
        const char *model, *effort;
    } cases[] = {{"gpt-5-nano", "low"}, {"o4-mini", "low"},          {"gpt-4.1", NULL},
                 {"gpt-4o", NULL},      {"gpt-5-chat-latest", NULL}, {"openai/o3", NULL}};
    struct llm_wishes wishes = nothing;
    (void)state;
    wishes.think_little = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct fd_json *body = sent(&llm_openai, cases[i].model, &wishes, 0);
        const char *effort = fd_json_string(body, "reasoning_effort");
        if (cases[i].effort == NULL)
            assert_null(effort);
        else
            assert_string_equal(effort, cases[i].effort);
    }
    wishes.reasoning_effort = "high";
    assert_string_equal(fd_json_string(sent(&llm_openai, "o3", &wishes, 0), "reasoning_effort"),
                        "high");
}

static void test_edge11_anthropic(void **state)
{
    (void)state;
    const struct fd_json *body = sent(&llm_anthropic, "claude-sonnet-4", &everything, -1);
    assert_true(fd_json_double(body, "top_p", 0) == 0.5);
    assert_int_equal(fd_json_get(body, "stop_sequences")->count, 2);
    const struct fd_json *choice = fd_json_get(body, "tool_choice");
    assert_string_equal(fd_json_string(choice, "type"), "tool");
    assert_string_equal(fd_json_string(choice, "name"), "f");
    assert_true(fd_json_bool(choice, "disable_parallel_tool_use", false));
    assert_null(fd_json_get(body, "response_format"));
    assert_null(fd_json_get(body, "seed"));
    /* temperature and top_p are not taken together */
    body = sent(&llm_anthropic, "claude-sonnet-4", &everything, 0.5);
    assert_null(fd_json_get(body, "top_p"));

    struct llm_wishes wishes = nothing;
    wishes.must_call = true;
    choice = fd_json_get(sent(&llm_anthropic, "claude-sonnet-4", &wishes, -1), "tool_choice");
    assert_string_equal(fd_json_string(choice, "type"), "any");
    wishes = nothing;
    wishes.parallel_calls = 0;
    choice = fd_json_get(sent(&llm_anthropic, "claude-sonnet-4", &wishes, -1), "tool_choice");
    assert_string_equal(fd_json_string(choice, "type"), "auto");
}

static void test_edge11_ollama(void **state)
{
    (void)state;
    const struct fd_json *body = sent(&llm_ollama, "llama3.2", &everything, -1);
    const struct fd_json *options = fd_json_get(body, "options");
    assert_true(fd_json_double(options, "top_p", 0) == 0.5);
    assert_int_equal(fd_json_int(options, "seed", 0), 7);
    assert_int_equal(fd_json_get(options, "stop")->count, 2);
    assert_string_equal(fd_json_string(fd_json_get(body, "format"), "type"), "object");
    struct llm_wishes wishes = nothing;
    wishes.format = "{\"type\":\"json_object\"}";
    assert_string_equal(fd_json_string(sent(&llm_ollama, "llama3.2", &wishes, -1), "format"),
                        "json");
}

static void test_edge11_what_is_not_wished_is_not_said(void **state)
{
    (void)state;
    static const struct llm_protocol *const protocols[] = {&llm_openai, &llm_anthropic,
                                                           &llm_ollama};
    static const char *const members[] = {"top_p",
                                          "frequency_penalty",
                                          "presence_penalty",
                                          "seed",
                                          "stop",
                                          "stop_sequences",
                                          "tool_choice",
                                          "parallel_tool_calls",
                                          "response_format",
                                          "format",
                                          "temperature",
                                          "reasoning_effort",
                                          "verbosity"};
    for (size_t i = 0; i < 3; i++) {
        const struct fd_json *body = sent(protocols[i], "claude-sonnet-4", &nothing, -1);
        for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
            assert_null(fd_json_get(body, members[k]));
            assert_null(fd_json_get(fd_json_get(body, "options"), members[k]));
        }
    }
}

static void test_edge11_abilities(void **state)
{
    (void)state;
    assert_true(llm_openai.abilities & LLM_CAN_BE_MADE_TO_CALL);
    assert_true(llm_openai.abilities & LLM_CAN_KEEP_FORMAT);
    assert_true(llm_anthropic.abilities & LLM_CAN_BE_MADE_TO_CALL);
    assert_false(llm_anthropic.abilities & LLM_CAN_KEEP_FORMAT);
    assert_false(llm_ollama.abilities & LLM_CAN_BE_MADE_TO_CALL);
    assert_true(llm_ollama.abilities & LLM_CAN_KEEP_FORMAT);
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edge11_openai),
        cmocka_unit_test(test_edge11_openai_reasoning),
        cmocka_unit_test(test_thinks_little),
        cmocka_unit_test(test_edge11_anthropic),
        cmocka_unit_test(test_edge11_ollama),
        cmocka_unit_test(test_edge11_what_is_not_wished_is_not_said),
        cmocka_unit_test(test_edge11_abilities),
    };
    arena_init(&arena);
    return cmocka_run_group_tests(tests, NULL, teardown);
}
