/* EDGE-11: protocol/completion_request.h and protocol/openai_error.h: the OpenAI-compatible door */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/arena.h"
#include "core/buf.h"
#include "protocol/completion_request.h"
#include "protocol/limits.h"
#include "protocol/openai_error.h"

static struct arena arena;
static struct fd_completion_request request;
static struct fd_completion_fault fault;

static const struct fd_json *parse(const char *text)
{
    struct fd_json_limits limits = {FD_COMPLETION_DEPTH_MAX, FD_COMPLETION_NODES_MAX};
    struct fd_json_fault json_fault;
    const struct fd_json *json =
        fd_json_parse(text, strlen(text), limits, arena_allocator(&arena), &json_fault);
    assert_non_null(json);
    return json;
}

static bool reads(const char *text)
{
    memset(&fault, 0, sizeof(fault));
    return fd_completion_request_read(parse(text), &request, &fault);
}

/* A request that is fine but for the members given. */
static bool reads_with(const char *members)
{
    char text[4096];
    snprintf(text, sizeof(text),
             "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s%s}",
             *members != '\0' ? "," : "", members);
    return reads(text);
}

static bool reads_messages(const char *messages)
{
    char text[4096];
    snprintf(text, sizeof(text), "{\"model\":\"m\",\"messages\":%s}", messages);
    return reads(text);
}

static void assert_fault(const char *field, const char *code)
{
    assert_string_equal(fault.at.field, field);
    assert_string_equal(fault.code, code);
    assert_true(fault.at.detail[0] != '\0');
}

#define TOOL "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}"

static const char full[] =
    "{\"model\":\"openai/gpt-4.1\",\"messages\":[{\"role\":\"developer\",\"content\":\"be brief\"},"
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}],"
    "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_completion_tokens\":100,"
    "\"temperature\":0.5,\"top_p\":0.25,\"frequency_penalty\":-1,\"presence_penalty\":1.5,"
    "\"seed\":7,\"stop\":[\"END\",\"\\n\\n\"],\"tools\":[" TOOL "],\"tool_choice\":\"required\","
    "\"parallel_tool_calls\":false,\"response_format\":{\"type\":\"json_object\"},"
    "\"reasoning_effort\":\"low\",\"verbosity\":\"high\"}";

static void test_edge11_all_fields(void **state)
{
    (void)state;
    assert_true(reads(full));
    assert_string_equal(request.model.s, "openai/gpt-4.1");
    assert_true(request.stream && request.include_usage);
    assert_int_equal(request.max_tokens, 100);
    assert_true(request.temperature == 0.5 && request.top_p == 0.25);
    assert_true(request.frequency_penalty == -1 && request.presence_penalty == 1.5);
    assert_true(request.has_seed);
    assert_int_equal(request.seed, 7);
    assert_int_equal(request.stop->count, 2);
    assert_int_equal(request.tools->count, 1);
    assert_string_equal(request.tool_choice->text, "required");
    assert_int_equal(request.parallel_tool_calls, 0);
    assert_non_null(request.response_format);
    assert_string_equal(request.reasoning_effort, "low");
    assert_string_equal(request.verbosity, "high");
}

static void test_edge11_what_is_not_said(void **state)
{
    (void)state;
    assert_true(reads_with("\"stop\":null,\"tools\":null,\"n\":1,\"temperature\":null"));
    assert_false(request.stream || request.include_usage || request.has_seed);
    assert_int_equal(request.max_tokens, 0);
    assert_true(request.temperature == -1 && request.top_p == -1);
    assert_int_equal(request.parallel_tool_calls, -1);
    assert_null(request.stop);
    assert_null(request.tools);
    assert_null(request.tool_choice);
    assert_true(reads_with("\"tools\":[]"));
    assert_null(request.tools);
}

static void test_edge11_left_unused(void **state)
{
    (void)state;
    assert_true(reads_with("\"user\":\"u\",\"metadata\":{\"a\":\"b\"},\"store\":true,"
                           "\"service_tier\":\"auto\",\"safety_identifier\":\"s\","
                           "\"prompt_cache_key\":\"k\",\"prompt_cache_retention\":\"24h\""));
    assert_true(reads_with("\"logprobs\":false,\"top_logprobs\":0,\"logit_bias\":{},"
                           "\"modalities\":[\"text\"]"));
}

