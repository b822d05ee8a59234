#include "net/outbound.h"
#include "net/guard.h"
#include "net/http.h"
#include "net/outbound_check.h"
#include "net/resolve.h"
#include "net/target.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <utlist.h>

#define TOLD_MAX 200 /* of a receiver's words: others put theirs before them */

struct outbound {
    struct loop *loop;
    struct http_client *http;
    struct resolver *resolver;
    const char *allow;
    struct outbound_request *requests;
};

/* Resolving, then requesting: of lookup and http one is set at a time. */
struct outbound_request {
    struct outbound *outbound;
    struct arena arena; /* what options point at */
    struct outbound_options options;
    struct target target;
    bool exempt; /* the owner lists this host and port */
    struct lookup *lookup;
    struct http_request *http;
    struct timer *patience; /* with DNS */
    struct buf body;
    int64_t started_ms;
    bool over; /* ended or cancelled: no callback any more */
    enum outbound_failure failure;
    bool sent;
    int status;
    char error[256]; /* of `failure` */
    outbound_end_fn *on_end;
    void *arg;
    struct outbound_request *prev, *next;
};

const char *outbound_dns_servers;

void outbound_use_dns(const char *servers)
{
    outbound_dns_servers = servers;
}

/* -- the end ---------------------------------------------------------------------- */

static void begin(void *arg);
static void free_deferred(void *arg);
static void finish(void *arg);

static void request_free(struct outbound_request *request)
{
    struct loop *loop = request->outbound->loop;

    loop_undefer(loop, begin, request);
    loop_undefer(loop, finish, request);
    loop_undefer(loop, free_deferred, request);
    if (request->lookup != NULL)
        lookup_cancel(request->lookup);
    if (request->http != NULL)
        http_cancel(request->http);
    timer_free(request->patience);
    DL_DELETE(request->outbound->requests, request);
    target_free(&request->target);
    buf_wipe(&request->body);    /* an answer may hold a token */
    arena_wipe(&request->arena); /* headers may be credentials */
    free(request);
}

static void free_deferred(void *arg)
{
    request_free(arg);
}

/* Seconds, or a date; -1 = neither. */
static int64_t parse_retry_after(const char *value)
{
    char *end;
    long long seconds;
    time_t date;

    if (value == NULL)
        return -1;
    seconds = strtoll(value, &end, 10);
    if (end != value && *end == '\0')
        return seconds < 0 ? 0 : seconds;
    date = curl_getdate(value, NULL);
    seconds = (long long)date - clock_wall_ms() / 1000;
    return date < 0 ? -1 : seconds < 0 ? 0 : seconds;
}

static void finish(void *arg)
{
    struct outbound_request *request = arg;
    const struct http_request *http = request->http;
    const char *type = http != NULL ? http_header(http, "content-type") : NULL;
    struct outbound_response response = {
        .failure = request->failure,
        .sent = request->sent,
        .status = request->status,
        .content_type = type != NULL ? type : "",
        .retry_after_s = http != NULL ? parse_retry_after(http_header(http, "retry-after")) : -1,
        .body = request->body.data != NULL ? request->body.data : "",
        .body_len = request->body.len,
        .ms = clock_mono_ms() - request->started_ms,
        .error = request->failure != OUTBOUND_OK ? request->error : NULL,
    };

    request->over = true;
    request->on_end(request->arg, &response);
    request_free(request);
}

/* A receiver's words may be anything: what is told of them can be stored and printed. */
static void __attribute__((format(printf, 3, 4)))
fail(struct outbound_request *request, enum outbound_failure failure, const char *format, ...)
{
    char text[1024] = "";
    const char *at = text;
    va_list args;

    request->failure = failure;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)utf8_line(request->error, TOLD_MAX + 1, &at, text + strlen(text));
}

/* -- judging ------------------------------------------------------------------------ */

static bool may_reach(struct outbound_request *request, const struct sockaddr *address)
{
    bool ok = outbound_judge(request->outbound->allow, request->exempt, request->target.host,
                             address, request->error);

    if (!ok)
        request->failure = OUTBOUND_BLOCKED;
    return ok;
}

/* curl's two hooks. */
static bool on_address(void *arg, const struct sockaddr *address)
{
    return may_reach(arg, address);
}

/* -- the request ---------------------------------------------------------------------- */

