/* ENG-1: OpenAI-compatible streams (OpenAI, OpenRouter, vLLM, Gemini's door). */
#include "llm_transcript.h"

#include "llm/stream.h"

static const char *const fixtures[] = {
    "openai_text.sse",
    "openai_tools.sse",
    "openai_tools_late.sse",
    "openai_tools_no_id.sse",
    "openai_tools_invalid.sse",
    "openai_tools_array.sse",
    "openai_function_call.sse",
    "openai_event_error.sse",
    "openai_event_error_text.sse",
    "openai_no_finish.sse",
    "openai_done_only.sse",
    "openai_length.sse",
    "openai_filter.sse",
    "openai_other_finish.sse",
    "openai_refusal.sse",
    "openai_two_choices.sse",
    "openai_framing.sse",
    "openai_no_last_blank_line.sse",
    "openai_json_error_200.sse",
    "openai_html_200.sse",
    "openai_garbage.sse",
    "openai_lone_surrogate.sse",
    "openai_model_change.sse",
    "openrouter_text.sse",
    "openrouter_error_midstream.sse",
    "openrouter_error_only.sse",
    "openrouter_finish_error.sse",
    "openrouter_choice_error.sse",
    "vllm_error.sse",
    "google_tools_no_index.sse",
    "google_tools_late_id.sse",
    "gemini_tools_index_0.sse",
    "compatible_usage.sse",
};

#define FIXTURE_COUNT (sizeof(fixtures) / sizeof(fixtures[0]))

static void eng_1_fragmentation_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_COUNT; i++) {
        check_fragmentation(&llm_openai, fixtures[i]);
    }
}

static void eng_1_a_cut_never_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_COUNT; i++) {
        check_cuts(&llm_openai, fixtures[i]);
    }
}

static enum llm_error_class class_of(const char *bytes, size_t len)
{
    struct transcript t;
    transcript_init(&t);
    transcript_feed(&t, &llm_openai, bytes, len, 4096, 0);
    transcript_free(&t);
    return t.error.class;
}

static void eng_1_garbage_is_an_error(void **state)
{
    static const struct {
        const char *bytes;
        enum llm_error_class class;
    } cases[] = {
        {"", LLM_ERROR_CUT},
        {"\n\n\n", LLM_ERROR_CUT},
        {"hello\n\n", LLM_ERROR_CUT},
        {": comment only\n\n", LLM_ERROR_CUT},
        {"data: hello\n\n", LLM_ERROR_PROTOCOL},
        {"data: 1\n\n", LLM_ERROR_PROTOCOL},
        {"data: []\n\n", LLM_ERROR_PROTOCOL},
        {"data: {} {}\n\n", LLM_ERROR_PROTOCOL},
        {"data: {\"a\":\"\\u0000\"}\n\n", LLM_ERROR_PROTOCOL},
        {"data: {\"a\":\"\xff\"}\n\n", LLM_ERROR_PROTOCOL},
        {"data: {\"error\":null}\n\ndata: [DONE]\n\n", LLM_ERROR_CUT},
        {"data: {\"choices\":[{\"finish_reason\":\"\"}]}\n\ndata: [DONE]\n\n", LLM_ERROR_CUT},
        {"data: {\"error\":{}}\n\n", LLM_ERROR_OVERLOADED},
        {"data: {\"error\":\"boom\"}\n\n", LLM_ERROR_OVERLOADED},
        {"data: {\"error\":{\"code\":401}}\n\n", LLM_ERROR_AUTH},
        {"data: {\"error\":{\"code\":\"insufficient_quota\"}}\n\n", LLM_ERROR_QUOTA},
        {"[{\"error\":{\"code\":503,\"message\":\"busy\"}}]", LLM_ERROR_OVERLOADED},
        {"{\"choices\":[]}", LLM_ERROR_PROTOCOL},
        {"{\"choices\"", LLM_ERROR_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum llm_error_class class = class_of(cases[i].bytes, strlen(cases[i].bytes));
        if (class != cases[i].class) {
            fail_msg("%s: %s", cases[i].bytes, llm_error_name(class));
        }
    }
}

/* Values of types the format does not have them in: ignored, and nothing breaks. */
static void eng_1_wrong_types_are_ignored(void **state)
{
    static const char *const chunks[] = {
        "{\"choices\":{}}",
        "{\"choices\":[null,1,\"x\",[],{}]}",
        "{\"choices\":[{\"delta\":[]}]}",
        "{\"choices\":[{\"delta\":{\"content\":7,\"tool_calls\":{},\"function_call\":[]}}]}",
        "{\"choices\":[{\"finish_reason\":5}]}",
        "{\"usage\":[1],\"model\":{},\"id\":[]}",
        "{\"usage\":{\"prompt_tokens\":-4,\"completion_tokens\":1e300,\"cost\":-1}}",
        "{\"usage\":{\"prompt_tokens\":1.5,\"completion_tokens\":\"9\",\"cost\":\"1\"}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "data: %s\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"
                       "data: [DONE]\n\n",
                       chunks[i]);
        struct transcript t;
        transcript_init(&t);
        transcript_feed(&t, &llm_openai, text, strlen(text), 0, 0);
        assert_string_equal(t.text.data, "keepalive\nkeepalive\nfinish stop\n"
                                         "usage in=-1 out=-1 read=-1 write=-1 cost=-1\n");
        transcript_free(&t);
    }
}