static void test_edge11_refused(void **state)
{
    (void)state;
    static const struct {
        const char *members, *field, *code;
    } cases[] = {
        {"\"n\":2", "n", "unsupported_parameter"},
        {"\"n\":\"1\"", "n", "invalid_type"},
        {"\"logprobs\":true", "logprobs", "unsupported_parameter"},
        {"\"top_logprobs\":3", "top_logprobs", "unsupported_parameter"},
        {"\"logit_bias\":{\"5\":1}", "logit_bias", "unsupported_parameter"},
        {"\"modalities\":[\"text\",\"audio\"]", "modalities", "unsupported_parameter"},
        {"\"audio\":{\"voice\":\"a\"}", "audio", "unsupported_parameter"},
        {"\"prediction\":{\"type\":\"content\"}", "prediction", "unsupported_parameter"},
        {"\"web_search_options\":{\"a\":1}", "web_search_options", "unsupported_parameter"},
        {"\"functions\":[]", "functions", "unsupported_parameter"},
        {"\"function_call\":\"auto\"", "function_call", "unsupported_parameter"},
        {"\"top_k\":5", "top_k", "unknown_parameter"},
        {"\"messages \":5", "messages ", "unknown_parameter"},
        {"\"stream\":\"true\"", "stream", "invalid_type"},
        {"\"stream_options\":{\"include_usage\":true}", "stream_options", "invalid_value"},
        {"\"stream\":true,\"stream_options\":[]", "stream_options", "invalid_type"},
        {"\"stream\":true,\"stream_options\":{\"include_usage\":1}", "stream_options.include_usage",
         "invalid_type"},
        {"\"temperature\":2.1", "temperature", "decimal_above_max_value"},
        {"\"temperature\":-0.1", "temperature", "decimal_below_min_value"},
        {"\"temperature\":3", "temperature", "integer_above_max_value"},
        {"\"temperature\":\"1\"", "temperature", "invalid_type"},
        {"\"top_p\":1.01", "top_p", "decimal_above_max_value"},
        {"\"frequency_penalty\":-2.5", "frequency_penalty", "decimal_below_min_value"},
        {"\"max_tokens\":0", "max_tokens", "integer_below_min_value"},
        {"\"max_tokens\":1.5", "max_tokens", "invalid_type"},
        {"\"max_tokens\":99999999999", "max_tokens", "integer_above_max_value"},
        {"\"max_tokens\":5,\"max_completion_tokens\":5", "max_completion_tokens", "invalid_value"},
        {"\"seed\":1.5", "seed", "invalid_type"},
        {"\"stop\":[]", "stop", "invalid_value"},
        {"\"stop\":\"\"", "stop", "invalid_value"},
        {"\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop", "invalid_value"},
        {"\"stop\":[\"a\",1]", "stop", "invalid_value"},
        {"\"stop\":{\"a\":\"b\"}", "stop", "invalid_value"},
        {"\"reasoning_effort\":\"extreme\"", "reasoning_effort", "invalid_value"},
        {"\"tools\":{}", "tools", "invalid_type"},
        {"\"tools\":[5]", "tools[0]", "invalid_type"},
        {"\"tools\":[{\"type\":\"custom\"}]", "tools[0]", "invalid_value"},
        {"\"tools\":[" TOOL ",{\"type\":\"function\"}]", "tools[1]", "missing_required_parameter"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0]",
         "invalid_value"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":[]}}]",
         "tools[0]", "invalid_type"},
        {"\"tool_choice\":\"auto\"", "tool_choice", "invalid_value"},
        {"\"parallel_tool_calls\":true", "parallel_tool_calls", "invalid_value"},
        {"\"tools\":[" TOOL "],\"tool_choice\":\"any\"", "tool_choice", "invalid_value"},
        {"\"tools\":[" TOOL "],\"tool_choice\":5", "tool_choice", "invalid_type"},
        {"\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":"
         "\"g\"}}",
         "tool_choice", "invalid_value"},
        {"\"response_format\":\"json\"", "response_format", "invalid_type"},
        {"\"response_format\":{\"type\":\"xml\"}", "response_format.type", "invalid_value"},
        {"\"response_format\":{\"type\":\"json_schema\"}", "response_format.json_schema",
         "missing_required_parameter"},
        {"\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}",
         "response_format.json_schema.name", "invalid_value"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].members);
        assert_false(reads_with(cases[i].members));
        assert_fault(cases[i].field, cases[i].code);
    }
}

