/* ENG-1: the calls that do not go to the platform's provider: to a URL that a tenant gave, behind
 * the guard, and to the built-in, which asks nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "llm_call_fixture.h"

static void begin_guarded(struct seen *seen)
{
    static char outbound; /* only its address */
    struct llm_error error;
    *seen = (struct seen){.loop = loop_new()};
    buf_init(&seen->text, 65536);
    http = (struct http_request){0};
    guarded = (struct outbound_request){0};
    endpoint = (struct llm_endpoint){.name = "openai",
                                     .protocol = &llm_openai,
                                     .base_url = "https://tenant.example/v1",
                                     .api_key = "k",
                                     .of_tenant = true,
                                     .guarded = true};
    const struct llm_call_options options = {.endpoint = &endpoint,
                                             .outbound = (struct outbound *)(void *)&outbound,
                                             .request = &request,
                                             .first_ms = 1000,
                                             .on_event = on_event,
                                             .on_end = on_end,
                                             .arg = seen};
    seen->call = llm_call_start(seen->loop, NULL, &options, &error);
    assert_non_null(seen->call);
    assert_false(http.used); /* nothing that has no guard is asked */
    assert_string_equal(guarded.url, "https://tenant.example/v1/chat/completions");
}

static void end_guarded(enum outbound_failure failure, int status)
{
    const struct outbound_response response = {
        .failure = failure, .status = status, .retry_after_s = -1, .body = "", .error = "why"};
    guarded.on_end(guarded.arg, &response);
}

static void eng_1_a_tenants_url_is_guarded(void **state)
{
    static const char text[] = CHUNK("Hel") CHUNK("lo") STOP DONE;
    struct seen seen;
    (void)state;
    begin_guarded(&seen);
    guarded.options.on_headers(guarded.arg, 200);
    guarded.options.on_data(guarded.arg, text, strlen(text));
    assert_true(guarded.alive > 0);
    end_guarded(OUTBOUND_OK, 200);
    turn(&seen);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.error.class, LLM_ERROR_NONE);
    assert_string_equal(seen.text.data, "Hello");
    end(&seen);
}

static void eng_1_what_the_guard_refuses_is_an_error(void **state)
{
    static const struct {
        enum outbound_failure failure;
        int status;
        enum llm_error_class class;
    } cases[] = {
        {OUTBOUND_BLOCKED, 0, LLM_ERROR_REQUEST}, {OUTBOUND_REDIRECT, 302, LLM_ERROR_REQUEST},
        {OUTBOUND_RESOLVE, 0, LLM_ERROR_CONNECT}, {OUTBOUND_CONNECT, 0, LLM_ERROR_CONNECT},
        {OUTBOUND_TIMEOUT, 0, LLM_ERROR_TIMEOUT}, {OUTBOUND_CUT, 0, LLM_ERROR_CUT},
        {OUTBOUND_OK, 401, LLM_ERROR_AUTH},       {OUTBOUND_OK, 429, LLM_ERROR_RATE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen;
        begin_guarded(&seen);
        if (cases[i].failure == OUTBOUND_OK) {
            guarded.options.on_headers(guarded.arg, cases[i].status);
        }
        end_guarded(cases[i].failure, cases[i].status);
        turn(&seen);
        assert_int_equal(seen.ends, 1);
        assert_int_equal(seen.error.class, cases[i].class);
        end(&seen);
    }
}

static void eng_1_a_guarded_call_is_cancelled(void **state)
{
    struct seen seen;
    (void)state;
    begin_guarded(&seen);
    llm_call_cancel(seen.call);
    turn(&seen);
    assert_true(guarded.cancelled);
    assert_int_equal(seen.ends, 0);
    end(&seen);
}

static void eng_1_the_built_in_streams(void **state)
{
    struct seen seen;
    struct buf whole;
    (void)state;
    begin(&seen, NULL);
    assert_false(http.used);
    loop_run(seen.loop); /* until on_end */
    buf_init(&whole, 65536);
    llm_builtin_answer(&request, &whole);
    assert_int_equal(seen.error.class, LLM_ERROR_NONE);
    assert_int_equal(seen.finish, LLM_FINISH_STOP);
    assert_string_equal(seen.text.data, whole.data);
    assert_true(seen.texts > 5);
    assert_int_equal(seen.events, seen.texts + 1); /* MODEL first */
    assert_true(seen.usage.input > 0 && seen.usage.output > 0);
    assert_int_equal(seen.usage.cost_micro, 0);
    buf_free(&whole);
    end(&seen);
}

static void eng_1_the_built_in_is_cancelled(void **state)
{
    (void)state;
    for (int at = 1; at <= 3; at++) {
        struct seen seen;
        begin(&seen, NULL);
        seen.cancel_at = at;
        loop_run(seen.loop); /* until nothing is left to wait for */
        assert_int_equal(seen.events, at);
        assert_int_equal(seen.ends, 0);
        end(&seen);
    }
    struct seen seen;
    begin(&seen, NULL);
    llm_call_cancel(seen.call); /* before anything */
    turn(&seen);
    assert_int_equal(seen.events + seen.ends, 0);
    end(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_a_tenants_url_is_guarded),
        cmocka_unit_test(eng_1_what_the_guard_refuses_is_an_error),
        cmocka_unit_test(eng_1_a_guarded_call_is_cancelled),
        cmocka_unit_test(eng_1_the_built_in_streams),
        cmocka_unit_test(eng_1_the_built_in_is_cancelled),
    };
    return cmocka_run_group_tests_name("llm call ways", tests, NULL, NULL);
}
