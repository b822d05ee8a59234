#include "chat/job_people.h"
#include "chat/job_tools.h"

#include "context/memory.h"
#include "context/retrieve.h"
#include "context/summary_store.h"
#include "chat/seat.h"
#include "core/failpoint.h"
#include "core/loop.h"
#include "core/pool.h"
#include "protocol/limits.h"

#include <stdlib.h>

#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS  3000

static void run_load(struct job_op *op, struct db *db)
{
    struct job *job = op->job;
    op->status = DB_OK;
    if (op->wants_tenant)
        op->status = tenant_load(db, job->engine->config, job->entry.org, &op->tenant);
    if (op->status == DB_OK && op->wants_toolbox)
        op->status = toolbox_load(db, job->entry.org, &op->toolbox);
    if (op->status == DB_OK && op->wants_history)
        op->status = store_history(db, &job->prep->arena, job->entry.org, job->entry.session,
                                   job->entry.id, MEMORY_MESSAGES, &op->history, &op->history_count,
                                   &op->last, &op->ended, &op->human);
    op->summary = (struct summary){.text = ""};
    if (op->status == DB_OK && op->wants_history && op->history_count >= SUMMARY_FROM)
        op->status =
            summary_find(db, &job->prep->arena, job->entry.org, job->entry.session, &op->summary);
}

static void run_retrieve(struct job_op *op, struct db *db)
{
    struct job *job = op->job;
    struct arena *a = &job->prep->arena;
    const char *url = job->request.page_url.s, *title = job->request.page_title.s;
    struct ranked *meaning;
    size_t meaning_count = job_meaning_search(job, db, a, &meaning);
    const struct retrieve_ask ask = {
        .org = job->entry.org,
        .question = job->request.message.s,
        .language = job->language,
        .topic = retrieve_topic(job->prep->history, job->prep->history_count),
        .meaning = meaning,
        .meaning_count = meaning_count,
        .page = url != NULL || title != NULL
                    ? arena_printf(a, "%s %s", url != NULL ? url : "", title != NULL ? title : "")
                    : NULL};
    op->status = retrieve_snippets(db, a, &ask, &op->retrieved);
}

static void run_tool_begin(struct job_op *op, struct db *db)
{
    const struct job_call *call = op->call;
    bool listed = call->tool != NULL; /* else nothing of its arguments is kept */
    struct execution_call row = {.id = call->row,
                                 .call_id = call->call_id,
                                 .tool = call->name,
                                 .risk = listed ? call->tool->risk : TOOL_READ,
                                 .step = (int)op->job->tools->rounds,
                                 .arguments = listed ? call->arguments : "{}",
                                 .status = call->status,
                                 .failure = call->failure,
                                 .summary = call->summary,
                                 .expires_ms = call->expires_ms};
    op->status = execution_begin(db, &op->arena, &op->job->row, &row, &op->execution);
}

static void run_tool_end(struct job_op *op, struct db *db)
{
    const struct job_call *call = op->call;
    struct execution_end end = {.status = call->status,
                                .failure = call->failure,
                                .response = call->result,
                                .response_len = call->result_len,
                                .detail = call->detail,
                                .http_status = call->http_status,
                                .ms = call->ms};
    op->status = execution_end(db, &op->arena, op->job->entry.org, call->row, &end, &op->execution);
}

