#include "llm/call.h"

#include "core/clock.h"
#include "core/loop.h"
#include "core/utf8.h"
#include "llm/error.h"
#include "llm/stream.h"
#include "llm/tokens.h"
#include "net/http.h"
#include "net/outbound.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_BODY_MAX  (16u << 20)
#define STREAM_BODY_MAX   (64u << 20)
#define ERROR_BODY_MAX    65536
#define LINGER_MS         250 /* for the end of the response after the stream's own end */
#define BUILTIN_TEXT_MAX  65536
#define BUILTIN_WORDS     3 /* of one piece */
#define BUILTIN_PIECE_MAX 192
#define BUILTIN_PACE_MS   6

struct llm_call {
    struct loop *loop;
    struct llm_call_options options;  /* but for request, which is not kept */
    struct http_request *http;        /* NULL before the start and once it is over */
    struct outbound_request *guarded; /* the same, in its place */
    struct llm_decoder decoder;
    struct buf text;     /* the built-in's answer, or the body of an error */
    size_t told;         /* of the built-in's answer */
    struct timer *timer; /* the built-in's pace, or the linger */
    int status;
    bool token_seen;
    bool in_decoder; /* on_event may run: nothing of the call may go away */
    bool cancelled;
    bool closing; /* the reaper is due: the only one that reports and frees */
};

static void call_free(struct llm_call *call)
{
    const struct llm_protocol *protocol = call->options.endpoint->protocol;
    if (protocol != NULL && call->decoder.state != NULL) {
        protocol->decoder_free(&call->decoder);
    }
    timer_free(call->timer);
    buf_free(&call->text);
    free(call);
}

static void abandon(const struct llm_call_options *options)
{
    if (!options->aside) {
        breaker_abandon(&options->endpoint->breaker);
    }
}

/* What the provider is to blame for; a refused request proves that it is there. */
static void tell_breaker(const struct llm_call *call)
{
    struct breaker *breaker = &call->options.endpoint->breaker;
    if (call->options.aside) {
        return;
    }
    if (call->cancelled) {
        breaker_abandon(breaker);
        return;
    }
    switch (call->decoder.error.class) {
    case LLM_ERROR_NONE:
    case LLM_ERROR_REQUEST:
    case LLM_ERROR_CONTEXT:
    case LLM_ERROR_FILTER: breaker_success(breaker); break;
    case LLM_ERROR_RATE:
    case LLM_ERROR_PROTOCOL: breaker_abandon(breaker); break;
    case LLM_ERROR_CONNECT:
    case LLM_ERROR_TIMEOUT:
    case LLM_ERROR_CUT:
    case LLM_ERROR_QUOTA:
    case LLM_ERROR_OVERLOADED:
    case LLM_ERROR_AUTH: breaker_failure(breaker, clock_mono_ms()); break;
    }
}

static void hang_up(struct llm_call *call)
{
    if (call->http != NULL) {
        http_cancel(call->http);
        call->http = NULL;
    }
    if (call->guarded != NULL) {
        outbound_cancel(call->guarded);
        call->guarded = NULL;
    }
}

static void reap(void *arg)
{
    struct llm_call *call = arg;
    hang_up(call);
    tell_breaker(call);
    if (!call->cancelled) {
        const struct llm_decoder *d = &call->decoder;
        call->options.on_end(call->options.arg, &d->error,
                             d->error.class == LLM_ERROR_NONE ? d->finish : LLM_FINISH_NONE,
                             &d->usage);
    }
    call_free(call);
}

static void close_soon(struct llm_call *call)
{
    if (!call->closing) {
        call->closing = true;
        timer_stop(call->timer);
        loop_defer(call->loop, reap, call);
    }
}

void llm_call_cancel(struct llm_call *call)
{
    call->cancelled = true;
    if (!call->in_decoder) {
        hang_up(call);
    }
    close_soon(call);
}

