/*
 * ENG-1: a call from its start to its end, over an HTTP client that the test plays:
 * it defines what call.c uses of net/http.h and net/outbound.h, so the real ones are not
 * linked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/loop.h"
#include "llm/call.h"
#include "net/http.h"
#include "net/outbound.h"

struct http_request {
    bool used;
    bool cancelled;
    int alive;
    struct http_options options;
    char url[128];
    char body[1024];
    const char *retry_after;
};

static struct http_request http;

struct http_request *http_start(struct http_client *client, const struct http_options *options)
{
    (void)client;
    if (strncmp(options->url, "http", 4) != 0) {
        return NULL;
    }
    http = (struct http_request){.used = true, .options = *options};
    (void)snprintf(http.url, sizeof(http.url), "%s", options->url);
    (void)snprintf(http.body, sizeof(http.body), "%.*s", (int)options->body_len, options->body);
    return &http;
}

void http_alive(struct http_request *request)
{
    assert_ptr_equal(request, &http);
    request->alive++;
}

const char *http_header(const struct http_request *request, const char *name)
{
    return strcmp(name, "retry-after") == 0 ? request->retry_after : NULL;
}

void http_cancel(struct http_request *request)
{
    assert_ptr_equal(request, &http);
    assert_false(request->cancelled);
    request->cancelled = true;
}

const char *http_failure_text(enum http_failure failure)
{
    return failure == HTTP_OK ? "ok" : "it failed";
}

struct outbound_request {
    bool used;
    bool cancelled;
    int alive;
    struct outbound_options options;
    outbound_end_fn *on_end;
    void *arg;
    char url[128];
};

static struct outbound_request guarded;

struct outbound_request *outbound_start(struct outbound *outbound,
                                        const struct outbound_options *options,
                                        outbound_end_fn *end, void *arg)
{
    assert_non_null(outbound);
    guarded =
        (struct outbound_request){.used = true, .options = *options, .on_end = end, .arg = arg};
    (void)snprintf(guarded.url, sizeof(guarded.url), "%s", options->url);
    return &guarded;
}

void outbound_alive(struct outbound_request *request)
{
    assert_ptr_equal(request, &guarded);
    request->alive++;
}

const char *outbound_header(const struct outbound_request *request, const char *name)
{
    assert_ptr_equal(request, &guarded);
    return strcmp(name, "retry-after") == 0 ? "7" : NULL;
}

void outbound_cancel(struct outbound_request *request)
{
    assert_ptr_equal(request, &guarded);
    assert_false(request->cancelled);
    request->cancelled = true;
}

struct seen {
    struct loop *loop;
    struct llm_call *call;
    struct buf text;
    int events;
    int texts;
    int ends;
    int cancel_at; /* the event in which the owner cancels; 0 = never */
    struct llm_error error;
    enum llm_finish finish;
    struct llm_usage usage;
};

static void on_event(void *arg, const struct llm_event *event)
{
    struct seen *seen = arg;
    assert_int_equal(seen->ends, 0);
    seen->events++;
    if (event->type == LLM_EVENT_TEXT) {
        seen->texts++;
        buf_append(&seen->text, event->text, event->text_len);
    }
    if (seen->events == seen->cancel_at) {
        llm_call_cancel(seen->call);
    }
}

static void on_end(void *arg, const struct llm_error *error, enum llm_finish finish,
                   const struct llm_usage *usage)
{
    struct seen *seen = arg;
    seen->ends++;
    seen->error = *error;
    seen->finish = finish;
    seen->usage = *usage;
    loop_stop(seen->loop);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* Everything deferred so far runs. */
static void turn(struct seen *seen)
{
    loop_defer(seen->loop, stop, seen->loop);
    loop_run(seen->loop);
}

static const struct llm_message hello = {.role = LLM_USER, .text = "Hello"};
static const struct llm_request request = {.model = "m",
                                           .messages = &hello,
                                           .message_count = 1,
                                           .question = "When do you open?",
                                           .context = "[article:hours] Hours\nWe open at 9."};
static struct llm_endpoint endpoint;

static void begin(struct seen *seen, const struct llm_protocol *protocol)
{
    struct llm_error error;
    *seen = (struct seen){.loop = loop_new()};
    buf_init(&seen->text, 65536);
    http = (struct http_request){0};
    endpoint = (struct llm_endpoint){
        .name = "test", .protocol = protocol, .base_url = "http://x/v1", .fast_model = "fast"};
    /* half open: this call is the probe, whatever becomes of it must be told */
    endpoint.breaker = (struct breaker){.failures = 5, .open_until = 1, .open_ms = 1};
    assert_true(breaker_allows(&endpoint.breaker, 2));
    struct llm_call_options options = {.endpoint = &endpoint,
                                       .request = &request,
                                       .first_ms = 1000,
                                       .idle_ms = 500,
                                       .on_event = on_event,
                                       .on_end = on_end,
                                       .arg = seen};
    seen->call = llm_call_start(seen->loop, NULL, &options, &error);
    assert_non_null(seen->call);
    assert_int_equal(seen->events, 0); /* never from inside */
}

static void end(struct seen *seen)
{
    turn(seen);
    buf_free(&seen->text);
    loop_free(seen->loop);
}

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

#define CHUNK(text)                                                                                \
    "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP  "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
#define DONE  "data: [DONE]\n\n"

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
    }
    loop_free(loop);
}

/* -- to a URL that a tenant gave ------------------------------------------------------------- */

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
        cmocka_unit_test(eng_1_what_cannot_be_started),
        cmocka_unit_test(eng_1_a_tenants_url_is_guarded),
        cmocka_unit_test(eng_1_what_the_guard_refuses_is_an_error),
        cmocka_unit_test(eng_1_a_guarded_call_is_cancelled),
        cmocka_unit_test(eng_1_the_built_in_streams),
        cmocka_unit_test(eng_1_the_built_in_is_cancelled),
    };
    return cmocka_run_group_tests_name("llm call", tests, NULL, NULL);
}
