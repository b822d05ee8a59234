#include "admin/exchange.h"

#include "admin/admin.h"
#include "admin/cookie.h"
#include "admin/feed.h"
#include "admin/gate.h"
#include "admin/identity.h"
#include "admin/mailer.h"
#include "admin/meters.h"
#include "admin/query.h"
#include "admin/resources.h"
#include "admin/router.h"
#include "admin/run.h"
#include "admin/stream.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/pool.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_DEPTH  24
#define JSON_NODES  65536
#define RETRY_AFTER "2" /* seconds, of a 503 */
#define BUSY_S      5   /* of what the organisation's own others stand in the way of */

struct exchange {
    struct server *server;
    struct evhttp_request *http; /* NULL once answered */
    struct timer *deadline;
    struct gate_pass pass;      /* while a thread has it */
    struct gate_pass streaming; /* while its answer is made */
    int64_t started_us;
    struct arena arena;
    const struct admin_route *route;
    const char *allow; /* of a 405 */
    char *body;
    size_t body_len;
    struct admin_request request;
    struct admin_reply reply;
};

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_PUT: return "PUT";
    case EVHTTP_REQ_PATCH: return "PATCH";
    case EVHTTP_REQ_DELETE: return "DELETE";
    default: return "OPTIONS";
    }
}

static const char *header(const struct exchange *x, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(x->http), name);
}

/* -- the end ------------------------------------------------------------------------------ */

static void add_header(struct exchange *x, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(x->http), name, value);
}

/* A name that needs no quoting whatever a tenant called it. */
static void add_filename(struct exchange *x, const char *filename)
{
    char *name = arena_strdup(&x->arena, filename);
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    for (char *at = name; *(at += strspn(at, plain)) != '\0';)
        *at = '_';
    add_header(x, "Content-Disposition",
               arena_printf(&x->arena, "attachment; filename=\"%s\"", name));
}

/* evhttp knows only some of them, and nginx passes on what it says. */
static const char *reason(int status)
{
    return status == 422 ? "Unprocessable Content" : status == 429 ? "Too Many Requests" : NULL;
}

static bool has_body(const struct admin_reply *reply)
{
    return reply->status != 204 && reply->status != 304;
}

static void add_headers(struct exchange *x)
{
    const struct admin_reply *reply = &x->reply;
    char length[32];

    if (has_body(reply)) {
        add_header(x, "Content-Type", reply->content_type);
    }
    if (has_body(reply) && reply->rest.next == NULL && !reply->listens) {
        snprintf(length, sizeof(length), "%zu", reply->body.len);
        add_header(x, "Content-Length", length);
    }
    add_header(x, "Cache-Control", "no-store");
    add_header(x, "X-Content-Type-Options", "nosniff");
    if (reply->status == 405 && x->allow != NULL)
        add_header(x, "Allow", x->allow);
    if (reply->retry_after > 0)
        add_header(x, "Retry-After", arena_printf(&x->arena, "%d", reply->retry_after));
    else if (reply->status == 503)
        add_header(x, "Retry-After", RETRY_AFTER);
    if (reply->etag != NULL)
        add_header(x, "ETag", reply->etag);
    if (reply->replayed)
        add_header(x, "Idempotency-Replayed", "true");
    for (size_t i = 0; i < 2 && reply->cookies[i] != NULL; i++)
        add_header(x, "Set-Cookie", reply->cookies[i]);
    if (reply->filename != NULL)
        add_filename(x, reply->filename);
    if (reply->follow != NULL)
        add_header(x, "X-Accel-Redirect",
                   arena_printf(&x->arena, "/api/v1/chat/%s/events", reply->follow));
}

