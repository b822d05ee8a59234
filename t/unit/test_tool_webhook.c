/* ENG-10: what a webhook is sent, what is made of its reply, and what the server binds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "tool/bind.h"
#include "tool/plain.h"
#include "tool/reply.h"
#include "tool/schema.h"
#include "tool/shown.h"
#include "tool/webhook_message.h"

static struct arena arena;
static struct tool_webhook hook;
static struct tool tool;
static struct tool_context context;

static const struct fd_json *parse(const char *text, size_t len)
{
    const struct fd_json_limits limits = {31, 100000};
    struct fd_json_fault fault;

    return fd_json_parse(text, len, limits, arena_allocator(&arena), &fault);
}

static int set_up(void **state)
{
    struct tool_schema_fault fault;
    const struct fd_json *json;
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}";

    (void)state;
    arena_init(&arena);
    hook = (struct tool_webhook){.token_header = "X-Frontdesk-Token"};
    tool = (struct tool){.id = "t1",
                         .name = "look_up",
                         .risk = TOOL_READ,
                         .url = "https://hooks.example/secret-path",
                         .webhook = &hook};
    tool.schema = tool_schema_read(&arena, schema, sizeof(schema) - 1, &json, &fault);
    context = (struct tool_context){.org = "org",
                                    .session = "s1",
                                    .conversation_id = "c1",
                                    .job_id = "0-job",
                                    .call_id = "c_1",
                                    .language = "he",
                                    .channel = "widget",
                                    .user_id = "u\"1",
                                    .user_verified = true};
    return tool.schema != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* -- the request ----------------------------------------------------------------------------- */

static const char *header(const struct webhook_message *m, const char *name)
{
    size_t len = strlen(name);

    for (const char *const *h = m->headers; *h != NULL; h++) {
        if (strncmp(*h, name, len) == 0 && (*h)[len] == ':')
            return *h + len + 2;
    }
    return NULL;
}

static void eng_10_message(void **state)
{
    const struct webhook_attempt attempt = {2, 1700000000123, 1700000030123};
    char signature[OUTBOUND_SIGNATURE_SIZE];
    struct webhook_message m;

    (void)state;
    assert_true(webhook_message(&arena, &tool, "{\"n\":1}", &context, &attempt, &m));
    assert_string_equal(
        m.body,
        "{\"v\":1,\"call_id\":\"c_1\",\"idempotency_key\":\"0-job:c_1\",\"client_id\":\"org\","
        "\"session_id\":\"s1\",\"conversation_id\":\"c1\",\"tool\":\"look_up\",\"args\":{\"n\":1},"
        "\"visitor\":{\"id\":\"u\\\"1\",\"verified\":true,\"locale\":\"he\"},\"channel\":"
        "\"widget\",\"attempt\":2,\"deadline_ms\":1700000030123,\"callback_url\":null}");
    assert_string_equal(header(&m, "Idempotency-Key"), "0-job:c_1");
    assert_string_equal(header(&m, "X-Frontdesk-Timestamp"), "1700000000");
    assert_null(header(&m, "X-Frontdesk-Signature"));
    assert_null(header(&m, "X-Frontdesk-Token"));

    hook.secret = "secret";
    hook.token = "token";
    assert_true(webhook_message(&arena, &tool, "{}", &context, &attempt, &m));
    outbound_sign(signature, "secret", 1700000000, m.body, m.body_len);
    assert_string_equal(header(&m, "X-Frontdesk-Signature"), signature);
    assert_string_equal(header(&m, "X-Frontdesk-Token"), "token");
    context.user_id = NULL;
    context.user_verified = true; /* nobody cannot be verified */
    assert_true(webhook_message(&arena, &tool, "{}", &context, &attempt, &m));
    assert_non_null(strstr(m.body, "\"visitor\":{\"id\":null,\"verified\":false,"));
}