static void test_edge11_what_is_missing(void **state)
{
    (void)state;
    assert_false(reads("[]"));
    assert_fault("", "invalid_type");
    assert_false(reads("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"));
    assert_fault("model", "missing_required_parameter");
    assert_false(reads("{\"model\":\"m\"}"));
    assert_fault("messages", "missing_required_parameter");
    assert_string_equal(fault.at.detail, "Missing required parameter: 'messages'.");
    assert_false(reads("{\"model\":\"\",\"messages\":[]}"));
    assert_fault("model", "invalid_value");
    assert_false(reads("{\"model\":\"a b\",\"messages\":[]}"));
    assert_fault("model", "invalid_value");
    assert_false(reads_messages("[]"));
    assert_fault("messages", "invalid_value");
    assert_false(reads_messages("{}"));
    assert_fault("messages", "invalid_type");
}

#define CALL(id)                                                                                   \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
#define CALLS(list) "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" list "]}"
#define RESULT(id)  "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"42\"}"
#define USER        "{\"role\":\"user\",\"content\":\"hi\"}"

static void test_edge11_messages(void **state)
{
    (void)state;
    assert_true(
        reads_messages("[{\"role\":\"system\",\"content\":\"s\",\"name\":\"n\"}," USER "]"));
    assert_true(reads_messages("[{\"role\":\"user\",\"content\":\"\"}]"));
    assert_true(reads_messages(
        "[" USER "," CALLS(CALL("a") "," CALL("b")) "," RESULT("b") "," RESULT("a") "," USER "]"));
    /* as the SDK hands back what it was given, and more */
    assert_true(reads_messages("[" USER ",{\"role\":\"assistant\",\"content\":\"yes\",\"refusal\":"
                               "null,\"annotations\":[],\"audio\":null,\"parsed\":null}," USER
                               "]"));
    assert_true(reads_messages("[" USER ",{\"role\":\"assistant\",\"content\":[{\"type\":"
                               "\"refusal\",\"refusal\":\"no\"}]}]"));
    assert_true(reads_messages("[" USER ",{\"role\":\"assistant\",\"refusal\":\"no\"}]"));
    assert_true(reads_messages("[" USER ",{\"role\":\"assistant\",\"content\":\"a\","
                               "\"tool_calls\":null}]"));
}

static void test_edge11_messages_refused(void **state)
{
    (void)state;
    static const struct {
        const char *messages, *field, *code;
    } cases[] = {
        {"[5]", "messages[0]", "invalid_type"},
        {"[{\"content\":\"a\"}]", "messages[0].role", "missing_required_parameter"},
        {"[" USER ",{\"role\":\"function\",\"content\":\"a\"}]", "messages[1].role",
         "invalid_value"},
        {"[{\"role\":\"user\"}]", "messages[0].content", "missing_required_parameter"},
        {"[{\"role\":\"user\",\"content\":null}]", "messages[0].content",
         "missing_required_parameter"},
        {"[{\"role\":\"user\",\"content\":5}]", "messages[0].content", "invalid_type"},
        {"[{\"role\":\"user\",\"content\":[]}]", "messages[0].content", "invalid_value"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
         "\"image_url\",\"image_url\":{\"url\":\"https://a/b\"}}]}]",
         "messages[0].content[1]", "invalid_value"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "messages[0].content[0]",
         "invalid_type"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"a\"}]}]",
         "messages[0].content[0]", "invalid_value"},
        {"[{\"role\":\"user\",\"content\":[\"a\"]}]", "messages[0].content[0]", "invalid_type"},
        {"[{\"role\":\"assistant\"}]", "messages[0].content", "missing_required_parameter"},
        {"[{\"role\":\"assistant\",\"tool_calls\":{}}]", "messages[0].tool_calls", "invalid_type"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[]}]", "messages[0].tool_calls", "invalid_value"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[5]}]", "messages[0].tool_calls[0]",
         "missing_required_parameter"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"custom\"}]}]",
         "messages[0].tool_calls[0]", "invalid_value"},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
         "\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]",
         "messages[0].tool_calls[0]", "invalid_value"},
        /* a provider refuses calls without results, and results without calls */
        {"[" USER "," CALLS(CALL("a")) "]", "messages[1].tool_calls", "invalid_value"},
        {"[" USER "," CALLS(CALL("a") "," CALL("b")) "," RESULT("a") "," USER "," RESULT("b") "]",
         "messages[1].tool_calls", "invalid_value"},
        {"[" USER "," RESULT("a") "]", "messages[1].role", "invalid_value"},
        {"[" CALLS(CALL("a")) "," RESULT("a") "," USER "," RESULT("a") "]", "messages[3].role",
         "invalid_value"},
        {"[" CALLS(CALL("a")) "," RESULT("a") "," RESULT("c") "]", "messages[2].role",
         "invalid_value"},
        {"[" USER ",{\"role\":\"tool\",\"content\":\"a\"}]", "messages[1].tool_call_id",
         "missing_required_parameter"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].messages);
        assert_false(reads_messages(cases[i].messages));
        assert_fault(cases[i].field, cases[i].code);
    }
}

