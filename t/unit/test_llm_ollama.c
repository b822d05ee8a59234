/* ENG-1: Ollama /api/chat. */
#include "llm_transcript.h"

#include "llm/stream.h"

static const char *const fixtures[] = {
    "ollama_error_first.ndjson", "ollama_error_midstream.ndjson",
    "ollama_garbage.ndjson",     "ollama_load.ndjson",
    "ollama_no_done.ndjson",     "ollama_no_last_newline.ndjson",
    "ollama_no_reason.ndjson",   "ollama_text.ndjson",
    "ollama_thinking.ndjson",    "ollama_tools.ndjson",
    "ollama_tools_id.ndjson",
};

#define FIXTURE_COUNT (sizeof(fixtures) / sizeof(fixtures[0]))

static void eng_1_fragmentation_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_COUNT; i++) {
        check_fragmentation(&llm_ollama, fixtures[i]);
    }
}

static void eng_1_a_cut_never_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_COUNT; i++) {
        check_cuts(&llm_ollama, fixtures[i]);
    }
}

static enum llm_error_class class_of(const char *bytes, size_t len)
{
    struct transcript t;
    transcript_init(&t);
    transcript_feed(&t, &llm_ollama, bytes, len, 4096, 0);
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
        {"\n \r\n", LLM_ERROR_CUT},
        {"hello\n", LLM_ERROR_PROTOCOL},
        {"[]\n", LLM_ERROR_PROTOCOL},
        {"{\"done\":tru", LLM_ERROR_CUT},
        {"{\"error\":\"model requires more system memory\"}\n", LLM_ERROR_OVERLOADED},
        {"{\"error\":\"llama3 does not support tools\"}", LLM_ERROR_REQUEST},
        {"{\"message\":{\"tool_calls\":[{\"function\":{}}]},\"done\":true}\n", LLM_ERROR_PROTOCOL},
        {"{\"message\":7,\"done\":\"true\"}\n", LLM_ERROR_CUT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum llm_error_class class = class_of(cases[i].bytes, strlen(cases[i].bytes));
        if (class != cases[i].class) {
            fail_msg("%s: %s", cases[i].bytes, llm_error_name(class));
        }
    }
}

static void eng_1_a_line_is_bounded(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4u << 20);
    while (b.len <= LLM_EVENT_BYTES_MAX) {
        buf_puts(&b, "{\"x\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"}");
    }
    assert_int_equal(class_of(b.data, b.len), LLM_ERROR_PROTOCOL);
    buf_free(&b);
}

/* A stored result is found by its call's id, so calls of two rounds must differ. */
static void eng_1_made_up_ids_are_unique(void **state)
{
    char ids[2][64];
    (void)state;
    for (int i = 0; i < 2; i++) {
        char text[256];
        (void)snprintf(text, sizeof(text),
                       "{\"created_at\":\"2026-11-20T10:00:0%dZ\",\"message\":{\"tool_calls\":"
                       "[{\"function\":{\"name\":\"f\",\"arguments\":{}}}]},\"done\":true}\n",
                       i);
        struct transcript t;
        transcript_init(&t);
        transcript_feed(&t, &llm_ollama, text, strlen(text), 0, 0);
        const char *id = strstr(t.text.data, "id=call_");
        assert_non_null(id);
        (void)snprintf(ids[i], sizeof(ids[i]), "%.32s", id);
        assert_int_equal(t.finish, LLM_FINISH_TOOLS);
        transcript_free(&t);
    }
    assert_string_not_equal(ids[0], ids[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_fragmentation_changes_nothing),
        cmocka_unit_test(eng_1_a_cut_never_succeeds),
        cmocka_unit_test(eng_1_garbage_is_an_error),
        cmocka_unit_test(eng_1_a_line_is_bounded),
        cmocka_unit_test(eng_1_made_up_ids_are_unique),
    };
    return cmocka_run_group_tests_name("llm ollama", tests, NULL, NULL);
}
