#include "chat/call.h"

#include "chat/alerts.h"
#include "chat/door_models.h"
#include "chat/execution.h"
#include "chat/own_endpoints.h"
#include "chat/replay.h"
#include "chat/seat.h"
#include "context/memory.h"
#include "core/loop.h"
#include "core/pool.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

/* -- answering ------------------------------------------------------------------------------ */

void call_free(struct call *call)
{
    call->gone(call);
    outbox_close(&call->outbox);
    tenant_unref(call->tenant);
    buf_free(&call->body);
    arena_free(&call->arena);
    free(call);
}

static void answer(struct call *call, int status, const char *json, size_t len)
{
    struct buf message;
    buf_init(&message, CALL_ANSWER_MAX + 256);
    buf_printf(&message, "%s %d ", call->id, status);
    buf_append(&message, json, len);
    if (!message.over && *call->reply != '\0')
        redis_call(call->engine->live, NULL, NULL, "PUBLISH %s %b", call->reply, message.data,
                   message.len);
    buf_free(&message);
    call_free(call);
}

void call_refuse(struct call *call, enum fd_problem_type type, const char *field,
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
    for (const struct call *call = *asking->open; call != NULL; call = call->next) {
        if (call != asking && call->outbox.engine != NULL && strcmp(call->job, asking->job) == 0)
            return true;
    }
    return false;
}

/* Written by the same deterministic rule as everywhere: a second replay of the job,
 * here or in another worker, changes nothing. */
static void replay(struct call *call)
{
    struct engine *engine = call->engine;
    if (!call->found) {
        call_refuse(call, FD_PROBLEM_NOT_FOUND, NULL, NULL);
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
    news_conversation(&news, call->org, call->facts);
    news_send(&news, call->engine->live);
}

static void ended(struct call *call)
{
    struct engine *engine = call->engine;
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
    struct engine *engine = call->engine;
    if (call->tenant == NULL || !call->tenant->active || !call->tenant->enabled) {
        call_refuse(call, FD_PROBLEM_DISABLED, NULL, NULL);
        return;
    }
    struct llm_endpoints *endpoints = own_endpoints_hold(engine, call->tenant);
    bool found = door_models(endpoints, call->tenant, call->model, &call->body);
    own_endpoints_release(engine, endpoints);
    if (found)
        answer(call, 200, call->body.data, call->body.len);
    else
        call_refuse(call, FD_PROBLEM_MODEL, "model", call->model);
}

/* The next question finds it in PostgreSQL. */
static void take_outcome(struct call *call)
{
    static const char stored[] = "{\"status\":\"stored\"}";
    if (call->session == NULL) {
        call_refuse(call, call->found ? FD_PROBLEM_CONFLICT : FD_PROBLEM_NOT_FOUND, NULL,
                    call->found ? "No outcome is awaited for this call." : NULL);
        return;
    }
    memory_forget(call->engine->live, call->org, call->session);
    answer(call, 200, stored, sizeof(stored) - 1);
}

static void take_visitor_reply(struct call *call)
{
    const struct visitor_reply *reply = &call->visitor_reply;
    struct engine *engine = call->engine;
    news_send(&reply->news, engine->live);
    if (reply->alert)
        alerts_soon(engine->alerts);
    if (reply->refused)
        call_refuse(call, reply->problem, reply->field, reply->detail);
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
                                       .config = call->engine->config,
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
        call->status = store_end_session(seat->db, &call->arena, call->org, call->session,
                                         call->conversation_id, &call->facts);
        break;
    case CALL_MODELS:
        call->status = tenant_load(seat->db, call->engine->config, call->org, &call->tenant);
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
        call_refuse(call,
                    ran && call->status == DB_FAILED ? FD_PROBLEM_INTERNAL : FD_PROBLEM_UNAVAILABLE,
                    NULL, NULL);
        return;
    }
    switch (call->op) {
    case CALL_HISTORY:
        if (call->page == STORE_PAGE_BAD_CURSOR)
            call_refuse(call, FD_PROBLEM_FIELD, "cursor", "not a cursor that a page gave");
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

void call_work(struct call *call)
{
    if (!pool_submit(call->engine->pool, run, done, call))
        call_refuse(call, FD_PROBLEM_OVERLOADED, NULL, NULL);
}
