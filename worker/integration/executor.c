#include "integration/executor.h"
#include "integration/journal.h"
#include "integration/oauth.h"
#include "integration/query.h"
#include "integration/query_text.h"
#include "integration/request.h"
#include "integration/shape.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/outbound.h"
#include "net/redis.h"
#include "protocol/ids.h"
#include "protocol/keys.h"
#include "tool/result.h"
#include "tool/webhook_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <utlist.h>

#define QUERY_THREADS     4
#define QUERIES_OF_AN_ORG 2 /* at a time: others' databases are not slow with it */
#define ARGUMENTS_DEPTH   24

struct integrations {
    struct integrations_options options;
    struct pool *queries; /* threads without a connection of ours */
    struct token_cache *tokens;
    struct call *calls;
};

/* One call: loaded, then answered from the cache, or fetched and shaped; told; noted.
 * One thing at a time works on it. */
struct call {
    struct integrations *self;
    struct arena arena;
    const char *endpoint_id;
    const char *arguments_text;
    const char *org;
    const char *job_id;
    const char *idempotency_key;
    int64_t deadline_ms; /* monotonic */

    struct integration integration;
    struct endpoint endpoint;
    const struct fd_json *arguments;
    struct query_text query;
    const char *values[QUERY_PARAMS_MAX];
    char cache_key[128]; /* "" = not to be cached */
    const char *token;
    bool token_renewed;
    struct outbound_request *request;
    struct outbound_response response;

    struct tool_result result;
    bool cached;
    bool querying;
    bool elsewhere; /* a thread or Redis has it: who frees it is whom it comes back to */
    bool silent;    /* cancelled, or told: on_end is not called any more */
    int64_t started_ms;
    tool_end_fn *on_end;
    void *arg;
    struct call *prev, *next;
};

static void tell(void *arg);
static void fetch(struct call *call);

static void call_free(struct call *call)
{
    loop_undefer(call->self->options.loop, tell, call);
    DL_DELETE(call->self->calls, call);
    integration_wipe(&call->integration);
    arena_wipe(&call->arena); /* headers are credentials */
    free(call);
}

/* What is wrong with its arguments the model is told, the rest is for the operator. */
static void fail(struct call *call, enum tool_failure failure, const char *detail)
{
    tool_result_fail(&call->result, &call->arena, failure,
                     call->endpoint.writes ? TOOL_WRITE : TOOL_READ, NULL,
                     failure == TOOL_ARGUMENTS ? detail : NULL);
    call->result.operator_detail = arena_strdup(&call->arena, detail);
}

/* Gives it to a thread. False: there are too many waiting. */
static bool submit(struct call *call, struct pool *pool, void (*run)(void *resource, void *arg),
                   void (*done)(void *arg, bool ran))
{
    call->elsewhere = pool_submit(pool, run, done, call);
    return call->elsewhere;
}

/* It came back. False: nobody wants it any more. */
static bool came_back(struct call *call)
{
    call->elsewhere = false;
    if (!call->silent)
        return true;
    call_free(call);
    return false;
}

/* -- the end: tell, note ------------------------------------------------------------------ */

static void note(void *resource, void *arg)
{
    struct call *call = arg;
    const struct journal_entry entry = {.org = call->org,
                                        .integration_id = call->integration.id,
                                        .endpoint = call->endpoint.name,
                                        .job_id = call->job_id,
                                        .failure = tool_failure_name(call->result.failure),
                                        .status = call->result.status,
                                        .ms = call->result.ms,
                                        .bytes = call->response.body_len,
                                        .cached = call->cached,
                                        .detail = call->result.operator_detail};

    if (journal_write(call->self->options.db_of(resource), &entry) != DB_OK)
        log_warn(NULL, "integration.call_not_noted", LOG_STR("endpoint", call->endpoint.name));
}

static void on_noted(void *arg, bool ran)
{
    (void)ran;
    call_free(arg);
}

static void tell(void *arg)
{
    struct call *call = arg;
    bool known = call->integration.id != NULL && call->endpoint.name != NULL;

    call->result.ms = clock_mono_ms() - call->started_ms;
    call->silent = true;
    call->on_end(call->arg, &call->result);
    if (!known || !submit(call, call->self->options.pool, note, on_noted))
        call_free(call);
}

static void fail_now(struct call *call, enum tool_failure failure, const char *detail)
{
    fail(call, failure, detail);
    tell(call);
}

/* -- the cache ------------------------------------------------------------------------------ */

/* The organisation is in the key, and whatever else the answer depends on. */
static void name_in_cache(struct call *call)
{
    crypto_hash_sha256_state state;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(hash) + 1];
    const char *head =
        arena_printf(&call->arena, "%s|%lld|%lld|", call->endpoint_id,
                     (long long)call->integration.revision, (long long)call->endpoint.revision);

    if (shape_cache_seconds(&call->endpoint) == 0)
        return;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)head, strlen(head));
    crypto_hash_sha256_update(&state, (const unsigned char *)call->arguments_text,
                              strlen(call->arguments_text));
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    snprintf(call->cache_key, sizeof(call->cache_key), FD_KEY_INTEGRATION, call->org, hex);
}