static void eng_1_an_event_is_bounded(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4u << 20);
    buf_puts(&b, "data: {\"x\":\"");
    while (b.len <= LLM_EVENT_BYTES_MAX + 16) {
        buf_puts(&b, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
    }
    buf_puts(&b, "\"}\n\n");
    assert_int_equal(class_of(b.data, b.len), LLM_ERROR_PROTOCOL);
    buf_free(&b);

    buf_puts(&b, "data: {\"x\":");
    for (int i = 0; i < 100000; i++) {
        buf_puts(&b, "[");
    }
    buf_puts(&b, "\n\n");
    assert_int_equal(class_of(b.data, b.len), LLM_ERROR_PROTOCOL);
    buf_free(&b);
}

static enum llm_error_class class_of_calls(int calls)
{
    struct buf b;
    buf_init(&b, 4u << 20);
    for (int i = 0; i < calls; i++) {
        buf_printf(&b,
                   "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d,\"id\":\"c%d\","
                   "\"function\":{\"name\":\"f\"}}]}}]}\n\n",
                   i, i);
    }
    buf_puts(&b, "data: {\"choices\":[{\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n");
    enum llm_error_class class = class_of(b.data, b.len);
    buf_free(&b);
    return class;
}

static void eng_1_tool_calls_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(class_of_calls(LLM_TOOL_CALLS_MAX), LLM_ERROR_NONE);
    assert_int_equal(class_of_calls(LLM_TOOL_CALLS_MAX + 1), LLM_ERROR_PROTOCOL);
}

static enum llm_error_class class_of_arguments(size_t bytes)
{
    struct buf b;
    size_t sent = 0;
    buf_init(&b, 4u << 20);
    while (sent < bytes) {
        size_t part = bytes - sent < 60000 ? bytes - sent : 60000;
        char *spaces = malloc(part + 1);
        assert_non_null(spaces);
        memset(spaces, ' ', part);
        spaces[part] = '\0';
        if (sent == 0) {
            memcpy(spaces, "{}", 2);
        }
        buf_printf(&b,
                   "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\","
                   "\"function\":{\"name\":\"f\",\"arguments\":\"%s\"}}]}}]}\n\n",
                   spaces);
        free(spaces);
        sent += part;
    }
    buf_puts(&b, "data: {\"choices\":[{\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n");
    enum llm_error_class class = class_of(b.data, b.len);
    buf_free(&b);
    return class;
}

static void eng_1_tool_arguments_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(class_of_arguments(LLM_TOOL_ARGUMENTS_MAX), LLM_ERROR_NONE);
    assert_int_equal(class_of_arguments(LLM_TOOL_ARGUMENTS_MAX + 1), LLM_ERROR_PROTOCOL);
}

static void eng_1_the_caller_stops_the_decoding(void **state)
{
    size_t len;
    char *bytes = fixture_read("openai_tools.sse", &len);
    (void)state;
    for (size_t stop = 1; stop < 12; stop++) {
        struct transcript t;
        transcript_init(&t);
        t.stop_after = stop;
        transcript_feed(&t, &llm_openai, bytes, len, 0, 0);
        assert_int_equal(t.events, stop);
        transcript_free(&t);
    }
    free(bytes);
}

/* ENG-6: the provider's own cost, rounded up to the micro-dollar. */
static void eng_6_cost_is_the_providers(void **state)
{
    static const struct {
        const char *cost;
        const char *micro;
    } cases[] = {{"0", "cost=0"},          {"0.00014", "cost=140"}, {"0.0000001", "cost=1"},
                 {"0.0000149", "cost=15"}, {"1", "cost=1000000"},   {"1e30", "cost=-1"},
                 {"\"0.1\"", "cost=-1"},   {"null", "cost=-1"},     {"0.1", "cost=100000"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":"
                       "{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost\":%s}}\n\n"
                       "data: [DONE]\n\n",
                       cases[i].cost);
        struct transcript t;
        transcript_init(&t);
        transcript_feed(&t, &llm_openai, text, strlen(text), 0, 0);
        const char *cost = strstr(t.text.data, "cost=");
        assert_non_null(cost);
        assert_int_equal(strncmp(cost, cases[i].micro, strlen(cases[i].micro)), 0);
        assert_int_equal(cost[strlen(cases[i].micro)], '\n');
        transcript_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_fragmentation_changes_nothing),
        cmocka_unit_test(eng_1_a_cut_never_succeeds),
        cmocka_unit_test(eng_1_garbage_is_an_error),
        cmocka_unit_test(eng_1_wrong_types_are_ignored),
        cmocka_unit_test(eng_1_an_event_is_bounded),
        cmocka_unit_test(eng_1_tool_calls_are_bounded),
        cmocka_unit_test(eng_1_tool_arguments_are_bounded),
        cmocka_unit_test(eng_1_the_caller_stops_the_decoding),
        cmocka_unit_test(eng_6_cost_is_the_providers),
    };
    return cmocka_run_group_tests_name("llm openai", tests, NULL, NULL);
}
