/* ENG-1: requests as each protocol writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "llm/provider.h"

static const struct llm_tool_call calls[] = {
    {.id = "call.1:a", .name = "get_order", .arguments = "{\"id\":\"7\"}"},
    {.id = "c2", .name = "hours", .arguments = ""},
};

static const struct llm_message conversation[] = {
    {.role = LLM_ASSISTANT, .text = "Welcome!"},
    {.role = LLM_USER, .text = "Where is \"7\"?"},
    {.role = LLM_ASSISTANT,
     .text = "",
     .tool_calls = calls,
     .tool_call_count = 2,
     .thinking = "hm"},
    {.role = LLM_TOOL, .text = "{\"status\":\"sent\"}", .tool_call_id = "call.1:a"},
    {.role = LLM_TOOL, .text = "9-17", .tool_call_id = "c2"},
    {.role = LLM_SYSTEM, .text = "Be short."},
    {.role = LLM_USER, .text = "תודה\n"},
};

static const struct llm_tool tools[] = {
    {.name = "get_order", .description = "An order", .parameters = "{\"type\":\"object\"}"},
    {.name = "hours"},
};

static const struct llm_request request = {.model = "m",
                                           .system = "You help.",
                                           .messages = conversation,
                                           .message_count = 7,
                                           .tools = tools,
                                           .tool_count = 2,
                                           .temperature = 0.5,
                                           .max_tokens = 100};

struct sent {
    struct arena arena;
    struct buf body;
    const char *path;
    const char *const *headers;
};

static bool send_as(const struct llm_protocol *protocol, const struct llm_request *r,
                    const char *key, struct sent *sent)
{
    arena_init(&sent->arena);
    buf_init(&sent->body, 1u << 20);
    bool ok = protocol->encode(r, key, &sent->arena, &sent->path, &sent->headers, &sent->body);
    if (ok) {
        struct fd_json_fault fault;
        assert_non_null(fd_json_parse(sent->body.data, sent->body.len, (struct fd_json_limits){0},
                                      arena_allocator(&sent->arena), &fault));
    }
    return ok;
}

static void sent_free(struct sent *sent)
{
    buf_free(&sent->body);
    arena_free(&sent->arena);
}

static bool has_header(const struct sent *sent, const char *header)
{
    for (const char *const *h = sent->headers; *h != NULL; h++) {
        if (strcmp(*h, header) == 0) {
            return true;
        }
    }
    return false;
}

static void eng_1_openai_request(void **state)
{
    struct sent sent;
    (void)state;
    assert_true(send_as(&llm_openai, &request, "k-1", &sent));
    assert_string_equal(sent.path, "/chat/completions");
    assert_true(has_header(&sent, "Authorization: Bearer k-1"));
    assert_true(has_header(&sent, "Content-Type: application/json"));
    assert_string_equal(
        sent.body.data,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"You help.\"},"
        "{\"role\":\"assistant\",\"content\":\"Welcome!\"},"
        "{\"role\":\"user\",\"content\":\"Where is \\\"7\\\"?\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"call.1:a\",\"type\":\"function\",\"function\":{\"name\":\"get_order\","
        "\"arguments\":\"{\\\"id\\\":\\\"7\\\"}\"}},"
        "{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":\"hours\",\"arguments\":"
        "\"{}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call.1:a\",\"content\":\"{\\\"status\\\":\\\"sent"
        "\\\"}\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"9-17\"},"
        "{\"role\":\"system\",\"content\":\"Be short.\"},"
        "{\"role\":\"user\",\"content\":\"תודה\\n\"}],"
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_order\",\"description\":"
        "\"An order\",\"parameters\":{\"type\":\"object\"}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"hours\",\"description\":\"\","
        "\"parameters\":{}}}],"
        "\"temperature\":0.5,\"max_tokens\":100,\"stream\":true,"
        "\"stream_options\":{\"include_usage\":true}}");
    sent_free(&sent);
}

static void eng_1_openai_reasoning_models(void **state)
{
    static const struct {
        const char *model;
        bool reasons;
    } cases[] = {{"o3-mini", true},  {"o1", true},         {"gpt-5-mini", true},
                 {"gpt-4.1", false}, {"openai/o3", false}, {"olmo-2", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct llm_request r = request;
        struct sent sent;
        r.model = cases[i].model;
        assert_true(send_as(&llm_openai, &r, NULL, &sent));
        assert_int_equal(strstr(sent.body.data, "temperature") == NULL, cases[i].reasons);
        assert_int_equal(strstr(sent.body.data, "\"max_completion_tokens\":100") != NULL,
                         cases[i].reasons);
        sent_free(&sent);
    }
}

static void eng_1_anthropic_request(void **state)
{
    struct llm_request r = request;
    struct sent sent;
    (void)state;
    r.model = "claude-sonnet-4-6";
    assert_true(send_as(&llm_anthropic, &r, "k-1", &sent));
    assert_string_equal(sent.path, "/v1/messages");
    assert_true(has_header(&sent, "x-api-key: k-1"));
    assert_true(has_header(&sent, "anthropic-version: 2023-06-01"));
    assert_string_equal(
        sent.body.data,
        "{\"model\":\"claude-sonnet-4-6\",\"max_tokens\":100,\"system\":\"You help.\\n\\nBe short."
        "\",\"messages\":["
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Where is \\\"7\\\"?\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"call_1_a\",\"name\":"
        "\"get_order\",\"input\":{\"id\":\"7\"}},"
        "{\"type\":\"tool_use\",\"id\":\"c2\",\"name\":\"hours\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_1_a\","
        "\"content\":\"{\\\"status\\\":\\\"sent\\\"}\"},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"c2\",\"content\":\"9-17\"},"
        "{\"type\":\"text\",\"text\":\"תודה\\n\"}]}],"
        "\"tools\":[{\"name\":\"get_order\",\"description\":\"An order\",\"input_schema\":"
        "{\"type\":\"object\"}},{\"name\":\"hours\",\"input_schema\":{\"type\":\"object\"}}],"
        "\"temperature\":0.5,\"stream\":true}");
    sent_free(&sent);
}

static void eng_1_anthropic_limits(void **state)
{
    static const struct llm_message assistant = {.role = LLM_ASSISTANT, .text = "Hi"};
    struct llm_request r = request;
    struct sent sent;
    (void)state;
    r.model = "claude-opus-4-8"; /* refuses sampling parameters */
    r.max_tokens = 0;            /* but the bound is required */
    assert_true(send_as(&llm_anthropic, &r, "k", &sent));
    assert_null(strstr(sent.body.data, "temperature"));
    assert_non_null(strstr(sent.body.data, "\"max_tokens\":4096"));
    sent_free(&sent);

    r.model = "claude-haiku-4-5";
    r.temperature = 1.7;
    assert_true(send_as(&llm_anthropic, &r, "k", &sent));
    assert_non_null(strstr(sent.body.data, "\"temperature\":1,"));
    sent_free(&sent);

    r.messages = &assistant; /* no turn of the user's */
    r.message_count = 1;
    assert_false(send_as(&llm_anthropic, &r, "k", &sent));
    sent_free(&sent);
}