/* The same call has the same key, and no key has anything that a header cannot hold. */
static void eng_10_idempotency_key(void **state)
{
    static const char *const odd[] = {"a b", "\r\nX-Evil: 1", "\u05d0", "\x7f", "%0d"};
    char once[64];

    (void)state;
    assert_string_equal(webhook_idempotency_key(&arena, &context), "0-job:c_1");
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        context.call_id = odd[i];
        const char *key = webhook_idempotency_key(&arena, &context);
        assert_int_equal(strlen(key), 48);
        assert_int_equal(strspn(key, "0123456789abcdef"), 48);
        snprintf(once, sizeof(once), "%s", key);
        assert_string_equal(webhook_idempotency_key(&arena, &context), once);
        context.job_id = "0-other";
        assert_string_not_equal(webhook_idempotency_key(&arena, &context), once);
        context.job_id = "0-job";
    }
}

/* A write is never sent twice, a read only if it was not sent at all. */
static void eng_10_repeated(void **state)
{
    (void)state;
    for (int failure = OUTBOUND_OK; failure <= OUTBOUND_REDIRECT; failure++) {
        bool unsent = failure == OUTBOUND_RESOLVE || failure == OUTBOUND_CONNECT;
        assert_true(webhook_may_repeat(TOOL_READ, 1, (enum outbound_failure)failure) == unsent);
        assert_false(webhook_may_repeat(TOOL_READ, 2, (enum outbound_failure)failure));
        assert_false(webhook_may_repeat(TOOL_WRITE, 1, (enum outbound_failure)failure));
        assert_false(webhook_may_repeat(TOOL_HIGH, 1, (enum outbound_failure)failure));
    }
}

/* -- the reply ------------------------------------------------------------------------------- */

static struct tool_result result_of(enum outbound_failure failure, int status, const char *type,
                                    const char *body, size_t len)
{
    const struct outbound_response response = {.failure = failure,
                                               .status = status,
                                               .content_type = type,
                                               .body = body,
                                               .body_len = len,
                                               .ms = 5,
                                               .error = "what happened"};
    struct tool_result result;

    reply_read(&arena, &tool, &response, &result);
    assert_non_null(result.json);
    assert_int_equal(strlen(result.json), result.len);
    assert_in_range(result.len, 1, TOOL_RESULT_MAX);
    if (parse(result.json, result.len) == NULL)
        fail_msg("not JSON: %s", result.json);
    if (strstr(result.json, "hooks.example") != NULL)
        fail_msg("an address: %s", result.json);
    return result;
}

static struct tool_result json_result(int status, const char *body)
{
    return result_of(OUTBOUND_OK, status, "application/json; charset=utf-8", body, strlen(body));
}

