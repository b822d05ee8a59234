/* protocol/chat_request.h and protocol/problem.h */
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
#include "protocol/chat_request.h"
#include "protocol/limits.h"
#include "protocol/problem.h"

static struct arena arena;
static struct fd_chat_request request;
static struct fd_field_fault fault;

static bool reads(const char *text)
{
    struct fd_json_fault json_fault;
    struct fd_json *json = fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                         arena_allocator(&arena), &json_fault);

    assert_non_null(json);
    memset(&fault, 0, sizeof(fault));
    return fd_chat_request_read(json, &request, &fault);
}

static void assert_refused(const char *text, const char *field, const char *detail)
{
    assert_false(reads(text));
    assert_string_equal(fault.field, field);
    assert_string_equal(fault.detail, detail);
}

#define SESSION "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_"

static const char full[] =
    "{\"client_api_key\":\"fd_pk_x\",\"session_id\":\"" SESSION "\",\"message\":\" hi \","
    "\"model_id\":\"openai/gpt-4.1-mini\",\"stream\":true,\"dry_run\":true,\"cache\":false,"
    "\"client_message_id\":\"m1\",\"user_id\":\"u1\",\"language\":\"he-IL\","
    "\"context\":{\"title\":\"T\",\"page_url\":\"https://shop.example/a?b\"},\"identity\":\"j\"}";

static void test_all_fields(void **state)
{
    (void)state;
    assert_true(reads(full));
    assert_string_equal(request.client_api_key.s, "fd_pk_x");
    assert_string_equal(request.session_id.s, SESSION);
    assert_string_equal(request.message.s, " hi ");
    assert_int_equal(request.message.len, 4);
    assert_string_equal(request.model_id.s, "openai/gpt-4.1-mini");
    assert_true(request.stream && request.has_stream && request.dry_run && !request.cache);
    assert_string_equal(request.client_message_id.s, "m1");
    assert_string_equal(request.user_id.s, "u1");
    assert_string_equal(request.language.s, "he-IL");
    assert_string_equal(request.page_url.s, "https://shop.example/a?b");
    assert_string_equal(request.page_title.s, "T");
    assert_string_equal(request.identity.s, "j");

    assert_true(reads("{\"message\":\"x\",\"session_id\":null,\"context\":null,\"stream\":null}"));
    assert_null(request.session_id.s);
    assert_true(!request.stream && !request.has_stream && !request.dry_run && request.cache);
}

/* EDGE-5: the error names the field and says what would be right. */
static void test_faults(void **state)
{
    (void)state;
    assert_refused("[]", "", "the body must be a JSON object");
    assert_refused("{}", "message", "is required: a string of 1 to 16384 bytes");
    assert_refused("{\"message\":1}", "message", "must be a string of 1 to 16384 bytes");
    assert_refused("{\"message\":\"\"}", "message", "must be a string of 1 to 16384 bytes");
    assert_refused("{\"message\":\" \\n\\t\\u00a0\\u2003\\u3000\"}", "message",
                   "must hold more than white space");
    assert_refused("{\"message\":\"x\",\"mesage\":1}", "mesage", "is not a field of this request");
    assert_refused("{\"message\":\"x\",\"stream\":\"true\"}", "stream", "must be true or false");
    assert_refused("{\"message\":\"x\",\"session_id\":\"short\"}", "session_id",
                   "must be a session_id that was given out");
    assert_refused("{\"message\":\"x\",\"model_id\":\"a\\nb\"}", "model_id",
                   "must not hold control characters");
    assert_refused("{\"message\":\"x\",\"language\":\"e\"}", "language",
                   "must be a language tag such as \"en\" or \"he-IL\"");
    assert_refused("{\"message\":\"x\",\"language\":\"en_US\"}", "language",
                   "must be a language tag such as \"en\" or \"he-IL\"");
    assert_refused("{\"message\":\"x\",\"context\":[]}", "context",
                   "must be an object with page_url and title");
    assert_refused("{\"message\":\"x\",\"context\":{\"url\":\"\"}}", "context.url",
                   "is not a field of this request");
}

static void test_page_url(void **state)
{
    static const char *const bad[] = {"javascript:alert(1)", "ftp://x",  "//x",        "http://",
                                      "https:///",           "http://?", "http://a b", "x"};
    static const char *const good[] = {"http://localhost:8080/", "HTTPS://x", "https://x/\xd7\xa9"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "{\"message\":\"x\",\"context\":{\"page_url\":\"%s\"}}",
                 bad[i]);
        assert_refused(text, "context.page_url", "must be an http or https URL");
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), "{\"message\":\"x\",\"context\":{\"page_url\":\"%s\"}}",
                 good[i]);
        assert_true(reads(text));
    }
}