/* Keep-alives prove that the provider lives, not that it answers: they hold off the
 * idle time-out, but only a token ends the wait for the first one. */
static bool on_event(void *arg, const struct llm_event *event)
{
    struct llm_call *call = arg;
    bool is_token = event->type != LLM_EVENT_KEEPALIVE && event->type != LLM_EVENT_MODEL;
    call->token_seen = call->token_seen || is_token;
    if (call->token_seen && call->http != NULL) {
        http_alive(call->http);
    }
    if (call->token_seen && call->guarded != NULL) {
        outbound_alive(call->guarded);
    }
    call->options.on_event(call->options.arg, event);
    return !call->cancelled;
}

static void on_http_headers(void *arg, int status)
{
    struct llm_call *call = arg;
    call->status = status;
}

static void on_http_data(void *arg, const char *data, size_t len)
{
    struct llm_call *call = arg;
    if (call->closing) {
        return;
    }
    if (call->options.on_raw != NULL) {
        call->options.on_raw(call->options.arg, data, len);
    }
    if (call->status != 200) {
        (void)buf_append(&call->text, data, len); /* what is beyond the bound is not needed */
        return;
    }
    call->in_decoder = true;
    bool more = call->options.endpoint->protocol->decode(&call->decoder, data, len, on_event, call);
    call->in_decoder = false;
    if (!more) {
        close_soon(call);
    } else if (call->decoder.ended && !timer_armed(call->timer)) {
        timer_set(call->timer, LINGER_MS);
    }
}

static enum llm_error_class class_of(enum http_failure failure)
{
    switch (failure) {
    case HTTP_BAD_URL: return LLM_ERROR_REQUEST;
    case HTTP_RESOLVE:
    case HTTP_CONNECT:
    case HTTP_TLS: return LLM_ERROR_CONNECT;
    case HTTP_CONNECT_TIMEOUT:
    case HTTP_FIRST_BYTE_TIMEOUT:
    case HTTP_IDLE_TIMEOUT:
    case HTTP_TOTAL_TIMEOUT: return LLM_ERROR_TIMEOUT;
    case HTTP_TOO_LARGE: return LLM_ERROR_PROTOCOL;
    case HTTP_OK:
    case HTTP_CUT: break;
    }
    return LLM_ERROR_CUT;
}

/* A response as both ways of asking bring it. */
struct outcome {
    enum http_failure failure;
    int status;
    const char *error;
    const char *retry_after, *retry_after_ms, *should_retry;
};

static void read_refusal(struct llm_call *call, const struct outcome *outcome)
{
    struct llm_error *error = &call->decoder.error;
    const char *body = call->text.data != NULL ? call->text.data : "";
    call->options.endpoint->protocol->decode_error(outcome->status, body, call->text.len, error);
    llm_error_headers(error, outcome->retry_after, outcome->retry_after_ms, outcome->should_retry,
                      clock_wall_ms());
}

static void end_stream(struct llm_call *call, enum http_failure failure)
{
    struct llm_decoder *d = &call->decoder;
    if (failure == HTTP_OK || failure == HTTP_CUT) {
        call->in_decoder = true;
        call->options.endpoint->protocol->decode_end(d, on_event, call);
        call->in_decoder = false;
    }
    if (!d->ended && d->error.class == LLM_ERROR_NONE) {
        llm_error_set(&d->error, class_of(failure), "%s", http_failure_text(failure));
    }
}

static void ended(struct llm_call *call, const struct outcome *outcome)
{
    const char *error = outcome->error != NULL ? outcome->error : "";
    if (call->closing) {
        return;
    }
    if (outcome->status == 200) {
        end_stream(call, outcome->failure);
    } else if (outcome->status != 0) {
        read_refusal(call, outcome);
    } else {
        llm_error_set(&call->decoder.error, class_of(outcome->failure), "%s%s%s",
                      http_failure_text(outcome->failure), *error != '\0' ? ": " : "", error);
    }
    close_soon(call);
}