static void eng_1_ollama_request(void **state)
{
    struct sent sent;
    (void)state;
    assert_true(send_as(&llm_ollama, &request, NULL, &sent));
    assert_string_equal(sent.path, "/api/chat");
    assert_string_equal(
        sent.body.data,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"You help.\"},"
        "{\"role\":\"assistant\",\"content\":\"Welcome!\"},"
        "{\"role\":\"user\",\"content\":\"Where is \\\"7\\\"?\"},"
        "{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\",\"tool_calls\":["
        "{\"function\":{\"name\":\"get_order\",\"arguments\":{\"id\":\"7\"}}},"
        "{\"function\":{\"name\":\"hours\",\"arguments\":{}}}]},"
        "{\"role\":\"tool\",\"content\":\"{\\\"status\\\":\\\"sent\\\"}\",\"tool_name\":"
        "\"get_order\"},"
        "{\"role\":\"tool\",\"content\":\"9-17\",\"tool_name\":\"hours\"},"
        "{\"role\":\"system\",\"content\":\"Be short.\"},"
        "{\"role\":\"user\",\"content\":\"תודה\\n\"}],"
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_order\",\"description\":"
        "\"An order\",\"parameters\":{\"type\":\"object\"}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"hours\",\"description\":\"\","
        "\"parameters\":{}}}],"
        "\"stream\":true,\"options\":{\"temperature\":0.5,\"num_predict\":100,\"num_ctx\":8192}}");
    sent_free(&sent);
}

/* Ollama drops what its window does not hold without a word. */
static void eng_1_ollama_window_holds_the_prompt(void **state)
{
    static char text[40001];
    struct llm_message message = {.role = LLM_USER, .text = text};
    struct llm_request r = {.model = "m", .messages = &message, .message_count = 1};
    struct sent sent;
    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    assert_true(send_as(&llm_ollama, &r, NULL, &sent));
    assert_non_null(strstr(sent.body.data, "\"num_ctx\":16384"));
    sent_free(&sent);
}

static void eng_1_no_header_can_be_forged(void **state)
{
    static const char *const keys[] = {"a\r\nX-Evil: 1", "a\n", "a\rb", "\x01", "a\x7f"};
    static const struct llm_protocol *const protocols[] = {&llm_openai, &llm_anthropic,
                                                           &llm_ollama};
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            struct sent sent;
            assert_false(send_as(protocols[p], &request, keys[i], &sent));
            sent_free(&sent);
        }
    }
}

static void eng_1_text_that_is_not_utf8(void **state)
{
    static const struct llm_message message = {.role = LLM_USER, .text = "a\xff\x01"};
    static const struct llm_protocol *const protocols[] = {&llm_openai, &llm_anthropic,
                                                           &llm_ollama};
    struct llm_request r = {.model = "m", .messages = &message, .message_count = 1};
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct sent sent;
        assert_true(send_as(protocols[p], &r, NULL, &sent)); /* it is strict JSON */
        sent_free(&sent);
        r.model = NULL;
        assert_false(send_as(protocols[p], &r, NULL, &sent));
        sent_free(&sent);
        r.model = "m";
    }
}

static void eng_1_a_body_beyond_the_bound(void **state)
{
    static const struct llm_protocol *const protocols[] = {&llm_openai, &llm_anthropic,
                                                           &llm_ollama};
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct arena arena;
        struct buf body;
        const char *path;
        const char *const *headers;
        arena_init(&arena);
        buf_init(&body, 200);
        assert_false(protocols[p]->encode(&request, "k", &arena, &path, &headers, &body));
        buf_free(&body);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_openai_request),
        cmocka_unit_test(eng_1_openai_reasoning_models),
        cmocka_unit_test(eng_1_anthropic_request),
        cmocka_unit_test(eng_1_anthropic_limits),
        cmocka_unit_test(eng_1_ollama_request),
        cmocka_unit_test(eng_1_ollama_window_holds_the_prompt),
        cmocka_unit_test(eng_1_no_header_can_be_forged),
        cmocka_unit_test(eng_1_text_that_is_not_utf8),
        cmocka_unit_test(eng_1_a_body_beyond_the_bound),
    };
    return cmocka_run_group_tests_name("llm encode", tests, NULL, NULL);
}
