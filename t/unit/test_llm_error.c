/* ENG-1: what a provider's error means; Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "llm/error.h"

static void eng_1_classes_of_responses(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum llm_error_class class;
    } cases[] = {
        /* the status alone */
        {400, "", LLM_ERROR_REQUEST},
        {401, "", LLM_ERROR_AUTH},
        {402, "", LLM_ERROR_QUOTA},
        {403, "", LLM_ERROR_AUTH},
        {404, "<html>nginx</html>", LLM_ERROR_REQUEST},
        {408, "", LLM_ERROR_TIMEOUT},
        {409, "", LLM_ERROR_OVERLOADED},
        {413, "", LLM_ERROR_REQUEST},
        {422, "", LLM_ERROR_REQUEST},
        {429, "", LLM_ERROR_RATE},
        {500, "", LLM_ERROR_OVERLOADED},
        {502, "Bad Gateway", LLM_ERROR_OVERLOADED},
        {503, "", LLM_ERROR_OVERLOADED},
        {504, "", LLM_ERROR_OVERLOADED},
        {529, "", LLM_ERROR_OVERLOADED},
        {301, "", LLM_ERROR_REQUEST},
        {204, "", LLM_ERROR_PROTOCOL},
        /* OpenAI */
        {429,
         "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":"
         "\"insufficient_quota\",\"param\":null,\"code\":\"insufficient_quota\"}}",
         LLM_ERROR_QUOTA},
        {429,
         "{\"error\":{\"message\":\"Rate limit reached for gpt-4.1\",\"type\":\"tokens\","
         "\"code\":\"rate_limit_exceeded\"}}",
         LLM_ERROR_RATE},
        {400,
         "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\",\"code\":"
         "\"context_length_exceeded\"}}",
         LLM_ERROR_CONTEXT},
        {400, "{\"error\":{\"message\":\"rejected\",\"code\":\"content_filter\"}}",
         LLM_ERROR_FILTER},
        {401, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}",
         LLM_ERROR_AUTH},
        {401, "{\"error\":{\"type\":\"invalid_request_error\"}}", LLM_ERROR_AUTH},
        {404, "{\"error\":{\"code\":\"model_not_found\"}}", LLM_ERROR_REQUEST},
        /* Anthropic */
        {529, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}",
         LLM_ERROR_OVERLOADED},
        {400,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
         "\"prompt is too long: 215000 tokens > 200000 maximum\"}}",
         LLM_ERROR_CONTEXT},
        {400,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
         "\"Your credit balance is too low to access the Anthropic API.\"}}",
         LLM_ERROR_QUOTA},
        {429,
         "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
         "\"Your workspace has reached its monthly spend limit\"}}",
         LLM_ERROR_QUOTA},
        {429,
         "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
         "\"Number of request tokens has exceeded your per-minute rate limit\"}}",
         LLM_ERROR_RATE},
        {403, "{\"type\":\"error\",\"error\":{\"type\":\"permission_error\"}}", LLM_ERROR_AUTH},
        /* OpenRouter */
        {403,
         "{\"error\":{\"code\":403,\"message\":\"Your chosen model requires moderation\","
         "\"metadata\":{\"reasons\":[\"violence\"],\"flagged_input\":\"...\"}}}",
         LLM_ERROR_FILTER},
        {403, "{\"error\":{\"code\":403,\"message\":\"Key limit exceeded (monthly limit)\"}}",
         LLM_ERROR_QUOTA},
        {402, "{\"error\":{\"code\":402,\"message\":\"This request requires more credits\"}}",
         LLM_ERROR_QUOTA},
        {400,
         "{\"error\":{\"code\":400,\"message\":\"Provider returned error\",\"metadata\":"
         "{\"raw\":\"maximum context length is 4096 tokens\"}}}",
         LLM_ERROR_CONTEXT},
        {502,
         "{\"error\":{\"code\":502,\"message\":\"x\",\"metadata\":{\"error_type\":"
         "\"content_policy_violation\"}}}",
         LLM_ERROR_FILTER},
        /* vLLM, llama.cpp, Ollama, FastAPI, Google */
        {400,
         "{\"object\":\"error\",\"message\":\"This model's maximum context length is 4096\","
         "\"type\":\"BadRequestError\",\"code\":400}",
         LLM_ERROR_CONTEXT},
        {400, "{\"error\":{\"code\":400,\"message\":\"x\",\"type\":\"exceed_context_size_error\"}}",
         LLM_ERROR_CONTEXT},
        {404, "{\"error\":\"model \\\"x\\\" not found\"}", LLM_ERROR_REQUEST},
        {422, "{\"detail\":\"field required\"}", LLM_ERROR_REQUEST},
        {429,
         "[{\"error\":{\"code\":429,\"message\":\"You exceeded your current quota\",\"status\""
         ":\"RESOURCE_EXHAUSTED\"}}]",
         LLM_ERROR_RATE},
        /* nonsense */
        {500, "{\"error\":", LLM_ERROR_OVERLOADED},
        {400, "{\"error\":null}", LLM_ERROR_REQUEST},
        {400, "{\"error\":[[[1]]]}", LLM_ERROR_REQUEST},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct llm_error error;
        llm_error_http(cases[i].status, cases[i].body, strlen(cases[i].body), &error);
        if (error.class != cases[i].class || error.status != cases[i].status) {
            fail_msg("%d %s: %s", cases[i].status, cases[i].body, llm_error_name(error.class));
        }
        assert_int_equal(error.retry_after_ms, -1);
        assert_int_equal(error.should_retry, -1);
    }
}

