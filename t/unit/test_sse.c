/* net/sse.h (WHATWG HTML, "Server-sent events") */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/sse.h"

/* Everything that was dispatched, as "<event>|<data>;" */
static bool collect(void *arg, const char *event, const char *data, size_t len)
{
    struct buf *out = arg;

    assert_int_equal(strlen(data), len);
    buf_printf(out, "%s|%s;", event, data);
    return true;
}

struct fixture {
    const char *stream;
    const char *expected;
    bool partial; /* at the end */
};

static const struct fixture fixtures[] = {
    {"data: a\n\ndata: b\n\n", "|a;|b;", false},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "|a;|b;", false},
    {"data: a\r\rdata: b\r\r", "|a;|b;", false},
    {"data: a\r\ndata: b\rdata: c\r\n\r\n", "|a\nb\nc;", false},
    {"data: a\n\r\ndata: b\r\n\ndata: c\r\n\r", "|a;|b;|c;", false},
    {"data:YHOO\ndata: +2\ndata:10\n\n", "|YHOO\n+2\n10;", false},
    {": comment\n\n: OPENROUTER PROCESSING\n\ndata: x\n\n", "|x;", false},
    {"event: delta\ndata: x\n\ndata: y\n\n", "delta|x;|y;", false},
    {"event: a\nevent: b\ndata: x\n\n", "b|x;", false},
    {"event: lost\n\ndata: x\n\n", "|x;", false},
    {"data\n\ndata\ndata\n\ndata:\n\n", "|;|\n;|;", false},
    {"data:  two spaces\n\ndata:no space\n\n", "| two spaces;|no space;", false},
    {"id: 1\nretry: x\nfoo: bar\nfoo\ndatax: no\ndat: no\ndata: x\n\n", "|x;", false},
    {"\xef\xbb\xbf"
     "data: x\n\n",
     "|x;", false},
    {"\xef\xbb"
     "data: x\n\ndata: y\n\n",
     "|y;", false},
    {"\n\n\xef\xbb\xbf"
     "data: x\n\ndata: y\n\n",
     "|y;", false},
    {"data: {\"t\":\"\xd7\xa9\xe2\x80\xa8\"}\n\n", "|{\"t\":\"\xd7\xa9\xe2\x80\xa8\"};", false},
    {"data: [DONE]\n\n", "|[DONE];", false},
    {"data: a\n\ndata: cut", "|a;", true},
    {"data: a\n\ndata: cut\n", "|a;", true},
    {"data: a\n\nevent: x\n", "|a;", true},
    {"", "", false},
};
#define FIXTURES (sizeof(fixtures) / sizeof(fixtures[0]))

static void check(const struct fixture *f, const size_t *cuts, size_t count)
{
    size_t at = 0;
    struct buf out;
    struct sse sse;

    buf_init(&out, 65536);
    buf_puts(&out, "");
    sse_init(&sse, 1024);
    for (size_t i = 0; i <= count; i++) {
        size_t until = i < count ? cuts[i] : strlen(f->stream);

        assert_true(sse_feed(&sse, f->stream + at, until - at, collect, &out));
        at = until;
    }
    assert_string_equal(out.data, f->expected);
    assert_int_equal(sse_partial(&sse), f->partial);
    sse_free(&sse);
    buf_free(&out);
}

static void test_whole_and_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURES; i++) {
        size_t len = strlen(fixtures[i].stream);

        check(&fixtures[i], NULL, 0);
        for (size_t a = 0; a <= len; a++) {
            for (size_t b = a; b <= len; b++)
                check(&fixtures[i], (size_t[]){a, b}, 2);
        }
    }
}

static void test_byte_by_byte(void **state)
{
    size_t cuts[256];

    (void)state;
    for (size_t i = 0; i < 256; i++)
        cuts[i] = i + 1;
    for (size_t i = 0; i < FIXTURES; i++) {
        size_t len = strlen(fixtures[i].stream);

        check(&fixtures[i], cuts, len > 0 ? len - 1 : 0);
    }
}

static void test_bound(void **state)
{
    char line[200];
    struct buf out;
    struct sse sse;

    (void)state;
    memset(line, 'x', sizeof(line));
    buf_init(&out, 65536);
    sse_init(&sse, 100);
    assert_false(sse_feed(&sse, line, sizeof(line), collect, &out));
    assert_true(sse_over(&sse));
    assert_false(sse_feed(&sse, "\n\n", 2, collect, &out));
    sse_free(&sse);

    /* many small data lines are one large event */
    sse_init(&sse, 100);
    for (int i = 0; i < 11; i++)
        assert_true(sse_feed(&sse, "data: 12345678\n", 15, collect, &out));
    assert_false(sse_feed(&sse, "data: 12345678\n", 15, collect, &out));
    assert_true(sse_over(&sse));
    sse_free(&sse);
    buf_free(&out);
}

static bool stop(void *arg, const char *event, const char *data, size_t len)
{
    (void)event;
    (void)data;
    (void)len;
    ++*(int *)arg;
    return false;
}

static void test_stopped_by_its_user(void **state)
{
    int events = 0;
    struct sse sse;

    (void)state;
    sse_init(&sse, 100);
    assert_false(sse_feed(&sse, "data: a\n\ndata: b\n\n", 18, stop, &events));
    assert_int_equal(events, 1);
    assert_false(sse_over(&sse));
    sse_free(&sse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_and_at_every_split),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_stopped_by_its_user),
    };

    return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
