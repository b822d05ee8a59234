#include "chat/calls.h"

#include "chat/alerts.h"
#include "chat/door_models.h"
#include "chat/entry.h"
#include "chat/execution.h"
#include "context/memory.h"
#include "chat/meters.h"
#include "chat/own_endpoints.h"
#include "chat/replay.h"
#include "chat/seat.h"
#include "chat/store.h"
#include "chat/sync.h"
#include "chat/visitor_call.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "protocol/call.h"
#include "protocol/ids.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS        32
#define BLOCK_MS     5000
#define SILENT_MS    15000
#define RETRY_MS     250
#define ARGS_MAX     (8 * FD_CALLBACK_MAX) /* of a field */
#define ANSWER_BYTES 8388608 /* of one answer: a page of history, every byte escaped */
#define LIMIT_MAX    100
#define LIMIT_USUAL  50

struct calls {
    struct engine *engine;
    struct redis *conn;
    struct timer *timer;
    struct call *open;
    int count;
    bool reading;
    bool grouped;
    bool stopped;
};

enum call_op { CALL_HISTORY, CALL_END, CALL_MODELS, CALL_REPLAY, CALL_OUTCOME, CALL_VISITOR };

struct call {
    struct calls *calls;
    struct call *prev, *next;
    struct arena arena;
    enum call_op op;
    const char *id, *reply, *request, *org, *session, *job;
    int64_t deadline_ms; /* unix */
    struct log_context log;

    int limit;
    const char *cursor;
    const char *model;
    struct tenant *tenant;

    enum db_status status;
    enum store_page page;
    struct buf body;
    char conversation_id[STORE_UUID_SIZE];
    struct store_outcome outcome;
    bool found;
    struct outbox outbox;

    const char *tool_call; /* of OUTCOME */
    const struct fd_json *tool_outcome;

    visitor_call_fn *visitor; /* of VISITOR */
    const struct fd_json *args;
    struct visitor_reply visitor_reply;
};

static void read_more(struct calls *calls);

/* -- answering ------------------------------------------------------------------------------ */

static void call_free(struct call *call)
{
    struct calls *calls = call->calls;
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        calls->open = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    calls->count--;
    outbox_close(&call->outbox);
    tenant_unref(call->tenant);
    buf_free(&call->body);
    arena_free(&call->arena);
    free(call);
    read_more(calls);
}

static void answer(struct call *call, int status, const char *json, size_t len)
{
    struct buf message;
    buf_init(&message, ANSWER_BYTES + 256);
    buf_printf(&message, "%s %d ", call->id, status);
    buf_append(&message, json, len);
    if (!message.over && *call->reply != '\0')
        redis_call(call->calls->engine->live, NULL, NULL, "PUBLISH %s %b", call->reply,
                   message.data, message.len);
    buf_free(&message);
    call_free(call);
}

static void refuse(struct call *call, enum fd_problem_type type, const char *field,
                   const char *detail)
{
    struct buf json;
    struct fd_json_writer w;
    struct fd_problem problem = {
        .type = type, .field = field, .detail = detail, .request_id = call->request};
    buf_init(&json, 8192);
    buf_json(&json, &w);
    fd_problem_write(&w, &problem);
    if (buf_json_end(&json, &w))
        answer(call, fd_problem_status(type), json.data, json.len);
    else
        call_free(call);
    buf_free(&json);
}

static void on_replayed(void *arg)
{
    struct call *call = arg;
    answer(call, 200, "{}", 2);
}

static bool is_replaying(const struct call *asking)
{
    for (const struct call *call = asking->calls->open; call != NULL; call = call->next) {
        if (call != asking && call->outbox.engine != NULL && strcmp(call->job, asking->job) == 0)
            return true;
    }
    return false;
}

/* Written by the same deterministic rule as everywhere: a second replay of the job,
 * here or in another worker, changes nothing. */
static void replay(struct call *call)
{
    struct engine *engine = call->calls->engine;
    if (!call->found) {
        refuse(call, FD_PROBLEM_NOT_FOUND, NULL, NULL);
        return;
    }
    if (!call->outcome.terminal || is_replaying(call)) {
        answer(call, 200, "{}", 2); /* its events are on their way */
        return;
    }
    call->outcome.epoch++;
    outbox_open(&call->outbox, engine, call->job, (uint32_t)call->outcome.epoch, OUTBOX_REPLAY,
                FD_EVENTS_LINGER_MS, on_replayed, call);
    replay_write(&call->outbox, &call->outcome);
}