static void report(const struct exchange *x, uint64_t bytes)
{
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct admin_request *request = &x->request;
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    int64_t us = clock_mono_us() - x->started_us;
    int status = x->reply.status;

    metric_add(admin_meters.requests, classes[status >= 100 && status < 600 ? status / 100 : 0], 1);
    metric_observe(admin_meters.seconds, NULL, (double)us / 1e6);
    log_write(status >= 500 ? LOG_ERROR : LOG_INFO, &ctx, "admin.request",
              LOG_FIELDS(LOG_STR("method", request->method),
                         LOG_STR("route", x->route != NULL ? x->route->pattern : NULL),
                         LOG_STR("actor", request->actor), LOG_INT("status", status),
                         LOG_DOUBLE("ms", (double)us / 1e3), LOG_INT("bytes", bytes)));
}

static void on_sent(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;

    (void)http;
    server->sending--;
}

static void answer(struct exchange *x)
{
    struct evbuffer *out = evbuffer_new();
    bool wanted = strcmp(x->request.method, "HEAD") != 0 && has_body(&x->reply);

    if (x->reply.body.over)
        admin_problem(&x->reply, &x->request, FD_PROBLEM_INTERNAL, NULL,
                      "the answer is too long: ask for less of it");
    if (out == NULL || (wanted && evbuffer_add(out, x->reply.body.data, x->reply.body.len) != 0))
        abort();
    add_headers(x);
    report(x, x->reply.body.len);
    x->server->sending++;
    evhttp_request_set_on_complete_cb(x->http, on_sent, x->server);
    evhttp_send_reply(x->http, x->reply.status, reason(x->reply.status), out);
    evbuffer_free(out);
    x->http = NULL;
}

static void end(struct exchange *x)
{
    struct server *server = x->server;

    if (x->http != NULL)
        answer(x);
    timer_free(x->deadline);
    gate_leave(server->gate, &x->pass);
    gate_leave(server->gate, &x->streaming);
    if (x->reply.rest.end != NULL)
        x->reply.rest.end(x->reply.rest.state);
    server->bytes -= x->body_len;
    free(x->body);
    buf_free(&x->reply.body);
    arena_wipe(&x->arena);
    free(x);
    server->open--;
}

static void refuse(struct exchange *x, enum fd_problem_type type, const char *field,
                   const char *detail)
{
    admin_problem(&x->reply, &x->request, type, field, detail);
    end(x);
}

/* go() is called in its turn, or the exchange is refused: it may be gone after this. */
static void ask_gate(struct exchange *x, struct gate_pass *pass, enum gate_kind kind,
                     void (*go)(void *arg))
{
    static const char *const full[GATE_KINDS] = {
        [GATE_WAITS] = "so many tests run already; come again in a moment",
        [GATE_STREAM] = "so many exports run already; come again in a moment",
    };
    static const char *const yours[GATE_KINDS] = {
        [GATE_QUICK] = "so many requests of this organisation wait already; come again in a moment",
        [GATE_WAITS] = "a test of this organisation runs already; come again when it has ended",
        [GATE_STREAM] = "so many exports of this organisation run already; come again in a moment",
    };

    *pass = (struct gate_pass){.org = x->request.org, .kind = kind, .go = go, .arg = x};
    enum gate_verdict verdict = gate_enter(x->server->gate, pass);
    if (verdict == GATE_FULL)
        refuse(x, FD_PROBLEM_OVERLOADED, NULL, full[kind]);
    if (verdict != GATE_FULL_OF_YOURS)
        return;
    x->reply.retry_after = BUSY_S;
    refuse(x, FD_PROBLEM_RATE, NULL, yours[kind]);
}

/* -- on a thread -------------------------------------------------------------------------- */

static bool parse_body(struct exchange *x)
{
    static const struct fd_json nothing = {.type = FD_JSON_OBJECT};
    struct fd_json_limits limits = {.depth = JSON_DEPTH, .nodes = JSON_NODES};
    struct fd_json_fault fault;

    if (x->body_len == 0) {
        x->request.body = &nothing;
        return true;
    }
    x->request.body =
        fd_json_parse(x->body, x->body_len, limits, arena_allocator(&x->arena), &fault);
    if (x->request.body == NULL)
        admin_problem(&x->reply, &x->request, FD_PROBLEM_MALFORMED,
                      fault.where[0] != '\0' ? fault.where : NULL, fd_json_error_text(fault.error));
    else if (x->request.body->type != FD_JSON_OBJECT)
        admin_problem(&x->reply, &x->request, FD_PROBLEM_MALFORMED, NULL,
                      "a JSON object would be right");
    else
        return true;
    return false;
}

