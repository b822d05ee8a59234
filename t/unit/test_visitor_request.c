/* protocol/visitor_request.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "json_fixture.h"
#include "protocol/visitor_request.h"

static struct fd_field_fault fault;

#define REFUSED(read, request, text, name)                                                         \
    do {                                                                                           \
        assert_false(read(parse(text), &(request), &fault));                                       \
        assert_string_equal(fault.field, name);                                                    \
        assert_true(fault.detail[0] != '\0');                                                      \
    } while (0)

static void test_feedback(void **state)
{
    struct fd_feedback_request r;

    (void)state;
    assert_true(fd_feedback_request_read(parse("{\"rating\":\"up\"}"), &r, &fault));
    assert_string_equal(r.rating, FD_FEEDBACK_UP);
    assert_null(r.comment.s);
    assert_true(
        fd_feedback_request_read(parse("{\"rating\":\"down\",\"comment\":\"a\\nb\"}"), &r, &fault));
    assert_string_equal(r.comment.s, "a\nb");
    assert_true(fd_feedback_request_read(parse("{\"rating\":null,\"comment\":null}"), &r, &fault));
    assert_null(r.rating);
    REFUSED(fd_feedback_request_read, r, "{}", "rating");
    REFUSED(fd_feedback_request_read, r, "{\"rating\":true}", "rating");
    REFUSED(fd_feedback_request_read, r, "{\"rating\":\"UP\"}", "rating");
    REFUSED(fd_feedback_request_read, r, "{\"rating\":\"up\",\"comment\":\"\"}", "comment");
    REFUSED(fd_feedback_request_read, r, "{\"rating\":\"up\",\"comment\":\"\\u0007\"}", "comment");
    REFUSED(fd_feedback_request_read, r, "{\"rating\":\"up\",\"x\":1}", "x");
    REFUSED(fd_feedback_request_read, r, "\"up\"", "");
}

static void test_rating(void **state)
{
    static const char *const bad[] = {"{}",
                                      "{\"score\":0}",
                                      "{\"score\":6}",
                                      "{\"score\":-1}",
                                      "{\"score\":1.5}",
                                      "{\"score\":\"5\"}",
                                      "{\"score\":null}",
                                      "{\"score\":99999999999}"};
    struct fd_rating_request r;

    (void)state;
    for (int score = 1; score <= 5; score++) {
        char text[32];
        snprintf(text, sizeof(text), "{\"score\":%d}", score);
        assert_true(fd_rating_request_read(parse(text), &r, &fault));
        assert_int_equal(r.score, score);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        REFUSED(fd_rating_request_read, r, bad[i], "score");
}

static void test_handoff(void **state)
{
    struct fd_handoff_request r;

    (void)state;
    assert_true(fd_handoff_request_read(parse("{}"), &r, &fault));
    assert_null(r.reason.s);
    assert_true(fd_handoff_request_read(parse("{\"reason\":\"a\",\"name\":\"b\",\"email\":"
                                              "\"a@b.co\",\"phone\":\"+972-3-1234567\"}"),
                                        &r, &fault));
    assert_string_equal(r.contact.email.s, "a@b.co");
    REFUSED(fd_handoff_request_read, r, "{\"phone\":\"12\"}", "phone");
    REFUSED(fd_handoff_request_read, r, "{\"phone\":\"<script>123\"}", "phone");
    REFUSED(fd_handoff_request_read, r, "{\"name\":\"a\\r\\nb\"}", "name");
    REFUSED(fd_handoff_request_read, r, "{\"reason\":[]}", "reason");
    REFUSED(fd_handoff_request_read, r, "{\"profile\":{}}", "profile");
    REFUSED(fd_handoff_request_read, r, "[]", "");
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void test_identify(void **state)
{
    struct fd_identify_request r;

    (void)state;
    assert_true(fd_identify_request_read(parse("{\"token\":\"a.b.c\"}"), &r, &fault));
    assert_true(fd_identify_request_read(
        parse("{\"user_id\":\"u\",\"user_hash\":\"" HASH "\",\"email\":\"a@b.co\"}"), &r, &fault));
    assert_string_equal(r.contact.email.s, "a@b.co");
    assert_true(fd_identify_request_read(parse("{\"profile\":{}}"), &r, &fault));
    assert_true(r.has_profile);
    assert_true(
        fd_identify_request_read(parse("{\"profile\":{\"phone\":\"0501234567\"}}"), &r, &fault));
    REFUSED(fd_identify_request_read, r, "{}", "");
    REFUSED(fd_identify_request_read, r, "{\"token\":\"a\",\"profile\":{}}", "");
    REFUSED(fd_identify_request_read, r, "{\"user_id\":\"u\"}", "user_hash");
    REFUSED(fd_identify_request_read, r, "{\"user_id\":\"u\",\"user_hash\":\"00\"}", "user_hash");
    REFUSED(fd_identify_request_read, r, "{\"token\":\"a\",\"user_hash\":\"" HASH "\"}",
            "user_hash");
    REFUSED(fd_identify_request_read, r, "{\"token\":\"a\",\"email\":\"a@b.co\"}", "email");
    REFUSED(fd_identify_request_read, r, "{\"profile\":{\"name\":\"x\"},\"name\":\"y\"}", "name");
    REFUSED(fd_identify_request_read, r, "{\"profile\":{\"token\":\"x\"}}", "profile.token");
    REFUSED(fd_identify_request_read, r, "{\"profile\":7}", "profile");
}

static bool email(const char *s)
{
    return fd_email_shaped(s, strlen(s));
}

static void test_email(void **state)
{
    static const char *const bad[] = {
        "",        "a",       "@b.co",    "a@",       "a@b",          "a@.co",     "a@b.",
        "a b@c.d", "a@b@c.d", "a@b.co\n", "<a@b.co>", "a@b.co,x@y.z", "\"a\"@b.c", "a@b.co-"};

    (void)state;
    assert_true(email("a@b.co"));
    assert_true(email("first.last+tag@mail.example.co.il"));
    assert_true(email("\xd7\x90@\xd7\x91.co"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(email(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feedback), cmocka_unit_test(test_rating),
        cmocka_unit_test(test_handoff),  cmocka_unit_test(test_identify),
        cmocka_unit_test(test_email),
    };
    return cmocka_run_group_tests_name("EDGE-7, WID-5: what a visitor says beside the chat", tests,
                                       arena_set_up, arena_tear_down);
}