static void run_save(struct job_op *op, struct db *db)
{
    struct job *job = op->job;
    op->status = job_tools_open(job) ? execution_abandon(db, &job->row) : DB_OK;
    if (op->status == DB_OK)
        op->status = store_save(db, &job->row, &job->answer, &job->outcome, &op->claim);
    failpoint("committed");
}

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct job_op *op = arg;
    struct job *job = op->job;
    crumb_set(seat->crumb, seat->slot, job->entry.id);
    switch (op->kind) {
    case JOB_OP_CLAIM: op->status = store_claim(seat->db, &job->row, &op->claim); break;
    case JOB_OP_LOAD: run_load(op, seat->db); break;
    case JOB_OP_RETRIEVE: run_retrieve(op, seat->db); break;
    case JOB_OP_RESERVE: op->status = budget_reserve(seat->db, &op->ask, &op->word); break;
    case JOB_OP_VISITOR:
        op->status = offer_visitor(seat->db, &op->arena, job->engine->config->vault_keys, &job->row,
                                   &op->visitor);
        break;
    case JOB_OP_OFFER: op->status = offer_make(seat->db, &job->row, op->offer, &op->found); break;
    case JOB_OP_TOOL_BEGIN: run_tool_begin(op, seat->db); break;
    case JOB_OP_TOOL_ACCEPT:
        op->status = execution_accept(seat->db, &job->row, op->call->row,
                                      job->entry.deadline_ms + FD_JOB_LINGER_MS, &op->execution);
        break;
    case JOB_OP_TOOL_END: run_tool_end(op, seat->db); break;
    case JOB_OP_PAST:
        op->status =
            execution_past(seat->db, &op->arena, job->entry.org, job->conversation_id, &op->past);
        break;
    case JOB_OP_SAVE: run_save(op, seat->db); break;
    case JOB_OP_OUTCOME:
        op->status = store_outcome(seat->db, &job->arena, job->entry.org, "", job->entry.id,
                                   &op->outcome, &op->found);
        break;
    }
    crumb_clear(seat->crumb, seat->slot);
}

static void done(void *arg, bool ran)
{
    struct job_op *op = arg;
    struct job *job = op->job;
    op->ran = ran;
    job->ops--;
    if (op->kind == JOB_OP_CLAIM)
        job->claiming = false;
    if (op->kind == JOB_OP_RESERVE)
        job->reserving = false;
    job_advance(job, &(struct job_event){.type = JOB_EV_OP, .op = op});
    tenant_unref(op->tenant);
    toolbox_unref(op->toolbox);
    arena_free(&op->arena);
    free(op);
}

bool job_submit(struct job *job, const struct job_op *op)
{
    struct job_op *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        abort();
    *copy = *op;
    copy->job = job;
    if (!pool_submit(job->engine->pool, run, done, copy)) {
        free(copy);
        return false;
    }
    job->ops++;
    return true;
}

bool job_op_failed(const struct job_op *op)
{
    return !op->ran || op->status != DB_OK;
}

static void on_timer(void *arg)
{
    job_advance(arg, &(struct job_event){.type = JOB_EV_TIMER});
}

void job_wait(struct job *job, int64_t ms)
{
    if (job->timer == NULL)
        job->timer = timer_new(job->engine->loop, on_timer, job);
    timer_set(job->timer, ms);
}

void job_retry_later(struct job *job)
{
    int64_t ms = (int64_t)RETRY_FIRST_MS << (job->tries < 6 ? job->tries : 6);
    job->tries++;
    job_wait(job, ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS);
}

void job_ask_owner(struct job *job)
{
    if (!job->row.claimed && !job->claiming && !job->request.dry_run)
        job->claiming = job_submit(job, &(struct job_op){.kind = JOB_OP_CLAIM});
}

enum job_state job_heed_owner(struct job *job, const struct job_op *op)
{
    if (op->kind != JOB_OP_CLAIM || job_op_failed(op))
        return job->state; /* the save asks again */
    switch (op->claim) {
    case STORE_LATER: return JOB_DONE;
    case STORE_ANSWERED:
    case STORE_SAVED:
        job_cancel_call(job);
        job_sentiment_drop(job);
        job->replays = job->committed = true;
        return JOB_ACKING;
    case STORE_ENDED: return job_fail(job, FD_PROBLEM_SESSION_ENDED, NULL, "session ended");
    case STORE_HUMAN:
        job->row.claimed = true;
        return job->state < JOB_SAVING ? job_taken(job) : job->state;
    case STORE_MINE:
        job->row.claimed = true;
        job_tell_change(job);
        break;
    }
    return job->state;
}