static void run(void *resource, void *arg)
{
    struct exchange *x = arg;

    x->request.db = resource;
    if ((x->route->flags & ADMIN_RAW) != 0 || parse_body(x))
        run_route(x->route, &x->request, &x->reply);
}

static void streamed(void *arg, uint64_t bytes, bool whole)
{
    struct exchange *x = arg;

    x->reply.status = whole ? x->reply.status : 500;
    report(x, bytes);
    end(x);
}

static bool goes_on(const struct exchange *x)
{
    return x->http != NULL && x->reply.rest.next != NULL && strcmp(x->request.method, "HEAD") != 0;
}

static bool listens(const struct exchange *x)
{
    return x->http != NULL && x->reply.listens && strcmp(x->request.method, "HEAD") != 0;
}

static void start_stream(void *arg)
{
    struct exchange *x = arg;
    struct evhttp_request *http = x->http;

    timer_stop(x->deadline);
    add_headers(x);
    x->http = NULL;
    stream_start(x->server, http, &x->request, &x->reply, streamed, x);
}

/* From here on it is the feed's. */
static void start_listening(struct exchange *x)
{
    struct evhttp_request *http = x->http;

    add_header(x, "X-Accel-Buffering", "no");
    add_header(x, "Connection", "close");
    add_headers(x);
    report(x, 0);
    x->http = NULL;
    feeds_follow(x->server->feeds, http, &x->request, x->reply.after);
    end(x);
}

/* NULL: nothing is in the way. */
static const char *why_not_listen(const struct exchange *x)
{
    if (x->server->draining)
        return "it is being stopped; come again in a moment";
    return feeds_full(x->server->feeds, x->request.org, x->request.actor);
}

static void done(void *arg, bool ran)
{
    struct exchange *x = arg;

    gate_leave(x->server->gate, &x->pass);
    if (ran && x->reply.mails)
        mailer_soon(x->server->mailer);
    if (ran && listens(x)) {
        const char *full = why_not_listen(x);
        if (full == NULL) {
            start_listening(x);
            return;
        }
        admin_problem(&x->reply, &x->request, FD_PROBLEM_OVERLOADED, NULL, full);
    }
    if (ran && goes_on(x)) {
        ask_gate(x, &x->streaming, GATE_STREAM, start_stream);
        return;
    }
    if (!ran && x->http != NULL)
        admin_problem(&x->reply, &x->request, FD_PROBLEM_UNAVAILABLE, NULL, "it is being stopped");
    end(x);
}

/* The handler ends all the same: its thread goes on with the request, its reply and its arena: what
 * is said now is made of others. */
static void on_deadline(void *arg)
{
    struct exchange *x = arg;
    struct exchange late = {.server = x->server,
                            .http = x->http,
                            .started_us = x->started_us,
                            .route = x->route,
                            .request = {.method = x->request.method,
                                        .org = x->request.org,
                                        .actor = x->request.actor,
                                        .request_id = x->request.request_id}};

    buf_init(&late.reply.body, EXCHANGE_REPLY_MAX);
    admin_problem(&late.reply, &late.request, FD_PROBLEM_DEADLINE, NULL,
                  "it is not known whether what was asked for will still be done");
    answer(&late);
    buf_free(&late.reply.body);
    arena_free(&late.arena);
    x->http = NULL;
}

/* -- on the loop -------------------------------------------------------------------------- */

static const char *text_header(struct exchange *x, const char *name)
{
    const char *value = header(x, name);

    return value != NULL && fd_utf8_valid(value, strlen(value)) ? arena_strdup(&x->arena, value)
                                                                : "";
}