static const char *canonical(void)
{
    struct buf out;
    struct fd_json_writer w;
    buf_init(&out, 1 << 20);
    buf_json(&out, &w);
    fd_completion_request_write(&w, &request);
    assert_true(buf_json_end(&out, &w));
    const char *text = arena_strdup(&arena, out.data);
    buf_free(&out);
    return text;
}

static void test_edge11_canonical(void **state)
{
    (void)state;
    assert_true(reads(full));
    const char *once = canonical();
    assert_string_equal(once, full); /* written in the order of the form */
    assert_true(reads(once));
    assert_string_equal(canonical(), once);

    assert_true(reads_with("\"user\":\"u\",\"n\":1,\"store\":false,\"temperature\":0"));
    assert_string_equal(canonical(), "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
                                     "\"content\":\"hi\"}],\"temperature\":0}");
}

static void test_edge11_a_long_unknown_name_is_cut(void **state)
{
    (void)state;
    char members[1024];
    snprintf(members, sizeof(members), "\"%0*d\xd7\xa9\xd7\xa9\":1", 126, 0);
    assert_false(reads_with(members));
    assert_string_equal(fault.code, "unknown_parameter");
    assert_true(fd_utf8_valid(fault.at.field, strlen(fault.at.field)));
    assert_true(fd_utf8_valid(fault.at.detail, strlen(fault.at.detail)));
}

/* -- errors -------------------------------------------------------------------------------- */

static const struct fd_json *error_of(struct fd_problem problem)
{
    struct buf out;
    struct fd_json_writer w;
    buf_init(&out, 8192);
    buf_json(&out, &w);
    fd_openai_error_write(&w, &problem);
    assert_true(buf_json_end(&out, &w));
    const char *text = arena_strdup(&arena, out.data);
    buf_free(&out);
    const struct fd_json *error = fd_json_get(parse(text), "error");
    assert_non_null(error);
    assert_int_equal(error->count, 4);
    return error;
}