static void eng_10_reply_data(void **state)
{
    static const struct {
        const char *body;
        const char *shown;
    } cases[] = {
        {"{\"ok\":true,\"data\":{\"a\":1}}", "{\"a\":1}"},
        {"{\"ok\":true,\"data\":[1,2]}", "[1,2]"},
        {"{\"ok\":true,\"data\":0}", "0"},
        {"{\"ok\":true,\"data\":false}", "false"},
        {"{\"ok\":true,\"data\":{\"a\":1},\"say\":\"hi\"}", "{\"data\":{\"a\":1},\"say\":\"hi\"}"},
        {"{\"ok\":true,\"data\":[{\"json\":{\"a\":1}}]}", "[{\"a\":1}]"},
        {"{\"success\":true,\"data\":{\"a\":1}}", "{\"a\":1}"},
        {"[{\"json\":{\"ok\":true,\"data\":{\"a\":1}},\"pairedItem\":{\"item\":0}}]", "{\"a\":1}"},
        {"{\"a\":1,\"b\":null}", "{\"a\":1,\"b\":null}"},
        {"{\"data\":{\"a\":1}}", "{\"a\":1}"},
        {"{\"data\":[[{\"data\":{\"json\":{\"a\":1}}}]]}", "{\"a\":1}"},
        {"[{\"json\":{\"a\":1}},{\"json\":{\"a\":2}}]", "[{\"a\":1},{\"a\":2}]"},
        {"[1,2,3]", "[1,2,3]"},
        {"[\"x\"]", "[\"x\"]"},
        {"[]", "[]"}, /* a read that finds nothing */
        {"{\"data\":[]}", "[]"},
        {"{\"json\":{\"a\":1},\"other\":2}", "{\"json\":{\"a\":1},\"other\":2}"},
        {"{\"error\":null,\"a\":1}", "{\"error\":null,\"a\":1}"},
        {"{\"error\":false,\"a\":1}", "{\"error\":false,\"a\":1}"},
        {"\"text\"", "\"text\""},
        {"{\"message\":\"hello\"}", "{\"message\":\"hello\"}"},
        {" \n{\"a\":\"\\u05e9\"}", "{\"a\":\"\u05e9\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tool_result result = json_result(200, cases[i].body);
        if (result.failure != TOOL_OK)
            fail_msg("%s: %s", cases[i].body, result.json);
        assert_string_equal(result.json, cases[i].shown);
        assert_false(result.pending);
    }
    tool.risk = TOOL_WRITE; /* it did it, and has nothing to tell */
    assert_string_equal(json_result(200, "{\"ok\":true}").json, "{\"ok\":true}");
    struct tool_result later = json_result(202, "{\"ok\":true,\"pending\":true}");
    assert_true(later.failure == TOOL_OK && later.pending);
}

static void eng_10_reply_unusable(void **state)
{
    static const char *const bodies[] = {"",
                                         " ",
                                         "{}",
                                         "[{}]",
                                         "[[]]x",
                                         "null",
                                         "\"\"",
                                         "{\"data\":{}}",
                                         "[{\"json\":{}}]",
                                         "{\"message\":\"Workflow was started\"}",
                                         "{\"ok\":true}",
                                         "{\"ok\":true,\"data\":{}}",
                                         "{\"ok\":true,\"data\":null}",
                                         "{\"ok\":true,\"data\":\"\"}",
                                         "{\"a\":",
                                         "{\"a\":1}{\"b\":2}",
                                         "{\"a\":1,\"a\":2}",
                                         "{\"a\":\"\xff\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct tool_result result = json_result(200, bodies[i]);
        if (result.failure != TOOL_RESPONSE)
            fail_msg("%s: %s %s", bodies[i], tool_failure_name(result.failure), result.json);
        assert_non_null(result.operator_detail);
        assert_non_null(strstr(result.json, "\"retryable\":false"));
    }
    assert_int_equal(result_of(OUTBOUND_OK, 204, "", "", 0).failure, TOOL_RESPONSE);
    tool.risk = TOOL_WRITE;
    assert_int_equal(json_result(200, "[]").failure, TOOL_RESPONSE);
    assert_non_null(strstr(json_result(200, "{}").json, "not known whether it was done"));
    hook.acknowledgement = true;
    assert_int_equal(json_result(200, "{}").failure, TOOL_OK);
    assert_int_equal(result_of(OUTBOUND_OK, 204, "", "", 0).failure, TOOL_OK);
    assert_int_equal(json_result(200, "{\"ok\":false}").failure, TOOL_FAILED);
    assert_int_equal(json_result(500, "").failure, TOOL_HTTP);
}

static void eng_10_reply_failures(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum tool_failure failure;
        const char *shown;
    } cases[] = {
        {200,
         "{\"ok\":false,\"error\":{\"code\":\"slot_taken\",\"message\":\"Taken.\",\"retryable\":"
         "true}}",
         TOOL_FAILED,
         "{\"error\":{\"code\":\"slot_taken\",\"message\":\"Taken.\",\"retryable\":true}}"},
        {404, "{\"ok\":false,\"error\":{\"code\":\"none\",\"message\":\"No order.\"}}", TOOL_FAILED,
         "{\"error\":{\"code\":\"none\",\"message\":\"No order.\",\"retryable\":false}}"},
        {200, "{\"success\":false,\"error\":\"Not all criteria met\"}", TOOL_FAILED,
         "{\"error\":{\"code\":\"failed\",\"message\":\"Not all criteria "
         "met\",\"retryable\":false}}"},
        {200, "{\"error\":{\"code\":\"a b\\n\",\"message\":\"x\\r\\n\\ty\"}}", TOOL_FAILED,
         "{\"error\":{\"code\":\"failed\",\"message\":\"x y\",\"retryable\":false}}"},
        {200, "{\"ok\":false}", TOOL_FAILED,
         "{\"error\":{\"code\":\"failed\",\"message\":\"The tool says that it "
         "failed.\",\"retryable\":false}}"},
        {500, "{\"message\":\"Error in workflow\"}", TOOL_HTTP,
         "{\"error\":{\"code\":\"http\",\"message\":\"The tool answered with an "
         "error.\",\"retryable\":true}}"},
        {404,
         "{\"code\":404,\"message\":\"The requested webhook \\\"POST x\\\" is not registered.\"}",
         TOOL_HTTP,
         "{\"error\":{\"code\":\"http\",\"message\":\"The tool answered with an "
         "error.\",\"retryable\":true}}"},
        {403, "Authorization data is wrong!", TOOL_HTTP,
         "{\"error\":{\"code\":\"http\",\"message\":\"The tool answered with an "
         "error.\",\"retryable\":true}}"},
        {500, "", TOOL_HTTP,
         "{\"error\":{\"code\":\"http\",\"message\":\"The tool answered with an "
         "error.\",\"retryable\":true}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tool_result result = json_result(cases[i].status, cases[i].body);
        assert_int_equal(result.failure, cases[i].failure);
        assert_string_equal(result.json, cases[i].shown);
        assert_int_equal(result.status, cases[i].status);
        assert_non_null(result.operator_detail);
    }
    char *body = arena_alloc(&arena, 5000);
    int written = snprintf(body, 5000, "{\"ok\":false,\"error\":\"%04000d\"}", 0);
    assert_true(result_of(OUTBOUND_OK, 200, "application/json", body, (size_t)written).len < 700);
}

static void eng_10_reply_transport(void **state)
{
    static const struct {
        enum outbound_failure failure;
        enum tool_failure expected;
        bool write_retryable;
    } cases[] = {
        {OUTBOUND_BAD_URL, TOOL_BLOCKED, false},    {OUTBOUND_BAD_HEADER, TOOL_BLOCKED, false},
        {OUTBOUND_RESOLVE, TOOL_UNREACHABLE, true}, {OUTBOUND_BLOCKED, TOOL_BLOCKED, false},
        {OUTBOUND_CONNECT, TOOL_UNREACHABLE, true}, {OUTBOUND_TLS, TOOL_UNREACHABLE, true},
        {OUTBOUND_TIMEOUT, TOOL_TIMEOUT, false},    {OUTBOUND_CUT, TOOL_RESPONSE, false},
        {OUTBOUND_TOO_LARGE, TOOL_RESPONSE, false}, {OUTBOUND_REDIRECT, TOOL_HTTP, false},
    };
    (void)state;
    tool.risk = TOOL_WRITE;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tool_result result = result_of(cases[i].failure, 0, "", "", 0);
        assert_int_equal(result.failure, cases[i].expected);
        assert_true((strstr(result.json, "\"retryable\":true") != NULL) ==
                    cases[i].write_retryable);
        assert_non_null(strstr(result.operator_detail, "what happened"));
    }
}