/* To the visitor's other pages, and to the operator who may have it. */
static void tell_end(struct call *call)
{
    struct news news;
    news_init(&news, &call->arena);
    news_session(&news, call->session, FD_EVENT_STATUS, "{\"status\":\"ended\"}");
    news_org(&news, call->org, FD_EVENT_STATUS,
             arena_printf(&call->arena, "{\"conversation_id\":\"%s\",\"status\":\"ended\"}",
                          call->conversation_id));
    news_send(&news, call->calls->engine->live);
}

static void ended(struct call *call)
{
    struct engine *engine = call->calls->engine;
    struct fd_json_writer w;
    memory_forget(engine->live, call->org, call->session);
    tell_end(call);
    buf_json(&call->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "session_id", call->session);
    fd_jw_member(&w, "status", "ended");
    fd_jw_end_object(&w);
    buf_json_end(&call->body, &w);
    answer(call, 200, call->body.data, call->body.len);
}

static void models(struct call *call)
{
    struct engine *engine = call->calls->engine;
    if (call->tenant == NULL || !call->tenant->active || !call->tenant->enabled) {
        refuse(call, FD_PROBLEM_DISABLED, NULL, NULL);
        return;
    }
    struct llm_endpoints *endpoints = own_endpoints_hold(engine, call->tenant);
    bool found = door_models(endpoints, call->tenant, call->model, &call->body);
    own_endpoints_release(engine, endpoints);
    if (found)
        answer(call, 200, call->body.data, call->body.len);
    else
        refuse(call, FD_PROBLEM_MODEL, "model", call->model);
}

/* The next question finds it in PostgreSQL. */
static void take_outcome(struct call *call)
{
    static const char stored[] = "{\"status\":\"stored\"}";
    if (call->session == NULL) {
        refuse(call, call->found ? FD_PROBLEM_CONFLICT : FD_PROBLEM_NOT_FOUND, NULL,
               call->found ? "No outcome is awaited for this call." : NULL);
        return;
    }
    memory_forget(call->calls->engine->live, call->org, call->session);
    answer(call, 200, stored, sizeof(stored) - 1);
}

static void take_visitor_reply(struct call *call)
{
    const struct visitor_reply *reply = &call->visitor_reply;
    struct engine *engine = call->calls->engine;
    news_send(&reply->news, engine->live);
    if (reply->alert)
        alerts_soon(engine->alerts);
    if (reply->refused)
        refuse(call, reply->problem, reply->field, reply->detail);
    else
        answer(call, 200, call->body.data, call->body.len);
}

/* -- the work ---------------------------------------------------------------------------------- */

static enum db_status run_visitor(struct call *call, struct db *db)
{
    struct visitor_reply *reply = &call->visitor_reply;
    const struct visitor_call asked = {.org = call->org,
                                       .session = call->session,
                                       .args = call->args,
                                       .config = call->calls->engine->config,
                                       .arena = &call->arena};
    reply->body = &call->body;
    news_init(&reply->news, &call->arena);
    return call->visitor(db, &asked, reply);
}

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct call *call = arg;
    switch (call->op) {
    case CALL_HISTORY:
        call->status = store_history_page(seat->db, call->org, call->session, call->limit,
                                          call->cursor, &call->body, &call->page);
        break;
    case CALL_END:
        call->status = store_end_session(seat->db, call->org, call->session, call->conversation_id);
        break;
    case CALL_MODELS:
        call->status = tenant_load(seat->db, call->calls->engine->config, call->org, &call->tenant);
        break;
    case CALL_REPLAY:
        call->status = store_outcome(seat->db, &call->arena, call->org, call->session, call->job,
                                     &call->outcome, &call->found);
        break;
    case CALL_OUTCOME:
        call->status = execution_late(seat->db, &call->arena, call->org, call->tool_call,
                                      call->tool_outcome, &call->found, &call->session);
        break;
    case CALL_VISITOR: call->status = run_visitor(call, seat->db); break;
    }
}