static void on_http_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct llm_call *call = arg;
    const struct http_request *http = call->http;
    const struct outcome outcome = {.failure = failure,
                                    .status = status,
                                    .error = error,
                                    .retry_after = http_header(http, "retry-after"),
                                    .retry_after_ms = http_header(http, "retry-after-ms"),
                                    .should_retry = http_header(http, "x-should-retry")};
    call->http = NULL; /* what decode_end() tells of must not touch it any more */
    ended(call, &outcome);
}

static enum http_failure failure_of(enum outbound_failure failure)
{
    switch (failure) {
    case OUTBOUND_OK: return HTTP_OK;
    case OUTBOUND_BAD_URL:
    case OUTBOUND_BAD_HEADER:
    case OUTBOUND_BLOCKED:
    case OUTBOUND_REDIRECT: return HTTP_BAD_URL;
    case OUTBOUND_RESOLVE: return HTTP_RESOLVE;
    case OUTBOUND_CONNECT: return HTTP_CONNECT;
    case OUTBOUND_TLS: return HTTP_TLS;
    case OUTBOUND_TIMEOUT: return HTTP_TOTAL_TIMEOUT;
    case OUTBOUND_CUT: return HTTP_CUT;
    case OUTBOUND_TOO_LARGE: return HTTP_TOO_LARGE;
    }
    return HTTP_CUT;
}

static void on_guarded_end(void *arg, const struct outbound_response *response)
{
    struct llm_call *call = arg;
    const struct outbound_request *request = call->guarded;
    bool redirect = response->failure == OUTBOUND_REDIRECT;
    const struct outcome outcome = {.failure = failure_of(response->failure),
                                    .status = redirect ? 0 : response->status,
                                    .error = response->error,
                                    .retry_after = outbound_header(request, "retry-after"),
                                    .retry_after_ms = outbound_header(request, "retry-after-ms"),
                                    .should_retry = outbound_header(request, "x-should-retry")};
    call->guarded = NULL;
    ended(call, &outcome);
}

/* To a URL that a tenant gave. */
static bool send_guarded(struct llm_call *call, const struct http_options *http)
{
    const struct outbound_options options = {.method = http->method,
                                             .url = http->url,
                                             .headers = http->headers,
                                             .body = http->body,
                                             .body_len = http->body_len,
                                             .connect_ms = http->connect_ms,
                                             .first_ms = http->first_ms,
                                             .idle_ms = http->idle_ms,
                                             .total_ms = http->total_ms,
                                             .max_body = http->max_body,
                                             .on_headers = on_http_headers,
                                             .on_data = on_http_data};
    if (call->options.outbound == NULL) {
        return false;
    }
    call->guarded = outbound_start(call->options.outbound, &options, on_guarded_end, call);
    return true;
}

static bool send_request(struct llm_call *call, struct http_client *client,
                         const struct llm_request *request, struct arena *a, struct buf *body)
{
    const struct llm_endpoint *endpoint = call->options.endpoint;
    const char *path;
    const char *const *headers;
    if (!endpoint->protocol->decoder_init(&call->decoder) ||
        !endpoint->protocol->encode(request, endpoint->api_key, a, &path, &headers, body)) {
        return false;
    }
    const struct http_options options = {.method = "POST",
                                         .url = arena_printf(a, "%s%s", endpoint->base_url, path),
                                         .headers = headers,
                                         .body = body->data,
                                         .body_len = body->len,
                                         .connect_ms = call->options.connect_ms,
                                         .first_ms = call->options.first_ms,
                                         .idle_ms = call->options.idle_ms,
                                         .total_ms = call->options.total_ms,
                                         .max_body = STREAM_BODY_MAX,
                                         .on_headers = on_http_headers,
                                         .on_data = on_http_data,
                                         .on_end = on_http_end,
                                         .arg = call};
    if (endpoint->guarded) {
        return send_guarded(call, &options);
    }
    call->http = http_start(client, &options);
    return call->http != NULL;
}

