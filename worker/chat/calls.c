#include "chat/calls.h"

#include "chat/call.h"
#include "chat/entry.h"
#include "chat/meters.h"
#include "chat/sync.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "protocol/call.h"
#include "protocol/ids.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS       32
#define BLOCK_MS    5000
#define SILENT_MS   15000
#define RETRY_MS    250
#define ARGS_MAX    (8 * FD_CALLBACK_MAX) /* of a field */
#define LIMIT_MAX   100
#define LIMIT_USUAL 50

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

static void read_more(struct calls *calls);

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
        call_refuse(call, FD_PROBLEM_FIELD, "limit", "a number from 1 to 100 would be right");
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
    call_refuse(call, FD_PROBLEM_BAD_REQUEST, NULL, NULL);
    return false;
}

static void on_gone(struct call *call)
{
    struct calls *calls = call->arg;
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        calls->open = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    calls->count--;
    read_more(calls);
}

static void take(struct calls *calls, const redisReply *fields)
{
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        abort();
    call->engine = calls->engine;
    call->open = &calls->open;
    call->gone = on_gone;
    call->arg = calls;
    call->next = calls->open;
    if (call->next != NULL)
        call->next->prev = call;
    calls->open = call;
    calls->count++;
    arena_init(&call->arena);
    buf_init(&call->body, CALL_ANSWER_MAX);
    if (!read_fields(call, fields)) {
        log_error(&call->log, "call.malformed");
        call_refuse(call, FD_PROBLEM_BAD_REQUEST, NULL, NULL);
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
    call_work(call);
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
