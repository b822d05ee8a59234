/* What a job needs before it can be routed. */
#include "chat/job_people.h"

#include "chat/door.h"
#include "chat/own_endpoints.h"
#include "chat/signal.h"
#include "context/memory.h"
#include "chat/toolbox.h"
#include "context/turn_language.h"
#include "core/language.h"
#include "core/loop.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

#define RETRIEVE_TRIES 8 /* some 10 s */

/* PostgreSQL is away or busy: it will be back. */
static bool is_transient(const struct job_op *op)
{
    return !op->ran || op->status == DB_LOST || op->status == DB_BUSY;
}

/* -- CLAIMED ------------------------------------------------------------------------------ */

void job_dead_letter(struct job *job, const char *reason)
{
    char stream[32];
    snprintf(stream, sizeof(stream), FD_KEY_DEAD, job->entry.shard);
    redis_call(job->engine->jobs, NULL, NULL, "XADD %s MAXLEN ~ 10000 * job %s org %s reason %s",
               stream, job->entry.id, job->entry.org, reason);
    log_error(&job->log, "job.dead", LOG_STR("reason", reason), LOG_INT("epoch", job->epoch),
              LOG_INT("crashes", job->crashes));
    job->answer.end = ANSWER_DEAD;
    job->answer.problem = FD_PROBLEM_INTERNAL;
    job->answer.reason = reason;
}

static enum job_state die(struct job *job, const char *reason)
{
    job_dead_letter(job, reason);
    return JOB_SAVING;
}

static bool read_body(struct job *job)
{
    struct fd_json_fault json_fault;
    struct fd_field_fault field_fault;
    struct fd_json_limits limits = {.depth = FD_JSON_DEPTH_MAX, .nodes = FD_JSON_NODES_MAX};
    const struct fd_json *body = fd_json_parse(job->entry.body, job->entry.body_len, limits,
                                               arena_allocator(&job->arena), &json_fault);
    return body != NULL && fd_chat_request_read(body, &job->request, &field_fault);
}

static void read_entry(struct job *job)
{
    job->readable = job->entry.door ? door_read(job) : read_body(job);
    if (!job->readable)
        return;
    job->row.request = &job->request;
    job->language = language_of(job->request.message.s, job->request.message.len, NULL);
    if (job->request.language.s != NULL)
        job->language = job->request.language.s;
    job->row.language = job->language;
    if (job->door == NULL)
        job->row.sentiment = job->answer.sentiment.score =
            signal_mood(job->request.message.s, job->request.message.len);
}

/* The job is ours, and nobody has answered it yet. */
static enum job_state begin(struct job *job)
{
    if (job->epoch > 1)
        job_send_reset(job);
    if (!job->readable)
        return job_fail(job, FD_PROBLEM_INTERNAL, NULL, "unreadable body");
    if (job->cancelled)
        return job_cancel(job, "cancelled");
    if (engine_now(job->engine) >= job->entry.deadline_ms)
        return job_fail(job, FD_PROBLEM_DEADLINE, NULL, "deadline");
    return JOB_LOADING;
}

static enum job_state claim(struct job *job)
{
    job->claiming = job_submit(job, &(struct job_op){.kind = JOB_OP_CLAIM});
    if (!job->claiming)
        job_retry_later(job);
    return JOB_CLAIMED;
}

static enum job_state run_claimed(struct job *job)
{
    if (job->suspect)
        job->engine->suspect = job;
    read_entry(job);
    return job->epoch > 1 ? claim(job) : begin(job);
}

enum job_state job_claimed_enter(struct job *job)
{
    if (job->crashes >= FD_JOB_CRASHES_MAX)
        return die(job, "crashes");
    if (job->epoch > FD_JOB_EPOCHS_MAX && job->epoch < JOB_EPOCH_EXPIRED)
        return die(job, "epochs");
    if (job->suspect && job->engine->suspect != NULL)
        return JOB_CLAIMED;
    return run_claimed(job);
}

enum job_state job_claimed_on(struct job *job, const struct job_event *event)
{
    if (event->type == JOB_EV_TURN && job->engine->suspect == NULL)
        return run_claimed(job);
    if (event->type == JOB_EV_TIMER)
        return claim(job);
    if (event->type != JOB_EV_OP)
        return JOB_CLAIMED;
    if (job_op_failed(event->op)) {
        job_retry_later(job);
        return JOB_CLAIMED;
    }
    enum job_state next = job_heed_owner(job, event->op);
    return next == JOB_CLAIMED ? begin(job) : next;
}

/* -- LOADING ------------------------------------------------------------------------------ */

static void on_summary(void *arg, const redisReply *reply)
{
    job_post(handle_of(arg), &(struct job_event){.type = JOB_EV_SUMMARY, .reply = reply});
}

static void on_memory(void *arg, const redisReply *reply)
{
    job_post(handle_of(arg), &(struct job_event){.type = JOB_EV_HISTORY, .reply = reply});
}

static enum job_state loaded(struct job *job)
{
    if (job->endpoints == NULL)
        job->endpoints = own_endpoints_hold(job->engine, job->tenant);
    if (job->to_person && job->tenant->active)
        return job_leave_to_person(job);
    if (!job->tenant->active || !job->tenant->enabled)
        return job_fail(job, FD_PROBLEM_DISABLED, NULL, "disabled");
    if (job->request.language.s == NULL)
        job->language = job->row.language =
            turn_language(job->request.message.s, job->request.message.len, job->prep->history,
                          job->prep->history_count, job->tenant->language);
    job_offer_at_question(job);
    return JOB_RETRIEVING;
}

