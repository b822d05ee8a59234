/* ENG-1: Anthropic messages. */
#include "llm_transcript.h"

#include "llm/stream.h"

static const char *const fixtures[] = {
    "anthropic_cumulative.sse",   "anthropic_error_only.sse", "anthropic_no_reason.sse",
    "anthropic_no_start.sse",     "anthropic_no_stop.sse",    "anthropic_overloaded.sse",
    "anthropic_refusal.sse",      "anthropic_text.sse",       "anthropic_thinking.sse",
    "anthropic_tool_invalid.sse", "anthropic_tools.sse",      "anthropic_unknown.sse",
};

#define FIXTURE_COUNT (sizeof(fixtures) / sizeof(fixtures[0]))

static void eng_1_fragmentation_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_COUNT; i++) {
        check_fragmentation(&llm_anthropic, fixtures[i]);
    }
}

static void eng_1_a_cut_never_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_COUNT; i++) {
        check_cuts(&llm_anthropic, fixtures[i]);
    }
}

static enum llm_error_class class_of(const char *bytes, size_t len)
{
    struct transcript t;
    transcript_init(&t);
    transcript_feed(&t, &llm_anthropic, bytes, len, 4096, 0);
    transcript_free(&t);
    return t.error.class;
}

#define START "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{}}}\n\n"

static void eng_1_garbage_is_an_error(void **state)
{
    static const struct {
        const char *bytes;
        enum llm_error_class class;
    } cases[] = {
        {"", LLM_ERROR_CUT},
        {"data: hello\n\n", LLM_ERROR_PROTOCOL},
        {"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}\n\n",
         LLM_ERROR_OVERLOADED},
        {"{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\"}}", LLM_ERROR_AUTH},
        {"data: {\"type\":\"message_stop\"}\n\n", LLM_ERROR_PROTOCOL},
        {"data: {\"type\":7}\n\n", LLM_ERROR_CUT},
        {START "data: {\"type\":\"message_delta\",\"delta\":7,\"usage\":7}\n\n", LLM_ERROR_CUT},
        {START "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\"}}"
               "\n\ndata: {\"type\":\"content_block_stop\"}\n\n",
         LLM_ERROR_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum llm_error_class class = class_of(cases[i].bytes, strlen(cases[i].bytes));
        if (class != cases[i].class) {
            fail_msg("%s: %s", cases[i].bytes, llm_error_name(class));
        }
    }
}

/* A gateway that never sends content_block_stop: message_stop ends its calls. */
static void eng_1_message_stop_ends_open_calls(void **state)
{
    static const char text[] =
        START "data: {\"type\":\"content_block_start\",\"index\":3,\"content_block\":"
              "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\"}}\n\n"
              "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n"
              "data: {\"type\":\"message_stop\"}\n\n";
    struct transcript t;
    (void)state;
    transcript_init(&t);
    transcript_feed(&t, &llm_anthropic, text, strlen(text), 0, 0);
    assert_non_null(strstr(t.text.data, "end 0 id=t name=f |{}|\nfinish tool_calls\n"));
    transcript_free(&t);
}

static void eng_1_an_event_is_bounded(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4u << 20);
    buf_puts(&b, START "data: ");
    while (b.len <= LLM_EVENT_BYTES_MAX + 128) {
        buf_puts(&b, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
    }
    assert_int_equal(class_of(b.data, b.len), LLM_ERROR_PROTOCOL);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_fragmentation_changes_nothing),
        cmocka_unit_test(eng_1_a_cut_never_succeeds),
        cmocka_unit_test(eng_1_garbage_is_an_error),
        cmocka_unit_test(eng_1_message_stop_ends_open_calls),
        cmocka_unit_test(eng_1_an_event_is_bounded),
    };
    return cmocka_run_group_tests_name("llm anthropic", tests, NULL, NULL);
}
