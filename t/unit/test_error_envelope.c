/* What an error tracker is told, and where.  OPS-3 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "json_fixture.h"
#include "net/error_envelope.h"

#include <string.h>

static void a_dsn_names_endpoint_and_key(void **state)
{
    static const struct {
        const char *dsn, *endpoint;
    } cases[] = {
        {"https://abc123@o1.ingest.sentry.example/42",
         "https://o1.ingest.sentry.example/api/42/envelope/"},
        {"http://abc123@127.0.0.1:9000/1", "http://127.0.0.1:9000/api/1/envelope/"},
        {"https://abc123:old@host.example/below/7/", "https://host.example/below/api/7/envelope/"},
        {"https://abc123@host.example/7?x=1", "https://host.example/api/7/envelope/"},
    };
    struct error_dsn dsn;
    char error[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(error_dsn_parse(&dsn, cases[i].dsn, error));
        assert_string_equal(dsn.endpoint, cases[i].endpoint);
        assert_non_null(strstr(dsn.auth, "sentry_key=abc123"));
        error_dsn_free(&dsn);
    }
}

static void what_is_no_dsn_is_refused_by_the_settings_name(void **state)
{
    static const char *const cases[] = {
        "",
        "sentry",
        "https://host.example/1",
        "https://@host.example/1",
        "https://a b@host.example/1",
        "https://a%0d%0aX:1@host.example/1",
        "https://abc@host.example/",
        "https://abc@host.example",
        "ftp://abc@host.example/1",
        "https://abc@host.example/Pro..ject",
    };
    struct error_dsn dsn;
    char error[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        error[0] = '\0';
        assert_false(error_dsn_parse(&dsn, cases[i], error));
        assert_non_null(strstr(error, "FRONTDESK_ERROR_DSN"));
        error_dsn_free(&dsn);
    }
}

static void an_envelope_is_three_lines_the_last_one_the_event(void **state)
{
    struct error_event event = {.id = "0123456789abcdef0123456789abcdef",
                                .at_ms = 1700000000123,
                                .role = "worker",
                                .server = "host \"1\"",
                                .name = "job.dead",
                                .line = "{\"event\":\"job.dead\",\"org_id\":\"o\"}",
                                .unreported = 3};
    struct buf out;

    (void)state;
    buf_init(&out, 16384);
    error_envelope(&out, &event);
    assert_false(out.over);
    char *second = strchr(out.data, '\n') + 1, *third = strchr(second, '\n') + 1;
    assert_memory_equal(out.data, "{\"event_id\":\"0123456789abcdef0123456789abcdef\"}\n", 48);
    assert_memory_equal(second, "{\"type\":\"event\"}\n", 17);
    char *end = strchr(third, '\n');
    assert_non_null(end);
    assert_int_equal(end[1], '\0'); /* nothing behind it */
    *end = '\0';
    parse(third);
    assert_non_null(strstr(third, "\"timestamp\":1700000000.123"));
    assert_non_null(strstr(third, "\"fingerprint\":[\"worker\",\"job.dead\"]"));
    assert_non_null(strstr(third, "\"line\":{\"event\":\"job.dead\",\"org_id\":\"o\"}"));
    assert_non_null(strstr(third, "\"unreported\":3"));
    buf_free(&out);
}

static void what_does_not_fit_is_not_sent_in_part(void **state)
{
    struct error_event event = {.id = "0", .role = "r", .server = "s", .name = "n", .line = "{}"};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    error_envelope(&out, &event);
    assert_true(out.over);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dsn_names_endpoint_and_key),
        cmocka_unit_test(what_is_no_dsn_is_refused_by_the_settings_name),
        cmocka_unit_test(an_envelope_is_three_lines_the_last_one_the_event),
        cmocka_unit_test(what_does_not_fit_is_not_sent_in_part),
    };

    return cmocka_run_group_tests_name("OPS-3 error envelope", tests, arena_set_up,
                                       arena_tear_down);
}