static void keep(struct call *call)
{
    bool good = call->result.failure == TOOL_OK && call->result.status != 404;

    if (good && call->cache_key[0] != '\0' && !*call->self->options.live_pressed)
        redis_call(call->self->options.live, NULL, NULL, "SET %s %b EX %lld", call->cache_key,
                   call->result.json, call->result.len,
                   (long long)shape_cache_seconds(&call->endpoint));
}

static void on_looked_up(void *arg, const redisReply *reply)
{
    struct call *call = arg;

    if (!came_back(call))
        return;
    if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len > TOOL_RESULT_MAX) {
        fetch(call);
        return;
    }
    call->cached = true;
    call->result = (struct tool_result){.json = arena_strndup(&call->arena, reply->str, reply->len),
                                        .len = reply->len};
    tell(call);
}

static void look_up(struct call *call)
{
    call->elsewhere =
        call->cache_key[0] != '\0' &&
        redis_call(call->self->options.live, on_looked_up, call, "GET %s", call->cache_key);
    if (!call->elsewhere)
        fetch(call);
}

/* -- an endpoint --------------------------------------------------------------------------------
 */

static void shape(void *resource, void *arg)
{
    struct call *call = arg;

    (void)resource;
    shape_response(&call->arena, &call->integration, &call->endpoint, call->arguments,
                   &call->response, &call->result);
}

static void on_shaped(void *arg, bool ran)
{
    struct call *call = arg;

    if (!came_back(call))
        return;
    if (!ran) /* the process ends */
        fail(call, TOOL_TIMEOUT, "the worker was stopped");
    keep(call);
    tell(call);
}

static void request_token(struct call *call);

static void on_response(void *arg, const struct outbound_response *response)
{
    struct call *call = arg;

    call->request = NULL;
    if (response->status == 401 && call->integration.auth == AUTH_OAUTH2 && !call->token_renewed) {
        call->token_renewed = true;
        token_cache_drop(call->self->tokens, &call->integration);
        request_token(call);
        return;
    }
    call->response = *response;
    call->response.content_type = arena_strdup(&call->arena, response->content_type);
    call->response.error = arena_strdup(&call->arena, response->error);
    call->response.body = arena_strndup(&call->arena, response->body, response->body_len);
    /* a megabyte of JSON is not for the loop */
    if (submit(call, call->self->options.pool, shape, on_shaped))
        return;
    shape(NULL, call);
    tell(call);
}

static void bound(const struct call *call, struct outbound_options *options)
{
    int64_t left = call->deadline_ms - clock_mono_ms();

    if (options->total_ms > left)
        options->total_ms = left > 1 ? (int)left : 1;
}

static void send(struct call *call)
{
    struct outbound_options options;
    char error[256];

    if (!endpoint_request(&call->arena, &call->integration, &call->endpoint, call->arguments,
                          call->token, call->endpoint.writes ? call->idempotency_key : NULL,
                          &options, error)) {
        fail_now(call, TOOL_ARGUMENTS, error);
        return;
    }
    bound(call, &options);
    call->request = outbound_start(call->self->options.outbound, &options, on_response, call);
}

static void on_token(void *arg, const struct outbound_response *response)
{
    struct call *call = arg;
    char error[256];
    int64_t lifetime_s;

    call->request = NULL;
    call->token = oauth_token(&call->arena, response, &lifetime_s, error);
    if (call->token == NULL) {
        fail_now(call, response->failure == OUTBOUND_BLOCKED ? TOOL_BLOCKED : TOOL_UNREACHABLE,
                 error);
        return;
    }
    token_cache_put(call->self->tokens, &call->integration, call->token, lifetime_s,
                    clock_mono_ms());
    send(call);
}

static void request_token(struct call *call)
{
    struct outbound_options options;
    char error[256];

    if (!oauth_request(&call->arena, &call->integration, &options, error)) {
        fail_now(call, TOOL_BLOCKED, error);
        return;
    }
    bound(call, &options);
    call->request = outbound_start(call->self->options.outbound, &options, on_token, call);
}

/* -- a query --------------------------------------------------------------------------------------
 */

static void query(void *resource, void *arg)
{
    struct call *call = arg;
    struct query_result result;

    (void)resource;
    query_run(&call->arena, &call->integration, call->self->options.outbound_allow, call->query.sql,
              call->values, call->query.count, &result);
    call->response.body_len = result.len;
    if (result.failure == TOOL_OK)
        shape_rows(&call->arena, result.json, result.len, &call->result);
    else
        fail(call, result.failure, result.error);
}

static void on_queried(void *arg, bool ran)
{
    struct call *call = arg;

    call->querying = false;
    if (!came_back(call))
        return;
    if (!ran)
        fail(call, TOOL_UNAVAILABLE, "the worker was stopped");
    keep(call);
    tell(call);
}