static void on_headers(void *arg, int status)
{
    struct outbound_request *request = arg;
    const char *location = http_header(request->http, "location");

    if (status < 300 || status > 399 || status == 304) {
        if (request->options.on_headers != NULL)
            request->options.on_headers(request->arg, status);
        return;
    }
    fail(request, OUTBOUND_REDIRECT,
         "redirects (%d) are not followed; the URL has to be the final one%s%s", status,
         location != NULL ? ": " : "", location != NULL ? location : "");
    request->status = status;
    request->sent = true;
    http_cancel(request->http);
    request->http = NULL;
    loop_defer(request->outbound->loop, finish, request);
}

static void on_data(void *arg, const char *data, size_t len)
{
    struct outbound_request *request = arg;

    if (request->options.on_data != NULL)
        request->options.on_data(request->arg, data, len);
    else
        buf_append(&request->body, data, len); /* within http's max_body */
}

static enum outbound_failure failure_of(enum http_failure failure)
{
    switch (failure) {
    case HTTP_OK: return OUTBOUND_OK;
    case HTTP_BAD_URL: return OUTBOUND_BAD_URL;
    case HTTP_RESOLVE: return OUTBOUND_RESOLVE;
    case HTTP_CONNECT: return OUTBOUND_CONNECT;
    case HTTP_TLS: return OUTBOUND_TLS;
    case HTTP_CONNECT_TIMEOUT:
    case HTTP_FIRST_BYTE_TIMEOUT:
    case HTTP_IDLE_TIMEOUT:
    case HTTP_TOTAL_TIMEOUT: return OUTBOUND_TIMEOUT;
    case HTTP_CUT: return OUTBOUND_CUT;
    case HTTP_TOO_LARGE: return OUTBOUND_TOO_LARGE;
    }
    return OUTBOUND_CUT;
}

static void on_http_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct outbound_request *request = arg;

    request->sent = request->failure == OUTBOUND_OK && http_was_sent(failure);
    if (failure == HTTP_TOO_LARGE)
        fail(request, OUTBOUND_TOO_LARGE,
             "the response has more than %zu bytes, or too many headers",
             request->options.max_body);
    else if (request->failure == OUTBOUND_OK && failure != HTTP_OK)
        fail(request, failure_of(failure), "%s", error);
    request->status = status;
    finish(request);
}

/* addresses NULL: the host is one. */
static void connect_to(struct outbound_request *request, const union resolved *addresses,
                       size_t count)
{
    const struct outbound_options *o = &request->options;
    int64_t left = o->total_ms - (clock_mono_ms() - request->started_ms);
    struct http_options http = {.method = o->method,
                                .url = request->target.url,
                                .headers = o->headers,
                                .body = o->body,
                                .body_len = o->body_len,
                                .connect_ms = o->connect_ms,
                                .first_ms = o->first_ms,
                                .idle_ms = o->idle_ms,
                                .total_ms = (int)left,
                                .max_body = o->max_body,
                                .may_reach = on_address,
                                .on_headers = on_headers,
                                .on_data = on_data,
                                .on_end = on_http_end,
                                .arg = request};

    if (left <= 0) {
        fail(request, OUTBOUND_TIMEOUT, "no answer within %d ms", o->total_ms);
        finish(request);
        return;
    }
    if (addresses != NULL)
        http.resolve = outbound_pin(&request->arena, &request->target, addresses, count);
    request->http = http_start(request->outbound->http, &http);
    if (request->http == NULL) {
        fail(request, OUTBOUND_BAD_URL, "the URL or a header cannot be used");
        finish(request);
    }
}

static void on_lookup(void *arg, const union resolved *addresses, size_t count, const char *error)
{
    struct outbound_request *request = arg;
    bool ok = true;

    request->lookup = NULL;
    timer_stop(request->patience);
    if (count == 0) {
        fail(request, OUTBOUND_RESOLVE, "%.150s: %s", request->target.host, error);
        finish(request);
        return;
    }
    for (size_t i = 0; i < count && ok; i++)
        ok = may_reach(request, &addresses[i].any);
    if (ok)
        connect_to(request, addresses, count);
    else
        finish(request);
}

static void on_patience_end(void *arg)
{
    struct outbound_request *request = arg;

    fail(request, OUTBOUND_RESOLVE, "%.150s: DNS did not answer in time", request->target.host);
    finish(request);
}

static bool judge_literal(struct outbound_request *request)
{
    union resolved address;

    return outbound_literal(request->target.host, request->target.port, &address) &&
           may_reach(request, &address.any);
}