static enum job_state ask_visitor(struct job *job)
{
    if (!job_submit(job, &(struct job_op){.kind = JOB_OP_VISITOR}))
        job_retry_later(job);
    return JOB_LOADING;
}

enum job_state job_loading_enter(struct job *job)
{
    struct engine *engine = job->engine;
    if (job->tenant == NULL)
        job->tenant = tenant_cache_get(engine->tenants, job->entry.org);
    if (job->toolbox == NULL)
        job->toolbox = toolbox_cache_get(engine->toolboxes, job->entry.org);
    if (job->entry.started)
        job->has_history = job->whole = true;
    if (!job->has_history && !job->asked_memory) {
        job->asked_memory = true;
        job_mark_ask(job);
        if (memory_read(engine->live, job->entry.org, job->entry.session, on_summary, on_memory,
                        handle_arg(job->self)))
            return JOB_LOADING;
    }
    if (job->tenant != NULL && job->toolbox != NULL && job->has_history)
        return job_visitor_wanted(job) ? ask_visitor(job) : loaded(job);
    struct job_op op = {.kind = JOB_OP_LOAD,
                        .wants_tenant = job->tenant == NULL,
                        .wants_toolbox = job->toolbox == NULL,
                        .wants_history = !job->has_history};
    if (!job_submit(job, &op))
        job_retry_later(job);
    return JOB_LOADING;
}

static enum job_state take_loaded(struct job *job, const struct job_op *op)
{
    if (op->wants_tenant) {
        if (op->tenant == NULL)
            return job_fail(job, FD_PROBLEM_DISABLED, NULL, "no such organization");
        job->tenant = tenant_ref(op->tenant);
        tenant_cache_put(job->engine->tenants, op->tenant);
    }
    if (op->wants_toolbox) {
        job->toolbox = toolbox_ref(op->toolbox);
        toolbox_cache_put(job->engine->toolboxes, op->toolbox);
    }
    if (op->wants_history) {
        if (op->ended)
            return job_fail(job, FD_PROBLEM_SESSION_ENDED, NULL, "session ended");
        job->to_person = op->human && !job->request.dry_run && !job->row.apart;
        job->prep->history = op->history;
        job->prep->history_count = op->history_count;
        job->has_history = true;
        job->whole = op->history_count == 0;
        job->prep->summary = op->summary;
        job->last = op->last;
        job->last.tokens = memory_tokens(op->history, op->history_count);
        memory_seed(job->engine->live, job->entry.org, job->entry.session, op->history,
                    op->history_count, &job->last, &op->summary);
    }
    return job_loading_enter(job);
}

/* A list that is long without a word on its summary is not all that there is. */
static enum job_state take_history(struct job *job, const redisReply *reply)
{
    struct job_prep *prep = job->prep;
    job->has_history =
        memory_parse(&prep->arena, reply, &prep->history, &prep->history_count, &job->last) &&
        (job->has_summary || prep->history_count < SUMMARY_FROM) && !job->marked;
    return job_loading_enter(job);
}

enum job_state job_loading_on(struct job *job, const struct job_event *event)
{
    switch (event->type) {
    case JOB_EV_SUMMARY:
        job->has_summary =
            memory_parse_summary(&job->prep->arena, event->reply, &job->prep->summary);
        return JOB_LOADING;
    case JOB_EV_HISTORY: return take_history(job, event->reply);
    case JOB_EV_TIMER: return job_loading_enter(job);
    case JOB_EV_OP:
        if (!job_op_failed(event->op))
            return event->op->kind == JOB_OP_VISITOR ? job_visitor_take(job, event->op)
                                                     : take_loaded(job, event->op);
        if (!is_transient(event->op))
            return job_fail(job, FD_PROBLEM_INTERNAL, NULL, "settings or history");
        job_retry_later(job);
        return JOB_LOADING;
    default: return JOB_LOADING;
    }
}

/* -- RETRIEVING ---------------------------------------------------------------------------- */

static enum job_state search_records(struct job *job)
{
    if (!job_submit(job, &(struct job_op){.kind = JOB_OP_RETRIEVE}))
        job_retry_later(job);
    return JOB_RETRIEVING;
}

enum job_state job_retrieving_enter(struct job *job)
{
    job_recall_ask(job);
    if (!job->tenant->has_knowledge || job->door != NULL)
        return JOB_ROUTED;
    return job_meaning_ask(job) ? JOB_RETRIEVING : search_records(job);
}

/* An answer without the records is worth more than none; the reader is told. */
static enum job_state retrieval_failed(struct job *job, const struct job_op *op)
{
    if (is_transient(op) && job->tries < RETRIEVE_TRIES) {
        job_retry_later(job);
        return JOB_RETRIEVING;
    }
    log_error(&job->log, "job.not_grounded");
    job->ungrounded = true;
    return JOB_ROUTED;
}

enum job_state job_retrieving_on(struct job *job, const struct job_event *event)
{
    if (event->type == JOB_EV_TIMER || event->type == JOB_EV_VECTOR)
        return search_records(job);
    if (event->type != JOB_EV_OP || event->op->kind != JOB_OP_RETRIEVE)
        return JOB_RETRIEVING;
    if (job_op_failed(event->op))
        return retrieval_failed(job, event->op);
    job->prep->retrieved = event->op->retrieved;
    return JOB_ROUTED;
}