static bool identify(struct exchange *x)
{
    struct admin_request *request = &x->request;
    const struct identity_claim claim = {.token = header(x, IDENTITY_TOKEN_HEADER),
                                         .org = header(x, IDENTITY_ORG_HEADER),
                                         .role = header(x, IDENTITY_ROLE_HEADER),
                                         .actor = header(x, IDENTITY_ACTOR_HEADER),
                                         .session = header(x, IDENTITY_SESSION_HEADER),
                                         .team = header(x, IDENTITY_TEAM_HEADER),
                                         .request_id = header(x, IDENTITY_REQUEST_HEADER)};

    if (identity_request_id_valid(claim.request_id))
        request->request_id = arena_strdup(&x->arena, claim.request_id);
    if (!identity_check(&claim, x->server->config->admin_token, request))
        return false;
    request->address = text_header(x, IDENTITY_ADDRESS_HEADER);
    request->agent = text_header(x, IDENTITY_AGENT_HEADER);
    request->last_event_id = text_header(x, "Last-Event-ID");
    request->if_match = text_header(x, "If-Match");
    request->if_none_match = text_header(x, "If-None-Match");
    request->once = text_header(x, "Idempotency-Key");
    request->target = arena_strdup(&x->arena, evhttp_request_get_uri(x->http));
    request->secure =
        cookie_secure(x->server->config, text_header(x, IDENTITY_SCHEME_HEADER), request->address);
    return true;
}

/* A page shows one organisation; its browser's session may act in another by now. */
static bool is_where_expected(const struct exchange *x)
{
    const char *expected = header(x, "Expect-Organization");

    return expected == NULL || strcmp(expected, x->request.org) == 0;
}

/* Is it this caller's to ask? False: it is refused. */
static bool permit(struct exchange *x)
{
    const struct admin_request *request = &x->request;
    unsigned flags = x->route->flags;
    const char *method = request->method;

    if ((flags & ADMIN_OPEN) != 0)
        return true;
    if (request->actor == NULL)
        refuse(x, FD_PROBLEM_SIGN_IN, NULL, NULL);
    else if (!is_where_expected(x))
        refuse(x, FD_PROBLEM_ORGANIZATION, "Expect-Organization", NULL);
    else if (request->role < x->route->least)
        refuse(x, FD_PROBLEM_ROLE, NULL,
               arena_printf(&x->arena, "%s role required", admin_role_name(x->route->least)));
    else if ((flags & ADMIN_USER) != 0 && request->user == NULL)
        refuse(x, FD_PROBLEM_ROLE, NULL, "this is for users who signed in, not for keys");
    else if (request->scope == ADMIN_SCOPE_READ && strcmp(method, "GET") != 0 &&
             strcmp(method, "HEAD") != 0)
        refuse(x, FD_PROBLEM_ROLE, NULL, "this key may only read");
    else if (request->scope != ADMIN_SCOPE_ALL && (flags & ADMIN_ACCESS) != 0)
        refuse(x, FD_PROBLEM_ROLE, NULL, "this key may not see or change who gets in");
    else
        return true;
    return false;
}

/* False: it is refused. */
static bool find_route(struct exchange *x)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(x->http);
    bool plain = uri != NULL && evhttp_uri_get_host(uri) == NULL; /* "//host/path" has one */
    const char *path = plain ? evhttp_uri_get_path(uri) : NULL;
    struct router_match *match = arena_alloc(&x->arena, sizeof(*match));
    struct query *query;

    enum router_verdict verdict = router_find(&x->arena, admin_resources, admin_resource_count,
                                              x->request.method, path != NULL ? path : "", match);
    if (verdict != ROUTER_FOUND && x->request.actor == NULL) {
        refuse(x, FD_PROBLEM_SIGN_IN, NULL, NULL);
        return false;
    }
    if (verdict != ROUTER_FOUND) {
        x->allow = match->allow;
        refuse(x, verdict == ROUTER_NO_PATH ? FD_PROBLEM_NOT_FOUND : FD_PROBLEM_METHOD, NULL, NULL);
        return false;
    }
    x->route = match->route;
    memcpy(x->request.ids, match->ids, sizeof(match->ids));
    x->request.path = router_decode(&x->arena, path, strlen(path), false);
    if (!query_parse(&x->arena, evhttp_uri_get_query(uri), &query)) {
        refuse(x, FD_PROBLEM_BAD_REQUEST, NULL, "the query is not well encoded UTF-8");
        return false;
    }
    x->request.query = query;
    return permit(x);
}