static void test_limits(void **state)
{
    static char text[FD_MESSAGE_MAX + 64];
    size_t len = (size_t)sprintf(text, "{\"message\":\"");

    (void)state;
    memset(text + len, 'x', FD_MESSAGE_MAX + 1);
    strcpy(text + len + FD_MESSAGE_MAX, "\"}");
    assert_true(reads(text));
    strcpy(text + len + FD_MESSAGE_MAX, "x\"}");
    assert_refused(text, "message", "must be a string of 1 to 16384 bytes");

    /* a field's name that is too long for the fault is cut between characters */
    strcpy(text, "{\"");
    for (int i = 0; i < 100; i++)
        strcat(text, "\xd7\xa9");
    strcat(text, "\":1}");
    assert_false(reads(text));
    assert_true(fd_utf8_valid(fault.field, strlen(fault.field)));
}

static void assert_written(const char *expected)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, 65536);
    buf_json(&out, &w);
    fd_chat_request_write(&w, &request);
    assert_true(buf_json_end(&out, &w));
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

/* ENG-9: the same request has the same form however it was written, without the key. */
static void test_canonical_form(void **state)
{
    const char *canonical =
        "{\"session_id\":\"" SESSION "\",\"message\":\" hi \",\"model_id\":\"openai/gpt-4.1-mini\","
        "\"client_message_id\":\"m1\",\"user_id\":\"u1\",\"language\":\"he-IL\",\"identity\":\"j\","
        "\"context\":{\"page_url\":\"https://shop.example/a?b\",\"title\":\"T\"},\"stream\":true,"
        "\"dry_run\":true,\"cache\":false}";

    (void)state;
    assert_true(reads(full));
    assert_written(canonical);
    assert_true(reads(canonical));
    assert_written(canonical);
    assert_true(reads("{\"stream\":false,\"message\":\"\\u05e9\"}"));
    assert_written("{\"message\":\"\xd7\xa9\"}");
}

static void test_session_request(void **state)
{
    struct fd_session_request start;
    struct fd_json_fault json_fault;
    const char *good = "{\"user_id\":\"u\",\"language\":\"en\",\"client_api_key\":\"k\"}";
    const char *bad = "{\"message\":\"x\"}";
    struct fd_alloc alloc = arena_allocator(&arena);
    struct fd_json_limits limits = {0};

    (void)state;
    assert_true(fd_session_request_read(
        fd_json_parse(good, strlen(good), limits, alloc, &json_fault), &start, &fault));
    assert_string_equal(start.user_id.s, "u");
    assert_string_equal(start.client_api_key.s, "k");
    assert_false(fd_session_request_read(
        fd_json_parse(bad, strlen(bad), limits, alloc, &json_fault), &start, &fault));
    assert_string_equal(fault.field, "message");
}

/* ADM-8: problem documents, whole and with only what is known. */
static void test_problem(void **state)
{
    struct fd_problem problem = {.type = FD_PROBLEM_BUSY,
                                 .detail = "d\n",
                                 .field = "f",
                                 .job_id = "0-1",
                                 .request_id = "r",
                                 .retry_after = 2};
    struct fd_json_writer w;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    buf_json(&out, &w);
    fd_problem_write(&w, &problem);
    assert_true(buf_json_end(&out, &w));
    assert_string_equal(
        out.data,
        "{\"type\":\"urn:frontdesk:problem:session-busy\",\"title\":\"The previous message of this "
        "conversation is still being answered.\",\"status\":409,\"code\":\"session-busy\","
        "\"detail\":\"d\\n\",\"field\":\"f\",\"job_id\":\"0-1\",\"request_id\":\"r\","
        "\"retry_after\":2,\"retryable\":true}");
    buf_reset(&out);
    buf_json(&out, &w);
    fd_problem_write(&w, &(struct fd_problem){.type = FD_PROBLEM_DISABLED});
    assert_true(buf_json_end(&out, &w));
    assert_string_equal(out.data,
                        "{\"type\":\"urn:frontdesk:problem:assistant-disabled\",\"title\":"
                        "\"AI assistant is disabled for this org\",\"status\":403,"
                        "\"code\":\"assistant-disabled\",\"retryable\":false}");
    buf_free(&out);
}

static void test_problem_table_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < FD_PROBLEM_TYPES; i++) {
        enum fd_problem_type type = (enum fd_problem_type)i;

        assert_in_range(fd_problem_status(type), 400, 504);
        assert_true(strlen(fd_problem_title(type)) > 10);
        assert_true(strlen(fd_problem_slug(type)) < 40);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(fd_problem_slug(type),
                                    fd_problem_slug((enum fd_problem_type)j));
    }
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
        cmocka_unit_test(test_all_fields),     cmocka_unit_test(test_faults),
        cmocka_unit_test(test_page_url),       cmocka_unit_test(test_limits),
        cmocka_unit_test(test_canonical_form), cmocka_unit_test(test_session_request),
        cmocka_unit_test(test_problem),        cmocka_unit_test(test_problem_table_is_whole),
    };

    return cmocka_run_group_tests_name("chat request", tests, NULL, teardown);
}