static void done(void *arg, bool ran)
{
    struct call *call = arg;
    if (!ran || call->status != DB_OK) {
        refuse(call,
               ran && call->status == DB_FAILED ? FD_PROBLEM_INTERNAL : FD_PROBLEM_UNAVAILABLE,
               NULL, NULL);
        return;
    }
    switch (call->op) {
    case CALL_HISTORY:
        if (call->page == STORE_PAGE_BAD_CURSOR)
            refuse(call, FD_PROBLEM_FIELD, "cursor", "not a cursor that a page gave");
        else
            answer(call, 200, call->body.data, call->body.len);
        break;
    case CALL_END: ended(call); break;
    case CALL_MODELS: models(call); break;
    case CALL_REPLAY: replay(call); break;
    case CALL_OUTCOME: take_outcome(call); break;
    case CALL_VISITOR: take_visitor_reply(call); break;
    }
}

/* -- reading ------------------------------------------------------------------------------------
 */

static bool read_op(struct call *call, const char *op)
{
    if (op != NULL && strcmp(op, FD_CALL_HISTORY) == 0)
        call->op = CALL_HISTORY;
    else if (op != NULL && strcmp(op, FD_CALL_END) == 0)
        call->op = CALL_END;
    else if (op != NULL && strcmp(op, FD_CALL_MODELS) == 0)
        call->op = CALL_MODELS;
    else if (op != NULL && strcmp(op, FD_CALL_REPLAY) == 0)
        call->op = CALL_REPLAY;
    else if (op != NULL && strcmp(op, FD_CALL_OUTCOME) == 0)
        call->op = CALL_OUTCOME;
    else if (op != NULL && (call->visitor = visitor_call_find(op)) != NULL)
        call->op = CALL_VISITOR;
    else
        return false;
    return true;
}

static const char *text(struct call *call, const redisReply *fields, const char *name)
{
    const redisReply *value = entry_field(fields, name);
    return value != NULL && value->len <= ARGS_MAX
               ? arena_strndup(&call->arena, value->str, value->len)
               : "";
}

/* What every question must have; a malformed one is of a newer nginx, or none of its. */
static bool read_fields(struct call *call, const redisReply *fields)
{
    const char *op = text(call, fields, "op");
    call->id = text(call, fields, "id");
    call->reply = text(call, fields, "reply");
    call->request = text(call, fields, "request");
    call->org = text(call, fields, "org");
    call->session = text(call, fields, "session");
    call->job = text(call, fields, "job");
    call->deadline_ms = strtoll(text(call, fields, "deadline"), NULL, 10);
    call->log = (struct log_context){.request_id = call->request, .org_id = call->org};
    if (!read_op(call, op) || !fd_uuid_valid(call->org, strlen(call->org)))
        return false;
    metric_add(meters.calls, op, 1);
    if (call->op == CALL_REPLAY)
        return fd_job_id_valid(call->job, strlen(call->job));
    if (call->op == CALL_OUTCOME)
        return true;
    if (call->op == CALL_VISITOR && strcmp(op, FD_CALL_FEEDBACK) == 0 && *call->session == '\0')
        return true; /* a secret key's: of any session */
    return call->op == CALL_MODELS || fd_session_id_shaped(call->session, strlen(call->session));
}

static const struct fd_json *read_args(struct call *call, const redisReply *fields)
{
    struct fd_json_fault fault;
    const char *json = text(call, fields, "args");
    if (*json == '\0')
        return NULL;
    return fd_json_parse(json, strlen(json), (struct fd_json_limits){0},
                         arena_allocator(&call->arena), &fault);
}

/* False: answered with what is wrong. */
static bool read_page(struct call *call, const redisReply *fields)
{
    const struct fd_json *args = read_args(call, fields);
    int64_t limit = fd_json_int(args, "limit", LIMIT_USUAL);
    call->cursor = fd_json_string(args, "cursor");
    if (call->cursor != NULL && *call->cursor == '\0')
        call->cursor = NULL;
    if (limit < 1 || limit > LIMIT_MAX) {
        refuse(call, FD_PROBLEM_FIELD, "limit", "a number from 1 to 100 would be right");
        return false;
    }
    call->limit = (int)limit;
    return true;
}