static void start_query(struct call *call)
{
    const struct call *other;
    int running = 0;

    DL_FOREACH (call->self->calls, other) {
        if (other->querying && strcmp(other->org, call->org) == 0)
            running++;
    }
    call->querying =
        running < QUERIES_OF_AN_ORG && submit(call, call->self->queries, query, on_queried);
    if (!call->querying)
        fail_now(call, TOOL_UNAVAILABLE, "too many queries at a time: the database is slow");
}

static void fetch(struct call *call)
{
    if (call->endpoint.kind == ENDPOINT_QUERY) {
        start_query(call);
        return;
    }
    if (call->integration.auth == AUTH_OAUTH2) {
        call->token =
            token_cache_get(call->self->tokens, &call->arena, &call->integration, clock_mono_ms());
        if (call->token == NULL) {
            call->token_renewed = true;
            request_token(call);
            return;
        }
    }
    send(call);
}

/* -- loading
 * ------------------------------------------------------------------------------------------ */

static void load(void *resource, void *arg)
{
    struct call *call = arg;
    struct integrations_options *o = &call->self->options;
    struct db *db = o->db_of(resource);
    struct arena *a = &call->arena;
    struct fd_json_fault fault;
    char error[256];
    enum db_status status = integration_load(db, a, call->org, call->endpoint_id, o->vault_keys,
                                             &call->integration, &call->endpoint);

    if (status != DB_OK) {
        fail(call, TOOL_UNAVAILABLE, db_error(db));
        return;
    }
    call->arguments = fd_json_parse(call->arguments_text, strlen(call->arguments_text),
                                    (struct fd_json_limits){.depth = ARGUMENTS_DEPTH},
                                    arena_allocator(a), &fault);
    if (call->arguments == NULL)
        fail(call, TOOL_ARGUMENTS, "the arguments are not JSON");
    else if (call->endpoint.kind == ENDPOINT_QUERY &&
             (!query_text_read(a, call->endpoint.query, &call->query, error) ||
              !query_text_bind(a, &call->query, call->arguments, call->values, error)))
        fail(call, TOOL_ARGUMENTS, error);
}

static void on_loaded(void *arg, bool ran)
{
    struct call *call = arg;

    if (!came_back(call))
        return;
    if (!ran)
        fail(call, TOOL_UNAVAILABLE, "the worker was stopped");
    if (call->result.failure != TOOL_OK) {
        tell(call);
        return;
    }
    name_in_cache(call);
    look_up(call);
}

/* -- start and cancel
 * ---------------------------------------------------------------------------------- */

static void *start(void *self, const struct tool *tool, const char *arguments,
                   const struct tool_context *context, tool_end_fn *on_end, void *arg)
{
    struct call *call = calloc(1, sizeof(*call));
    struct arena *a;

    if (call == NULL)
        abort();
    a = &call->arena;
    arena_init(a);
    call->self = self;
    call->endpoint_id = arena_strdup(a, tool->id);
    call->arguments_text = arena_strdup(a, arguments);
    call->org = arena_strdup(a, context->org);
    call->job_id = arena_strdup(a, context->job_id);
    call->idempotency_key = webhook_idempotency_key(a, context);
    call->started_ms = clock_mono_ms();
    call->deadline_ms = call->started_ms + context->deadline_ms - clock_wall_ms();
    if (tool->timeout_ms > 0 && call->deadline_ms > call->started_ms + tool->timeout_ms)
        call->deadline_ms = call->started_ms + tool->timeout_ms;
    call->endpoint.writes = tool->risk != TOOL_READ;
    call->on_end = on_end;
    call->arg = arg;
    DL_APPEND(call->self->calls, call);
    if (!submit(call, call->self->options.pool, load, on_loaded)) {
        fail(call, TOOL_UNAVAILABLE, "the worker has too much to do");
        loop_defer(call->self->options.loop, tell, call);
    }
    return call;
}

static void cancel(void *self, void *running)
{
    struct call *call = running;

    (void)self;
    if (call->request != NULL)
        outbound_cancel(call->request);
    call->request = NULL;
    call->silent = true;
    if (!call->elsewhere)
        call_free(call);
}

struct tool_executor integrations_executor(struct integrations *integrations)
{
    return (struct tool_executor){.start = start, .cancel = cancel, .self = integrations};
}

struct integrations *integrations_new(const struct integrations_options *options)
{
    struct integrations *integrations = calloc(1, sizeof(*integrations));

    if (integrations == NULL)
        abort();
    integrations->options = *options;
    integrations->tokens = token_cache_new();
    integrations->queries = pool_new(options->loop, QUERY_THREADS, (struct pool_thread_hooks){0});
    return integrations;
}

void integrations_free(struct integrations *integrations)
{
    struct call *call, *next;

    if (integrations == NULL)
        return;
    if (integrations->queries != NULL)
        pool_free(integrations->queries);
    DL_FOREACH_SAFE (integrations->calls, call, next)
        call_free(call);
    token_cache_free(integrations->tokens);
    free(integrations);
}