static void begin(void *arg)
{
    struct outbound_request *request = arg;
    const struct outbound_options *o = &request->options;
    struct target *target = &request->target;

    if (!outbound_check_method(o->method, request->error)) {
        request->failure = OUTBOUND_BAD_URL;
    } else if (!target_parse(target, o->url, request->error)) {
        request->failure = OUTBOUND_BAD_URL;
    } else if (!outbound_check_headers(o->headers, request->error)) {
        request->failure = OUTBOUND_BAD_HEADER;
    } else {
        request->exempt = guard_exempts_name(request->outbound->allow, target->host, target->port);
        if (!target->is_address) {
            request->lookup = lookup_start(request->outbound->resolver, target->host, target->port,
                                           on_lookup, request);
            timer_set(request->patience, o->connect_ms < o->total_ms ? o->connect_ms : o->total_ms);
            return;
        }
        if (judge_literal(request)) {
            connect_to(request, NULL, 0);
            return;
        }
    }
    finish(request);
}

/* -- start and cancel -------------------------------------------------------------------- */

static const char *const *copy_headers(struct arena *a, const char *const *headers)
{
    size_t count = 0;
    const char **copies;

    while (headers != NULL && headers[count] != NULL)
        count++;
    copies = arena_zalloc(a, (count + 1) * sizeof(*copies));
    for (size_t i = 0; i < count; i++)
        copies[i] = arena_strdup(a, headers[i]);
    return copies;
}

static void copy_options(struct outbound_request *request, const struct outbound_options *options)
{
    struct outbound_options *o = &request->options;
    struct arena *a = &request->arena;

    *o = *options;
    o->method = arena_strdup(a, options->method != NULL ? options->method : "");
    o->url = arena_strdup(a, options->url != NULL ? options->url : "");
    o->headers = copy_headers(a, options->headers);
    o->body = options->body != NULL ? arena_strndup(a, options->body, options->body_len) : NULL;
    o->connect_ms = options->connect_ms > 0 ? options->connect_ms : OUTBOUND_CONNECT_MS;
    o->total_ms = options->total_ms > 0 ? options->total_ms : OUTBOUND_TOTAL_MS;
    o->max_body = options->max_body > 0 ? options->max_body : OUTBOUND_BODY_MAX;
}

struct outbound_request *outbound_start(struct outbound *outbound,
                                        const struct outbound_options *options,
                                        outbound_end_fn *on_end, void *arg)
{
    struct outbound_request *request = calloc(1, sizeof(*request));

    if (request == NULL) {
        log_error(NULL, "outbound.no_memory");
        abort();
    }
    request->outbound = outbound;
    arena_init(&request->arena);
    copy_options(request, options);
    buf_init(&request->body, request->options.max_body);
    request->patience = timer_new(outbound->loop, on_patience_end, request);
    request->started_ms = clock_mono_ms();
    request->on_end = on_end;
    request->arg = arg;
    DL_APPEND(outbound->requests, request);
    loop_defer(outbound->loop, begin, request);
    return request;
}

void outbound_cancel(struct outbound_request *request)
{
    if (request->over)
        return;
    request->over = true;
    if (request->lookup != NULL)
        lookup_cancel(request->lookup);
    request->lookup = NULL;
    if (request->http != NULL)
        http_cancel(request->http);
    request->http = NULL;
    timer_stop(request->patience);
    loop_undefer(request->outbound->loop, begin, request);
    loop_undefer(request->outbound->loop, finish, request);
    loop_defer(request->outbound->loop, free_deferred, request);
}

void outbound_alive(struct outbound_request *request)
{
    if (!request->over && request->http != NULL)
        http_alive(request->http);
}

const char *outbound_header(const struct outbound_request *request, const char *name)
{
    return request->http != NULL ? http_header(request->http, name) : NULL;
}

struct outbound *outbound_new(struct loop *loop, const char *allow)
{
    struct outbound *outbound = calloc(1, sizeof(*outbound));

    if (outbound == NULL)
        return NULL;
    outbound->loop = loop;
    outbound->allow = allow;
    outbound->http = http_client_new(loop);
    outbound->resolver = resolver_new(loop, outbound_dns_servers);
    if (outbound->http == NULL || outbound->resolver == NULL) {
        outbound_free(outbound);
        return NULL;
    }
    return outbound;
}

void outbound_free(struct outbound *outbound)
{
    struct outbound_request *request, *next;

    DL_FOREACH_SAFE (outbound->requests, request, next)
        request_free(request);
    if (outbound->http != NULL)
        http_client_free(outbound->http);
    if (outbound->resolver != NULL)
        resolver_free(outbound->resolver);
    free(outbound);
}
