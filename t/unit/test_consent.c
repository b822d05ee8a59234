/* chat/consent.h, chat/execution.h's names, protocol/confirm_request.h, callback tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "chat/consent.h"
#include "chat/execution.h"
#include "protocol/confirm_request.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;

static const struct fd_json *json(const char *text)
{
    struct fd_json_fault fault;
    const struct fd_json *value = fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                                arena_allocator(&arena), &fault);
    assert_non_null(value);
    return value;
}

static const char *summary(const char *name, const char *description, const char *arguments)
{
    struct buf out;
    buf_init(&out, FD_TOOL_SUMMARY_MAX);
    const char *text = NULL;
    if (consent_summary(&out, name, description, json(arguments)))
        text = arena_strndup(&arena, out.data, out.len);
    buf_free(&out);
    return text;
}

/* ENG-10: the server's words and the exact arguments. */
static void what_is_asked(void **state)
{
    (void)state;
    assert_string_equal(summary("book_appointment", "Books it. Use when asked.",
                                "{\"day\":\"friday\",\"people\":4,\"window_seat\":true}"),
                        "Books it.\nday: friday\npeople: 4\nwindow seat: true");
    assert_string_equal(summary("book_appointment", "", "{}"), "book appointment");
    assert_string_equal(summary("f", NULL, "{\"to\":{\"a\":[1,2]}}"), "f\nto: {\"a\":[1,2]}");
    assert_string_equal(summary("f", "הזמנת תור", "{\"יום\":\"שישי\"}"), "הזמנת תור\nיום: שישי");
}

/* ENG-10: a value cannot pose as another line, nor turn the text around. */
static void what_misleads_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(summary("f", "F.", "{\"a\":\"1\\nb: 2\",\"c\":\"x\\u202ey\\u200b\"}"),
                        "F.\na: 1 b: 2\nc: xy");
}

/* ENG-10: what cannot be shown whole cannot be agreed to. */
static void too_long_to_agree(void **state)
{
    (void)state;
    static char arguments[FD_TOOL_SUMMARY_MAX + 64];
    int len = snprintf(arguments, sizeof(arguments), "{\"a\":\"");
    memset(arguments + len, 'x', FD_TOOL_SUMMARY_MAX);
    snprintf(arguments + len + FD_TOOL_SUMMARY_MAX, 8, "\"}");
    assert_null(summary("f", "F.", arguments));
}

static const char *name_of(int step, const char *tool, const char *arguments)
{
    char id[EXECUTION_CALL_ID_SIZE];
    struct buf canonical;
    buf_init(&canonical, 65536);
    execution_name(id, &canonical, step, tool, json(arguments));
    buf_free(&canonical);
    return arena_strdup(&arena, id);
}

/* ENG-10: the same call has the same name, in whatever order its keys stand. */
static void the_same_call(void **state)
{
    (void)state;
    const char *name = name_of(-1, "f", "{\"b\":{\"y\":1,\"x\":2},\"a\":[1,2]}");
    assert_int_equal(strlen(name), FD_CALL_ID_LEN);
    assert_string_equal(name, name_of(-1, "f", " {\"a\": [1, 2], \"b\": {\"x\": 2, \"y\": 1}}"));
    assert_string_not_equal(name, name_of(-1, "f", "{\"a\":[2,1],\"b\":{\"x\":2,\"y\":1}}"));
    assert_string_not_equal(name, name_of(-1, "g", "{\"b\":{\"y\":1,\"x\":2},\"a\":[1,2]}"));
    assert_string_not_equal(name_of(0, "f", "{}"), name_of(1, "f", "{}"));
    assert_string_equal(name_of(-1, "f", "{}"), name_of(-2, "f", "{}"));
}

static bool read_word(const char *text, struct fd_field_fault *fault)
{
    struct fd_confirm_request request;
    return fd_confirm_request_read(json(text), &request, fault);
}

static void a_visitors_word(void **state)
{
    (void)state;
    struct fd_field_fault fault;
#define ID "\"c_0123456789abcdef01234567\""
    assert_true(read_word("{\"call_id\":" ID ",\"decision\":\"accept\"}", &fault));
    assert_true(read_word("{\"decision\":\"decline\",\"call_id\":" ID "}", &fault));
    assert_false(read_word("{\"call_id\":" ID ",\"decision\":\"Accept\"}", &fault));
    assert_string_equal(fault.field, "decision");
    assert_false(read_word("{\"call_id\":" ID ",\"decision\":true}", &fault));
    assert_false(
        read_word("{\"call_id\":\"c_0123456789ABCDEF01234567\",\"decision\":\"accept\"}", &fault));
    assert_string_equal(fault.field, "call_id");
    assert_false(read_word("{\"call_id\":" ID ",\"decision\":\"accept\",\"x\":1}", &fault));
    assert_string_equal(fault.field, "x");
    assert_false(read_word("[]", &fault));
    assert_false(read_word("null", &fault));
}

/* ENG-10: a token opens one call of one organisation, and none that it was not made for. */
static void tokens(void **state)
{
    (void)state;
    static const unsigned char key[FD_SESSION_KEY_LEN] = {1}, other[FD_SESSION_KEY_LEN] = {2};
    const char *org = "5eed0000-0000-4000-8000-0000000000a1";
    const char *call = "0f0e0d0c-0b0a-8908-8706-050403020100";
    char token[FD_CALLBACK_TOKEN_SIZE], got_org[37], got_call[37];
    fd_callback_token_make(token, key, org, call);
    assert_int_equal(strlen(token), FD_CALLBACK_TOKEN_LEN);
    assert_true(fd_callback_token_valid(token, strlen(token), key, got_org, got_call));
    assert_string_equal(got_org, org);
    assert_string_equal(got_call, call);
    assert_false(fd_callback_token_valid(token, strlen(token), other, got_org, got_call));
    assert_false(fd_callback_token_valid(token, strlen(token) - 1, key, got_org, got_call));
    for (size_t i = 0; i < FD_CALLBACK_TOKEN_LEN; i++) {
        char forged[FD_CALLBACK_TOKEN_SIZE];
        memcpy(forged, token, sizeof(forged));
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        assert_false(fd_callback_token_valid(forged, strlen(forged), key, got_org, got_call));
    }
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked),     cmocka_unit_test(what_misleads_is_left_out),
        cmocka_unit_test(too_long_to_agree), cmocka_unit_test(the_same_call),
        cmocka_unit_test(a_visitors_word),   cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