static void test_edge11_errors(void **state)
{
    (void)state;
    static const struct {
        enum fd_problem_type problem;
        int status;
        const char *type, *code;
    } cases[] = {
        {FD_PROBLEM_MALFORMED, 400, "invalid_request_error", "malformed_json"},
        {FD_PROBLEM_FIELD, 400, "invalid_request_error", "invalid_value"},
        {FD_PROBLEM_KEY_MISSING, 401, "invalid_request_error", "invalid_api_key"},
        {FD_PROBLEM_KEY_INVALID, 401, "invalid_request_error", "invalid_api_key"},
        {FD_PROBLEM_KEY_KIND, 403, "request_forbidden", "key_kind"},
        {FD_PROBLEM_NOT_FOUND, 404, "invalid_request_error", "unknown_url"},
        {FD_PROBLEM_MODEL, 404, "invalid_request_error", "model_not_found"},
        {FD_PROBLEM_CONTEXT, 400, "invalid_request_error", "context_length_exceeded"},
        {FD_PROBLEM_IDEMPOTENCY_MISMATCH, 400, "invalid_request_error", "idempotency_mismatch"},
        {FD_PROBLEM_RATE, 429, "requests", "rate_limit_exceeded"},
        {FD_PROBLEM_CONCURRENCY, 429, "requests", "rate_limit_exceeded"},
        {FD_PROBLEM_QUOTA, 429, "insufficient_quota", "insufficient_quota"},
        {FD_PROBLEM_BUDGET, 429, "insufficient_quota", "insufficient_quota"},
        {FD_PROBLEM_INTERNAL, 500, "server_error", "internal"},
        {FD_PROBLEM_PROVIDER, 502, "server_error", "provider_failed"},
        {FD_PROBLEM_UNAVAILABLE, 503, "server_error", "unavailable"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fd_json *error = error_of((struct fd_problem){.type = cases[i].problem});
        assert_int_equal(fd_openai_status(cases[i].problem), cases[i].status);
        assert_string_equal(fd_json_string(error, "type"), cases[i].type);
        assert_string_equal(fd_json_string(error, "code"), cases[i].code);
        assert_string_equal(fd_json_string(error, "message"), fd_problem_title(cases[i].problem));
        assert_int_equal(fd_json_get(error, "param")->type, FD_JSON_NULL);
    }
    assert_true(fd_openai_never_retry(FD_PROBLEM_BUDGET));
    assert_true(fd_openai_never_retry(FD_PROBLEM_QUOTA));
    assert_false(fd_openai_never_retry(FD_PROBLEM_RATE));
}

static void test_edge11_an_errors_words(void **state)
{
    (void)state;
    const struct fd_json *error =
        error_of((struct fd_problem){.type = FD_PROBLEM_FIELD,
                                     .field = "messages[0].role",
                                     .detail = "It must be so.",
                                     .openai_code = "missing_required_parameter"});
    assert_string_equal(fd_json_string(error, "message"), "It must be so.");
    assert_string_equal(fd_json_string(error, "param"), "messages[0].role");
    assert_string_equal(fd_json_string(error, "code"), "missing_required_parameter");
    error = error_of((struct fd_problem){.type = FD_PROBLEM_MODEL, .detail = "gpt-9"});
    assert_string_equal(fd_json_string(error, "message"),
                        "There is no such model for this organization. (gpt-9)");
}

static void test_a_problem_is_read_back(void **state)
{
    (void)state;
    for (int type = 0; type < FD_PROBLEM_TYPES; type++) {
        struct fd_problem problem = {
            .type = (enum fd_problem_type)type, .detail = "d", .field = "f"};
        struct fd_problem back;
        struct buf out;
        struct fd_json_writer w;
        buf_init(&out, 8192);
        buf_json(&out, &w);
        fd_problem_write(&w, &problem);
        assert_true(buf_json_end(&out, &w));
        assert_true(fd_problem_read(parse(out.data), &back));
        assert_int_equal(back.type, type);
        assert_string_equal(back.detail, "d");
        assert_string_equal(back.field, "f");
        buf_free(&out);
    }
    struct fd_problem back;
    assert_false(fd_problem_read(NULL, &back));
    assert_false(fd_problem_read(parse("{\"code\":\"made-up\"}"), &back));
    assert_false(fd_problem_read(parse("[]"), &back));
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
        cmocka_unit_test(test_edge11_all_fields),
        cmocka_unit_test(test_edge11_what_is_not_said),
        cmocka_unit_test(test_edge11_left_unused),
        cmocka_unit_test(test_edge11_refused),
        cmocka_unit_test(test_edge11_what_is_missing),
        cmocka_unit_test(test_edge11_messages),
        cmocka_unit_test(test_edge11_messages_refused),
        cmocka_unit_test(test_edge11_canonical),
        cmocka_unit_test(test_edge11_a_long_unknown_name_is_cut),
        cmocka_unit_test(test_edge11_errors),
        cmocka_unit_test(test_edge11_an_errors_words),
        cmocka_unit_test(test_a_problem_is_read_back),
    };
    arena_init(&arena);
    return cmocka_run_group_tests(tests, NULL, teardown);
}
