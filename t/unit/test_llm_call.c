/* ENG-1: a call of a provider from its start to its end, whatever comes or fails to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "llm_call_fixture.h"

static void data(const char *text)
{
    http.options.on_data(http.options.arg, text, strlen(text));
}

static void headers(int status)
{
    http.options.on_headers(http.options.arg, status);
}

static void finish(enum http_failure failure, int status)
{
    http.options.on_end(http.options.arg, failure, status, "");
}

static bool breaker_closed(void)
{
    return endpoint.breaker.open_until == 0;
}

static bool breaker_open(void)
{
    return endpoint.breaker.open_until > 2;
}

static bool breaker_half_open(void)
{
    return endpoint.breaker.open_until == 1 && !endpoint.breaker.probing;
}

static void eng_1_an_answer(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    assert_string_equal(http.url, "http://x/v1/chat/completions");
    assert_string_equal(http.options.method, "POST");
    assert_int_equal(http.options.first_ms, 1000);
    assert_int_equal(http.options.idle_ms, 500);
    assert_non_null(strstr(http.body, "\"Hello\""));
    headers(200);
    data(CHUNK("Hel") CHUNK("lo"));
    data(STOP USAGE DONE);
    finish(HTTP_OK, 200);
    assert_int_equal(seen.ends, 0); /* reported from the loop */
    turn(&seen);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.error.class, LLM_ERROR_NONE);
    assert_int_equal(seen.finish, LLM_FINISH_STOP);
    assert_int_equal(seen.usage.input, 5);
    assert_int_equal(seen.usage.output, 2);
    assert_string_equal(seen.text.data, "Hello");
    assert_true(breaker_closed());
    assert_false(http.cancelled);
    end(&seen);
}

/* Comments hold off the idle time-out, but only a token ends the wait for the first. */
static void eng_1_what_counts_as_alive(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    headers(200);
    data(": PROCESSING\n\n: PROCESSING\n\n");
    data("data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n");
    assert_int_equal(seen.events, 3);
    assert_int_equal(http.alive, 0);
    data(CHUNK("x"));
    assert_int_equal(http.alive, 1);
    data(": PROCESSING\n\n");
    assert_int_equal(http.alive, 2);
    data("data: "); /* bytes alone are no life */
    assert_int_equal(http.alive, 2);
    finish(HTTP_IDLE_TIMEOUT, 200);
    turn(&seen);
    assert_int_equal(seen.error.class, LLM_ERROR_TIMEOUT);
    assert_int_equal(seen.finish, LLM_FINISH_NONE);
    assert_true(breaker_open());
    end(&seen);
}

static void eng_1_failures(void **state)
{
    static const struct {
        enum http_failure failure;
        int status;
        enum llm_error_class class;
        bool blamed;
    } cases[] = {
        {HTTP_BAD_URL, 0, LLM_ERROR_REQUEST, false},
        {HTTP_RESOLVE, 0, LLM_ERROR_CONNECT, true},
        {HTTP_CONNECT, 0, LLM_ERROR_CONNECT, true},
        {HTTP_TLS, 0, LLM_ERROR_CONNECT, true},
        {HTTP_CONNECT_TIMEOUT, 0, LLM_ERROR_TIMEOUT, true},
        {HTTP_FIRST_BYTE_TIMEOUT, 0, LLM_ERROR_TIMEOUT, true},
        {HTTP_FIRST_BYTE_TIMEOUT, 200, LLM_ERROR_TIMEOUT, true},
        {HTTP_TOTAL_TIMEOUT, 200, LLM_ERROR_TIMEOUT, true},
        {HTTP_CUT, 0, LLM_ERROR_CUT, true},
        {HTTP_CUT, 200, LLM_ERROR_CUT, true},
        {HTTP_OK, 200, LLM_ERROR_CUT, true},
        {HTTP_OK, 500, LLM_ERROR_OVERLOADED, true},
        {HTTP_CUT, 401, LLM_ERROR_AUTH, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen;
        begin(&seen, &llm_openai);
        if (cases[i].status != 0) {
            headers(cases[i].status);
        }
        finish(cases[i].failure, cases[i].status);
        turn(&seen);
        assert_int_equal(seen.ends, 1);
        assert_int_equal(seen.error.class, cases[i].class);
        assert_true(seen.error.message[0] != '\0');
        assert_true(cases[i].blamed ? breaker_open() : breaker_closed());
        end(&seen);
    }
}

static void eng_1_a_refusal(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_anthropic);
    http.retry_after = "7";
    headers(429);
    data("{\"type\":\"error\",\"error\":{\"type\":\"rate_li");
    data("mit_error\",\"message\":\"slow down\"}}");
    finish(HTTP_OK, 429);
    turn(&seen);
    assert_int_equal(seen.error.class, LLM_ERROR_RATE);
    assert_int_equal(seen.error.status, 429);
    assert_int_equal(seen.error.retry_after_ms, 7000);
    assert_string_equal(seen.error.message, "slow down");
    assert_int_equal(seen.events, 0);
    assert_true(breaker_half_open());
    end(&seen);
}

static void eng_1_garbage_closes_the_connection(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    headers(200);
    data(CHUNK("x") "data: nonsense\n\n" CHUNK("y"));
    data(CHUNK("z")); /* was on its way */
    turn(&seen);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.error.class, LLM_ERROR_PROTOCOL);
    assert_string_equal(seen.text.data, "x");
    assert_true(http.cancelled);
    end(&seen);
}