static bool start_http(struct llm_call *call, struct http_client *client,
                       const struct llm_request *request)
{
    struct arena arena;
    struct buf body;
    arena_init(&arena);
    buf_init(&body, REQUEST_BODY_MAX);
    bool sent = send_request(call, client, request, &arena, &body);
    buf_free(&body);
    arena_free(&arena);
    return sent;
}

/* A few words: enough to be read, few enough to be seen coming. */
static size_t piece_length(const char *text, size_t len)
{
    size_t at = 0;
    for (int words = 0; words < BUILTIN_WORDS && at < len; words++) {
        at += strcspn(text + at, " \n");
        at += strspn(text + at, " \n");
    }
    return utf8_floor(text, len, at < BUILTIN_PIECE_MAX ? at : BUILTIN_PIECE_MAX);
}

static void tell_piece(struct llm_call *call)
{
    char piece[BUILTIN_PIECE_MAX + 1];
    const char *rest = call->text.data + call->told;
    size_t len = piece_length(rest, call->text.len - call->told);
    memcpy(piece, rest, len);
    piece[len] = '\0';
    call->told += len;
    (void)on_event(call,
                   &(struct llm_event){.type = LLM_EVENT_TEXT, .text = piece, .text_len = len});
}

static void on_timer(void *arg)
{
    struct llm_call *call = arg;
    bool builtin = call->options.endpoint->protocol == NULL;
    if (!builtin) {
        close_soon(call); /* the stream has ended, its response lingers */
        return;
    }
    call->in_decoder = true;
    if (call->told == 0) {
        const char *model = call->options.endpoint->fast_model;
        (void)on_event(
            call,
            &(struct llm_event){.type = LLM_EVENT_MODEL, .text = model, .text_len = strlen(model)});
    }
    if (!call->cancelled && call->told < call->text.len) {
        tell_piece(call);
    }
    call->in_decoder = false;
    if (call->cancelled) {
        return;
    }
    if (call->told < call->text.len) {
        timer_set(call->timer, BUILTIN_PACE_MS);
        return;
    }
    call->decoder.finish = LLM_FINISH_STOP;
    call->decoder.ended = true;
    close_soon(call);
}

static int64_t estimate(const char *text)
{
    return text != NULL ? tokens_estimate(text, strlen(text)) : 0;
}

static void start_builtin(struct llm_call *call, const struct llm_request *request)
{
    decoder_reset(&call->decoder, NULL);
    llm_builtin_answer(request, &call->text);
    call->decoder.usage =
        (struct llm_usage){.input = estimate(request->question) + estimate(request->context),
                           .output = estimate(call->text.data),
                           .cache_read = 0,
                           .cache_write = 0,
                           .cost_micro = 0};
    timer_set(call->timer, 0);
}

struct llm_call *llm_call_start(struct loop *loop, struct http_client *http,
                                const struct llm_call_options *options, struct llm_error *error)
{
    struct llm_call *call = calloc(1, sizeof(*call));
    llm_error_clear(error);
    if (call == NULL) {
        abandon(options);
        llm_error_set(error, LLM_ERROR_REQUEST, "out of memory");
        return NULL;
    }
    bool builtin = options->endpoint->protocol == NULL;
    call->loop = loop;
    call->options = *options;
    call->options.request = NULL;
    call->timer = timer_new(loop, on_timer, call);
    buf_init(&call->text, builtin ? BUILTIN_TEXT_MAX : ERROR_BODY_MAX);
    if (builtin) {
        start_builtin(call, options->request);
    } else if (!start_http(call, http, options->request)) {
        abandon(options);
        llm_error_set(error, LLM_ERROR_REQUEST,
                      "%s: the request cannot be sent: check its base URL, API key and model",
                      options->endpoint->name);
        call_free(call);
        return NULL;
    }
    return call;
}
