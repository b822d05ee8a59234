/* A call of a model over HTTP clients that the test plays: what call.c uses of net/http.h and
 * net/outbound.h is defined here, so the real ones are not linked. For after cmocka.h. */
#ifndef T_UNIT_LLM_CALL_FIXTURE_H
#define T_UNIT_LLM_CALL_FIXTURE_H

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

static inline void on_event(void *arg, const struct llm_event *event)
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

static inline void on_end(void *arg, const struct llm_error *error, enum llm_finish finish,
                          const struct llm_usage *usage)
{
    struct seen *seen = arg;
    seen->ends++;
    seen->error = *error;
    seen->finish = finish;
    seen->usage = *usage;
    loop_stop(seen->loop);
}

static inline void stop(void *arg)
{
    loop_stop(arg);
}

/* Everything deferred so far runs. */
static inline void turn(struct seen *seen)
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

static inline void begin_call(struct seen *seen, const struct llm_protocol *protocol, bool aside)
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
                                       .aside = aside,
                                       .on_event = on_event,
                                       .on_end = on_end,
                                       .arg = seen};
    seen->call = llm_call_start(seen->loop, NULL, &options, &error);
    assert_non_null(seen->call);
    assert_int_equal(seen->events, 0); /* never from inside */
}

static inline void begin(struct seen *seen, const struct llm_protocol *protocol)
{
    begin_call(seen, protocol, false);
}

static inline void end(struct seen *seen)
{
    turn(seen);
    buf_free(&seen->text);
    loop_free(seen->loop);
}

/* What OpenAI's protocol streams. */
#define CHUNK(text)                                                                                \
    "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP  "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
#define DONE  "data: [DONE]\n\n"

#endif