/* -- cutting --------------------------------------------------------------------------------- */

static void eng_10_results_are_cut(void **state)
{
    struct buf body;
    struct tool_result result;

    (void)state;
    buf_init(&body, 1 << 22);
    buf_puts(&body, "{\"ok\":true,\"data\":[");
    for (int i = 0; i < 3000; i++)
        buf_printf(&body,
                   "%s{\"sku\":\"SKU-%d\",\"text\":\"A sentence. Another one, \u05e9\u05dc.\"}",
                   i > 0 ? "," : "", i);
    buf_puts(&body, "]}");
    result = result_of(OUTBOUND_OK, 200, "application/json", body.data, body.len);
    const struct fd_json *list = parse(result.json, result.len);
    assert_int_equal(list->type, FD_JSON_ARRAY);
    assert_in_range(list->count, 40, 1001);
    assert_string_equal(fd_json_string(list->child, "sku"), "SKU-0");
    assert_non_null(strstr(result.json, " of 3000 shown]\"]"));

    /* quotes and control characters take more room than they had */
    buf_reset(&body);
    for (int i = 0; i < 60000; i++)
        buf_puts(&body, "\"\\");
    result = result_of(OUTBOUND_OK, 200, "text/plain", body.data, body.len);
    assert_int_equal(result.failure, TOOL_OK);
    assert_non_null(strstr(result.json, " [cut: "));

    /* a text is cut behind a sentence, and never inside of a character */
    buf_reset(&body);
    for (int i = 0; i < 5000; i++)
        buf_puts(&body, "\u05e9\u05dc\u05d5\u05dd \u05dc\u05da. ");
    result = result_of(OUTBOUND_OK, 200, "text/plain", body.data, body.len);
    assert_non_null(strstr(result.json, "\u05dc\u05da. [cut: "));

    /* deep and wide at once */
    buf_reset(&body);
    for (int i = 0; i < 20; i++)
        buf_puts(&body, "{\"a\":[");
    buf_puts(&body, "1");
    for (int i = 0; i < 20; i++)
        buf_puts(&body, "]}");
    assert_int_equal(result_of(OUTBOUND_OK, 200, "application/json", body.data, body.len).failure,
                     TOOL_RESPONSE);
    buf_free(&body);
}