static bool read_outcome(struct call *call, const redisReply *fields)
{
    struct fd_json_fault fault;
    const char *json = text(call, fields, "args");
    struct fd_json_limits limits = {FD_JSON_DEPTH_MAX + 1, FD_JSON_NODES_MAX + 8};
    const struct fd_json *args =
        fd_json_parse(json, strlen(json), limits, arena_allocator(&call->arena), &fault);
    call->tool_call = fd_json_string(args, "call");
    call->tool_outcome = fd_json_get(args, "outcome");
    if (call->tool_outcome != NULL && call->tool_call != NULL &&
        fd_uuid_valid(call->tool_call, strlen(call->tool_call)))
        return true;
    refuse(call, FD_PROBLEM_BAD_REQUEST, NULL, NULL);
    return false;
}

static void take(struct calls *calls, const redisReply *fields)
{
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        abort();
    call->calls = calls;
    call->next = calls->open;
    if (call->next != NULL)
        call->next->prev = call;
    calls->open = call;
    calls->count++;
    arena_init(&call->arena);
    buf_init(&call->body, ANSWER_BYTES);
    if (!read_fields(call, fields)) {
        log_error(&call->log, "call.malformed");
        refuse(call, FD_PROBLEM_BAD_REQUEST, NULL, NULL);
        return;
    }
    if (clock_wall_ms() > call->deadline_ms) {
        call_free(call);
        return;
    }
    if (call->op == CALL_HISTORY && !read_page(call, fields))
        return;
    if (call->op == CALL_OUTCOME && !read_outcome(call, fields))
        return;
    if (call->op == CALL_VISITOR)
        call->args = read_args(call, fields);
    if (call->op == CALL_MODELS)
        call->model = fd_json_string(read_args(call, fields), "model");
    store_uuid(call->conversation_id, "conversation", call->org, call->session);
    if (!pool_submit(calls->engine->pool, run, done, call))
        refuse(call, FD_PROBLEM_OVERLOADED, NULL, NULL);
}

static void on_read(void *arg, const redisReply *reply)
{
    struct calls *calls = arg;
    calls->reading = false;
    if (reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        calls->grouped = false;
        sync_soon(calls->engine->sync); /* a server that lost the group lost the keys, too */
        timer_set(calls->timer, RETRY_MS);
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1) {
        const redisReply *entries = reply->element[0]->element[1];
        for (size_t i = 0; i < entries->elements; i++) {
            const redisReply *entry = entries->element[i];
            redis_call(calls->engine->live, NULL, NULL, "XDEL %s %s", FD_KEY_CALLS,
                       entry->element[0]->str);
            if (!entry_gone(entry))
                take(calls, entry->element[1]);
        }
    }
    read_more(calls);
}

static void read_more(struct calls *calls)
{
    if (calls->stopped || calls->reading || calls->count >= SLOTS || !redis_up(calls->conn))
        return;
    if (!calls->grouped) {
        redis_call(calls->conn, NULL, NULL, "XGROUP CREATE %s %s 0 MKSTREAM", FD_KEY_CALLS,
                   FD_GROUP_WORKERS);
        calls->grouped = true;
    }
    calls->reading = redis_call(
        calls->conn, on_read, calls, "XREADGROUP GROUP %s %s COUNT %d BLOCK %d NOACK STREAMS %s >",
        FD_GROUP_WORKERS, calls->engine->name, SLOTS - calls->count, BLOCK_MS, FD_KEY_CALLS);
}

static void on_timer(void *arg)
{
    read_more(arg);
}

static void on_up(void *arg)
{
    struct calls *calls = arg;
    calls->reading = calls->grouped = false;
    read_more(calls);
}

struct calls *calls_new(struct engine *engine)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    if (calls == NULL)
        abort();
    calls->engine = engine;
    calls->timer = timer_new(engine->loop, on_timer, calls);
    struct redis_options options = {.name = "calls",
                                    .address = engine->config->live_redis,
                                    .on_up = on_up,
                                    .arg = calls,
                                    .command_timeout_ms = SILENT_MS};
    calls->conn = redis_new(engine->loop, &options);
    if (calls->conn == NULL) {
        calls_free(calls);
        return NULL;
    }
    return calls;
}

void calls_stop(struct calls *calls)
{
    calls->stopped = true;
    timer_stop(calls->timer);
    redis_free(calls->conn);
    calls->conn = NULL;
}

void calls_free(struct calls *calls)
{
    if (calls == NULL)
        return;
    calls->stopped = true;
    redis_free(calls->conn);
    while (calls->open != NULL)
        call_free(calls->open);
    timer_free(calls->timer);
    free(calls);
}