static void eng_1_message_is_one_safe_line(void **state)
{
    struct llm_error error;
    (void)state;
    static const char body[] =
        "{\"error\":{\"message\":\"Incorrect API key provided: sk-proj-abcdef1234567890.\\n\\tFix "
        "it\",\"code\":\"invalid_api_key\"}}";
    llm_error_http(401, body, strlen(body), &error);
    assert_string_equal(error.message, "Incorrect API key provided: sk-***. Fix it");

    llm_error_set(&error, LLM_ERROR_AUTH, "task-force-and-more sk-short");
    assert_string_equal(error.message, "task-force-and-more sk-short");

    /* cut at a character, whatever its length */
    char text[600];
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'a', lead);
        text[lead] = '\0';
        while (strlen(text) < 500) {
            strcat(text, "😀");
        }
        llm_error_set(&error, LLM_ERROR_AUTH, "%s", text);
        size_t len = strlen(error.message);
        assert_true(len > 250 && len < sizeof(error.message));
        assert_true(fd_utf8_valid(error.message, len));
    }
}

static void eng_1_body_that_is_not_text(void **state)
{
    static const char bytes[] = {'\xff', '\xfe', '\0', 'x', '\xd7'};
    struct llm_error error;
    (void)state;
    llm_error_http(500, bytes, sizeof(bytes), &error);
    assert_int_equal(error.class, LLM_ERROR_OVERLOADED);
    llm_error_http(500, NULL, 0, &error);
    assert_string_equal(error.message, "HTTP 500");
}

static void eng_1_retry_after(void **state)
{
    static const struct {
        const char *after;
        const char *after_ms;
        int64_t expected;
    } cases[] = {
        {NULL, NULL, -1},
        {"7", NULL, 7000},
        {"0", NULL, 0},
        {"1.25", NULL, 1250},
        {" 3 ", NULL, 3000},
        {"-5", NULL, 0},
        {"1e400", NULL, -1},
        {"nan", NULL, -1},
        {"99999999999", NULL, 86400000},
        {"soon", NULL, -1},
        {"", NULL, -1},
        {"7", "250", 250},
        {"7", "x", 7000},
        /* RFC 9110 section 5.6.7, at 1994-11-06 08:49:07 */
        {"Sun, 06 Nov 1994 08:49:37 GMT", NULL, 30000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", NULL, 30000},
        {"Sun Nov  6 08:49:37 1994", NULL, 30000},
        {"Sun, 06 Nov 1994 08:48:37 GMT", NULL, 0},
        {"Sun, 06 Nov 2094 08:48:37 GMT", NULL, 86400000},
        {"Sun, 06 Xyz 1994 08:48:37 GMT", NULL, -1},
        {"Sun, 06", NULL, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct llm_error error;
        llm_error_clear(&error);
        llm_error_headers(&error, cases[i].after, cases[i].after_ms, NULL, 784111747000);
        if (error.retry_after_ms != cases[i].expected) {
            fail_msg("%s: %lld", cases[i].after, (long long)error.retry_after_ms);
        }
    }
}

static void eng_1_should_retry(void **state)
{
    struct llm_error error;
    (void)state;
    llm_error_clear(&error);
    llm_error_headers(&error, NULL, NULL, "true", 0);
    assert_int_equal(error.should_retry, 1);
    llm_error_headers(&error, NULL, NULL, "False", 0);
    assert_int_equal(error.should_retry, 0);
    llm_error_headers(&error, NULL, NULL, "maybe", 0);
    assert_int_equal(error.should_retry, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_classes_of_responses),
        cmocka_unit_test(eng_1_message_is_one_safe_line),
        cmocka_unit_test(eng_1_body_that_is_not_text),
        cmocka_unit_test(eng_1_retry_after),
        cmocka_unit_test(eng_1_should_retry),
    };
    return cmocka_run_group_tests_name("llm error", tests, NULL, NULL);
}