static void eng_10_html(void **state)
{
    static const struct {
        const char *html;
        const char *text;
    } cases[] = {
        {"<p>a</p><p>b</p>", "a\nb"},
        {"a<b>b</b>c", "abc"},
        {"<td>a</td><td>b</td>", "a b"},
        {"a &amp; b &lt;c&gt; &#39;&#x27; &nbsp; d", "a & b <c> '' d"},
        {"<script>alert('<p>')</script>x", "x"},
        {"<style>p{}</style><head><title>t</title></head>y", "y"},
        {"<!-- <p>no</p> -->z", "z"},
        {"<p>unclosed", "unclosed"},
        {"<script>never closed <p>x</p>", ""},
        {"a < b", "a < b"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_init(&out, 4096);
        plain_of_html(&out, cases[i].html, strlen(cases[i].html));
        assert_string_equal(out.len > 0 ? out.data : "", cases[i].text);
        buf_free(&out);
    }
}

/* -- bound arguments ------------------------------------------------------------------------- */

static enum tool_failure complete(const char *arguments, const char **json, char *why)
{
    return tool_arguments(&tool, arguments, &context, &arena, json, why);
}

static void bind_to(const char *bindings, const char *schema)
{
    const struct fd_json *json;
    struct tool_schema_fault fault;
    char error[256];

    assert_true(bindings_read(&arena, parse(bindings, strlen(bindings)), &tool.bindings,
                              &tool.binding_count, error));
    assert_non_null(tool_schema_read(&arena, schema, strlen(schema), &json, &fault));
    tool.parameters = bindings_strip(&arena, json, tool.bindings, tool.binding_count, error);
    assert_non_null(tool.parameters);
    tool.schema = tool_schema_read(&arena, tool.parameters, strlen(tool.parameters), &json, &fault);
    assert_non_null(tool.schema);
}

static void eng_10_bound_arguments(void **state)
{
    const char *json;
    char why[TOOL_WHY_SIZE];

    (void)state;
    bind_to("{\"user\":\"visitor.user_id\",\"shop\":\"=main\"}",
            "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"user\",\"n\"],"
            "\"properties\":{\"user\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},\"shop\":{"
            "}}}");
    assert_string_equal(tool.parameters,
                        "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"n\"],"
                        "\"properties\":{\"n\":{\"type\":\"integer\"}}}");
    assert_int_equal(complete("{\"n\":1}", &json, why), TOOL_OK);
    assert_string_equal(json, "{\"n\":1,\"user\":\"u\\\"1\",\"shop\":\"main\"}");
    /* whatever the model writes there is overwritten */
    assert_int_equal(complete("{\"user\":\"victim\",\"n\":1,\"shop\":{\"a\":[]}}", &json, why),
                     TOOL_OK);
    assert_string_equal(json, "{\"n\":1,\"user\":\"u\\\"1\",\"shop\":\"main\"}");
    assert_int_equal(complete("{\"user\":\"victim\"}", &json, why), TOOL_ARGUMENTS);
    assert_non_null(strstr(why, "$ must have \"n\" (an integer)"));
    /* a claimed identity is none */
    context.user_verified = false;
    assert_int_equal(complete("{\"n\":1}", &json, why), TOOL_REFUSED);
    assert_non_null(strstr(why, "signed in"));
    context.user_verified = true;
    context.user_id = NULL;
    assert_int_equal(complete("{\"n\":1,\"user\":\"victim\"}", &json, why), TOOL_REFUSED);

    bind_to("{\"c\":\"conversation_id\",\"s\":\"session_id\",\"o\":\"org_id\",\"l\":\"language\","
            "\"j\":\"job_id\",\"ch\":\"channel\"}",
            "{\"type\":\"object\"}");
    assert_int_equal(complete("{}", &json, why), TOOL_OK);
    assert_string_equal(json,
                        "{\"c\":\"c1\",\"s\":\"s1\",\"o\":\"org\",\"l\":\"he\",\"j\":\"0-job\","
                        "\"ch\":\"widget\"}");
    context.conversation_id = "";
    assert_int_equal(complete("{}", &json, why), TOOL_REFUSED);
}

static void eng_10_arguments_of_a_model(void **state)
{
    static const char *const wrong[] = {"",
                                        "null",
                                        "[]",
                                        "\"{}\"",
                                        "{",
                                        "{\"n\":1}}",
                                        "{\"n\":1,\"n\":2}",
                                        "{\"n\":\"1\"}",
                                        "{\"n\":1.5}",
                                        "{\"n\":\"\\u0000\"}"};
    const char *json;
    char why[TOOL_WHY_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        why[0] = '\0';
        assert_int_equal(complete(wrong[i], &json, why), TOOL_ARGUMENTS);
        assert_true(why[0] != '\0');
    }
    assert_int_equal(complete("{\"n\":1,\"more\":[{}]}", &json, why), TOOL_OK);
    assert_string_equal(json, "{\"n\":1,\"more\":[{}]}");
    char deep[200] = "{\"a\":";
    memset(deep + 5, '[', 60);
    assert_int_equal(complete(deep, &json, why), TOOL_ARGUMENTS);
}

static void eng_10_bindings_are_checked(void **state)
{
    static const char *const bad[] = {"[]", "{\"a\":\"visitor.phone\"}", "{\"a\":1}",
                                      "{\"a\":\"\"}", "{\"a\":\"user_id\"}"};
    static const char *const roots[] = {"anyOf", "oneOf", "allOf"};
    const struct tool_binding *list;
    const struct tool_binding one = {"a", "org_id"};
    char error[256], schema[128];
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error[0] = '\0';
        assert_false(bindings_read(&arena, parse(bad[i], strlen(bad[i])), &list, &count, error));
        assert_true(error[0] != '\0');
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(schema, sizeof(schema), "{\"type\":\"object\",\"%s\":[{\"required\":[\"a\"]}]}",
                 roots[i]);
        assert_null(bindings_strip(&arena, parse(schema, strlen(schema)), &one, 1, error));
        assert_non_null(strstr(error, roots[i]));
        assert_non_null(bindings_strip(&arena, parse(schema, strlen(schema)), NULL, 0, error));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(eng_10_message),
        TEST(eng_10_idempotency_key),
        TEST(eng_10_repeated),
        TEST(eng_10_reply_data),
        TEST(eng_10_reply_unusable),
        TEST(eng_10_reply_failures),
        TEST(eng_10_reply_transport),
        TEST(eng_10_results_are_cut),
        TEST(eng_10_html),
        TEST(eng_10_bound_arguments),
        TEST(eng_10_arguments_of_a_model),
        TEST(eng_10_bindings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