/* Lower case, without parameters. */
static const char *content_type(struct exchange *x)
{
    const char *given = header(x, "Content-Type");
    size_t len = given != NULL ? strcspn(given, "; \t") : 0;
    char *type = arena_strndup(&x->arena, given != NULL ? given : "", len);

    for (char *c = type; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return type;
}

/* What a client asks to be protected by: what cannot be read is not as if it were absent.
 * False: it is refused. */
static bool check_guards(struct exchange *x)
{
    static const char *const names[] = {"Idempotency-Key", "If-Match"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (header(x, names[i]) != NULL && text_header(x, names[i])[0] == '\0') {
            refuse(x, FD_PROBLEM_BAD_REQUEST, names[i], "it is empty, or no UTF-8");
            return false;
        }
    }
    return true;
}

/* False: it is refused. */
static bool take_body(struct exchange *x)
{
    bool raw = (x->route->flags & ADMIN_RAW) != 0;
    struct evbuffer *in = evhttp_request_get_input_buffer(x->http);
    size_t len = evbuffer_get_length(in), max = raw ? EXCHANGE_RAW_MAX : EXCHANGE_JSON_MAX;

    x->request.content_type = content_type(x);
    if (len > max) {
        refuse(x, FD_PROBLEM_TOO_LARGE, NULL,
               arena_printf(&x->arena, "at most %zu bytes are taken here", max));
        return false;
    }
    if (!raw && len > 0 && strcmp(x->request.content_type, "application/json") != 0) {
        refuse(x, FD_PROBLEM_MEDIA_TYPE, NULL, NULL);
        return false;
    }
    x->body = len <= EXCHANGE_BYTES_MAX - x->server->bytes ? malloc(len + 1) : NULL;
    if (x->body == NULL) {
        refuse(x, FD_PROBLEM_OVERLOADED, NULL, NULL);
        return false;
    }
    x->body_len = len;
    x->server->bytes += len;
    evbuffer_remove(in, x->body, len);
    x->body[len] = '\0';
    x->request.raw = x->body;
    x->request.raw_len = len;
    return true;
}

static void submit(void *arg)
{
    struct exchange *x = arg;

    if (x->http == NULL) { /* told 504 while it stood in the line: then it is not done, either */
        end(x);
        return;
    }
    if (!pool_submit(x->server->pool, run, done, x))
        refuse(x, FD_PROBLEM_OVERLOADED, NULL, NULL);
}

void exchange_start(struct server *server, struct evhttp_request *http)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (x == NULL)
        abort();
    x->server = server;
    x->http = http;
    x->started_us = clock_mono_us();
    arena_init(&x->arena);
    x->request = (struct admin_request){.method = method_name(evhttp_request_get_command(http)),
                                        .arena = &x->arena,
                                        .config = server->config};
    x->reply = (struct admin_reply){.status = 200, .content_type = "application/json"};
    buf_init(&x->reply.body, EXCHANGE_REPLY_MAX);
    server->open++;

    if (!identify(x)) {
        refuse(x, FD_PROBLEM_KEY_MISSING, NULL,
               "the request did not come through nginx, or nginx has another token");
        return;
    }
    if (server->open > EXCHANGE_OPEN_MAX) {
        refuse(x, FD_PROBLEM_OVERLOADED, NULL, NULL);
        return;
    }
    if (!find_route(x) || !check_guards(x) || !take_body(x))
        return;
    x->deadline = timer_new(server->loop, on_deadline, x);
    timer_set(x->deadline, server->config->admin_timeout_ms);
    ask_gate(x, &x->pass, (x->route->flags & ADMIN_WAITS) != 0 ? GATE_WAITS : GATE_QUICK, submit);
}