/* Garbage and the end of the response in one turn: reported once. */
static void eng_1_two_ends_are_one(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    headers(200);
    data("data: nonsense\n\n");
    finish(HTTP_CUT, 200);
    turn(&seen);
    turn(&seen);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.error.class, LLM_ERROR_PROTOCOL);
    assert_false(http.cancelled);
    end(&seen);
}

static void eng_1_cancel(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    headers(200);
    data(CHUNK("x"));
    llm_call_cancel(seen.call);
    assert_true(http.cancelled); /* at once, so that the provider stops */
    turn(&seen);
    assert_int_equal(seen.ends, 0);
    assert_true(breaker_half_open());
    end(&seen);
}

static void eng_1_cancel_inside_an_event(void **state)
{
    (void)state;
    for (int at = 1; at <= 4; at++) {
        struct seen seen;
        begin(&seen, &llm_openai);
        seen.cancel_at = at;
        headers(200);
        data(CHUNK("a") CHUNK("b") CHUNK("c") CHUNK("d"));
        assert_int_equal(seen.events, at);
        data(CHUNK("e"));
        turn(&seen);
        assert_int_equal(seen.events, at);
        assert_int_equal(seen.ends, 0);
        assert_true(http.cancelled);
        end(&seen);
    }
}

/* The last event comes out of the end of the response. */
static void eng_1_cancel_inside_the_last_event(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    seen.cancel_at = 2; /* after MODEL */
    headers(200);
    data("data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
    finish(HTTP_OK, 200);
    turn(&seen);
    assert_int_equal(seen.ends, 0);
    assert_int_equal(seen.events, 2);
    assert_false(http.cancelled);
    end(&seen);
}

/* A provider that keeps the connection after its terminal event delays nobody. */
static void eng_1_a_lingering_response(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    headers(200);
    data(CHUNK("x") STOP DONE);
    turn(&seen);
    assert_int_equal(seen.ends, 0);
    loop_run(seen.loop); /* until on_end */
    assert_int_equal(seen.error.class, LLM_ERROR_NONE);
    assert_int_equal(seen.finish, LLM_FINISH_STOP);
    assert_true(http.cancelled);
    end(&seen);
}

static void eng_1_a_failure_after_the_end_is_none(void **state)
{
    struct seen seen;
    (void)state;
    begin(&seen, &llm_openai);
    headers(200);
    data(CHUNK("x") STOP DONE);
    finish(HTTP_CUT, 200);
    turn(&seen);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.error.class, LLM_ERROR_NONE);
    assert_true(breaker_closed());
    end(&seen);
}

/* The probe that is out is another's, and so is what becomes of it. */
static void eng_1_a_call_aside_tells_the_breaker_nothing(void **state)
{
    static const int statuses[] = {200, 401, 503, 0};
    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        struct seen seen;
        begin_call(&seen, &llm_openai, true);
        if (statuses[i] == 0) {
            llm_call_cancel(seen.call);
        } else {
            headers(statuses[i]);
            data(statuses[i] == 200 ? CHUNK("x") STOP DONE : "{}");
            finish(HTTP_OK, statuses[i]);
        }
        turn(&seen);
        assert_int_equal(seen.ends, statuses[i] != 0);
        assert_int_equal(endpoint.breaker.open_until, 1);
        assert_int_equal(endpoint.breaker.failures, 5);
        assert_true(endpoint.breaker.probing);
        end(&seen);
    }
}

static void eng_1_what_cannot_be_started(void **state)
{
    struct llm_call_options options = {.endpoint = &endpoint, .request = &request};
    struct loop *loop = loop_new();
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct llm_error error;
        endpoint = (struct llm_endpoint){.name = "test",
                                         .protocol = &llm_anthropic,
                                         .base_url = i == 0 ? "gopher://x" : "http://x",
                                         .api_key = i == 0 ? "k" : "k\r\nX: y",
                                         .breaker = {.open_until = 1, .probing = true}};
        assert_null(llm_call_start(loop, NULL, &options, &error));
        assert_int_equal(error.class, LLM_ERROR_REQUEST);
        assert_true(breaker_half_open());
        options.aside = true;
        endpoint.breaker.probing = true;
        assert_null(llm_call_start(loop, NULL, &options, &error));
        assert_true(endpoint.breaker.probing);
        options.aside = false;
    }
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_an_answer),
        cmocka_unit_test(eng_1_what_counts_as_alive),
        cmocka_unit_test(eng_1_failures),
        cmocka_unit_test(eng_1_a_refusal),
        cmocka_unit_test(eng_1_garbage_closes_the_connection),
        cmocka_unit_test(eng_1_two_ends_are_one),
        cmocka_unit_test(eng_1_cancel),
        cmocka_unit_test(eng_1_cancel_inside_an_event),
        cmocka_unit_test(eng_1_cancel_inside_the_last_event),
        cmocka_unit_test(eng_1_a_lingering_response),
        cmocka_unit_test(eng_1_a_failure_after_the_end_is_none),
        cmocka_unit_test(eng_1_a_call_aside_tells_the_breaker_nothing),
        cmocka_unit_test(eng_1_what_cannot_be_started),
    };
    return cmocka_run_group_tests_name("llm call", tests, NULL, NULL);
}
