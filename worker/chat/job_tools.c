/* TOOLS and CONFIRMING: what the model called is run, and what came of it is told to it.
 * Every call is driven through its steps on its own; the state only says whether work is
 * under way or a visitor's word is all that is missing. */
#include "chat/job_people.h"
#include "chat/job_tools.h"
#include "chat/job_trace.h"

#include "chat/meters.h"
#include "chat/phrase.h"
#include "core/clock.h"
#include "core/loop.h"
#include "protocol/limits.h"
#include "tool/deeds.h"

#include <string.h>

#define POLL_MS 1000 /* for the visitor's word; the hint comes sooner */

static const char *visible_status(const struct job_call *call)
{
    switch (call->status) {
    case EXECUTION_DONE: return "done";
    case EXECUTION_PENDING:
    case EXECUTION_APPROVING:
    case EXECUTION_APPROVED: return "waiting";
    default: return "failed";
    }
}

/* -- the end of a call ---------------------------------------------------------------------------
 */

static void call_over(struct job *job, struct job_call *call)
{
    struct job_tools *tools = job->tools;
    call->step = CALL_OVER;
    call->out = false;
    if (call->tool == NULL) /* the model's invention: nothing is seen of it */
        return;
    bool acts = call->tool->risk != TOOL_READ;
    if (acts && (call->status == EXECUTION_DONE || call->status == EXECUTION_PENDING)) {
        tools->acted = true;
        tools->deeds |= deeds_nearby(tool_deeds(call->tool->name, call->tool->description));
    }
    tools->informed = tools->informed || (!acts && call->status == EXECUTION_DONE);
    if (call->status == EXECUTION_APPROVING || call->status == EXECUTION_APPROVED)
        tools->awaits_approval = true;
    metric_add(meters.tools, execution_status_name(call->status), 1);
    log_info(&job->log, "tool.ended", LOG_STR("tool", call->tool->name),
             LOG_STR("call", call->call_id), LOG_STR("status", execution_status_name(call->status)),
             LOG_STR("failure", call->failure), LOG_INT("ms", call->ms));
    job_send_tool(job, call->call_id, call->name, visible_status(call), call->ms);
}

static void await_approval(struct job *job, struct job_call *call)
{
    static const char json[] =
        "{\"status\":\"waiting_for_approval\",\"message\":\"A person must approve this first. It "
        "has NOT been done. Tell the visitor that it waits for a person, and that they will hear "
        "of it in this conversation.\"}";
    job_call_result(job, call, json, sizeof(json) - 1);
    job_send_notice(job, "approval", phrase_text(PHRASE_APPROVAL, job->language));
    call_over(job, call);
}

/* Begun by a worker that is gone: a write may have happened, and is not made twice. */
static void outcome_unknown(struct job *job, struct job_call *call)
{
    job_call_refuse(job, call, TOOL_TIMEOUT, "outcome_unknown",
                    "It was begun, but whether it happened is not known. Do not call it again; "
                    "tell the visitor that it has to be checked.");
    call->status = EXECUTION_UNKNOWN;
    call->step = CALL_END;
}

/* It ended under an earlier epoch: what came of it is told again, and not made again. */
static void reuse(struct job *job, struct job_call *call, const struct execution *stored)
{
    bool ended_well = stored->status == EXECUTION_DONE || stored->status == EXECUTION_PENDING;
    const char *json = stored->response != NULL ? stored->response : "{\"status\":\"accepted\"}";
    if (stored->response != NULL || ended_well)
        job_call_result(job, call, json, strlen(json));
    else
        job_call_refuse(job, call, TOOL_REFUSED, "not_confirmed",
                        "It was not confirmed in time, or was declined. It was not done.");
    call->ms = stored->ms;
    call->failure = arena_strdup(&job->tools->arena, stored->failure);
    call->status = stored->status;
    call_over(job, call);
}

/* -- what the rows say ---------------------------------------------------------------------------
 */

static void found(struct job *job, struct job_call *call, const struct execution *stored)
{
    switch (stored->status) {
    case EXECUTION_CONFIRMING:
        call->expires_ms = stored->expires_ms;
        call->step = CALL_ASK;
        break;
    case EXECUTION_APPROVING:
    case EXECUTION_APPROVED:
        call->status = stored->status;
        await_approval(job, call);
        break;
    case EXECUTION_STARTED:
    case EXECUTION_UNKNOWN:
        if (stored->made || call->tool->risk == TOOL_READ)
            call->step = CALL_RUN;
        else
            outcome_unknown(job, call);
        break;
    default: reuse(job, call, stored); break;
    }
}

static void begun(struct job *job, struct job_call *call, const struct execution *row)
{
    if (!row->made && call->tool != NULL) {
        found(job, call, row);
        return;
    }
    switch (row->status) {
    case EXECUTION_STARTED: call->step = CALL_RUN; break;
    case EXECUTION_CONFIRMING: job_confirm_begin(job, call); break;
    case EXECUTION_APPROVING: await_approval(job, call); break;
    default: call_over(job, call); break; /* refused, and noted */
    }
}

static void accepted(struct job *job, struct job_call *call, const struct execution *row)
{
    if (row->made)
        call->step = CALL_RUN;
    else
        found(job, call, row);
}

static enum job_state op_ended(struct job *job, const struct job_op *op)
{
    struct job_call *call = op->call;
    if (call == NULL) {
        if (job_op_failed(op))
            job_retry_later(job);
        return job_heed_owner(job, op);
    }
    call->out = false;
    if (job_op_failed(op)) {
        job_retry_later(job); /* until the deadline: without its row nothing is run */
        return job->state;
    }
    job->tries = 0;
    if (op->kind == JOB_OP_TOOL_END) {
        if (op->execution.status == call->status)
            call_over(job, call);
        else
            reuse(job, call, &op->execution); /* the callback came first */
        return job->state;
    }
    if (!op->execution.mine)
        return JOB_DONE;
    if (op->execution.human)
        return job_taken(job);
    if (op->kind == JOB_OP_TOOL_BEGIN)
        begun(job, call, &op->execution);
    else
        accepted(job, call, &op->execution);
    return job->state;
}

/* -- running --------------------------------------------------------------------------------------
 */

static void on_run_end(void *arg, const struct tool_result *result)
{
    struct job_call *call = arg;
    struct job *job = call->job;
    call->run = NULL;
    job_advance(job, &(struct job_event){.type = JOB_EV_TOOL, .call = call, .result = result});
}

static const char *channel_of(const struct job_entry *entry)
{
    if (entry->test != NULL)
        return entry->test->channel;
    if (entry->channel != NULL)
        return entry->channel;
    return entry->secret_key ? "api" : "widget";
}

static void run(struct job *job, struct job_call *call)
{
    char callback[ENGINE_CALLBACK_SIZE];
    struct tool_context context = {
        .org = job->entry.org,
        .org_name = job->tenant->name,
        .session = job->entry.session,
        .conversation_id = job->conversation_id,
        .job_id = job->entry.id,
        .call_id = call->call_id,
        .language = job->language,
        .channel = channel_of(&job->entry),
        .user_id = job->request.user_id.s,
        /* its own proof, or the caller's server vouches for it */
        .user_verified = job->visitor_verified || job->entry.secret_key,
        .user_email = job->visitor_email,
        .callback_url = engine_callback_url(job->engine, job->entry.org, call->row, callback),
        .deadline_ms = job->entry.deadline_ms,
        .step = (int)job->tools->rounds};
    call->out = true;
    call->began_ms = clock_mono_ms();
    job_send_tool(job, call->call_id, call->name, "running", 0);
    call->run =
        tool_run_start(job->engine->tools, call->tool, call->arguments, &context, on_run_end, call);
}

static void run_ended(struct job *job, struct job_call *call, const struct tool_result *result)
{
    call->out = false;
    job_call_result(job, call, result->json, result->len);
    call->status = execution_status_of(call->tool->risk, result);
    call->failure = result->failure != TOOL_OK ? tool_failure_name(result->failure) : NULL;
    call->detail = arena_strdup(&job->tools->arena, result->operator_detail);
    call->http_status = result->status;
    call->ms = clock_mono_ms() - call->began_ms;
    call->step = CALL_END;
}

/* -- driving --------------------------------------------------------------------------------------
 */

static bool submit(struct job *job, struct job_call *call, enum job_op_kind kind)
{
    call->out = job_submit(job, &(struct job_op){.kind = kind, .call = call});
    return call->out;
}

/* The next thing that this call needs; false: it has to be tried again. */
static bool drive(struct job *job, struct job_call *call)
{
    if (call->out)
        return true;
    switch (call->step) {
    case CALL_BEGIN: return submit(job, call, JOB_OP_TOOL_BEGIN);
    case CALL_ACCEPT: return submit(job, call, JOB_OP_TOOL_ACCEPT);
    case CALL_END: return submit(job, call, JOB_OP_TOOL_END);
    case CALL_RUN: run(job, call); return true;
    case CALL_ASK:
    case CALL_OVER: break;
    }
    return true;
}

static enum job_state next_round(struct job *job)
{
    job_trace_tools(job);
    job_tools_tell_model(job);
    job->calls = 0;
    job->first_call_ms = 0;
    return JOB_REQUESTING;
}

static enum job_state work(struct job *job)
{
    bool again = false, busy = false, over = true;
    if (!job->row.claimed) { /* PostgreSQL has to know whose the job is */
        job_ask_owner(job);
        if (!job->claiming)
            job_retry_later(job);
        return JOB_TOOLS;
    }
    for (struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        again = !drive(job, call) || again;
        busy = busy || call->out;
        over = over && call->step == CALL_OVER;
    }
    if (over)
        return next_round(job);
    if (again)
        job_retry_later(job);
    else if (job_confirm_open(job) && !timer_armed(job->timer))
        job_wait(job, POLL_MS);
    return busy || again ? JOB_TOOLS : JOB_CONFIRMING;
}

enum job_state job_tools_enter(struct job *job)
{
    for (struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        if (call->job != NULL || call->step == CALL_OVER)
            continue;
        call->job = job;
        execution_uuid(call->row, job->entry.id, call->call_id);
        if (call->tool != NULL)
            job_call_ask(job, call);
    }
    enum job_state next = work(job);
    if (next == JOB_TOOLS || next == JOB_CONFIRMING)
        job_confirm_poll(job);
    return next;
}

enum job_state job_tools_on(struct job *job, const struct job_event *event)
{
    enum job_state next = job->state;
    switch (event->type) {
    case JOB_EV_OP:
        next = op_ended(job, event->op);
        if (next != job->state || job_op_failed(event->op))
            return next; /* tried again by the timer */
        break;
    case JOB_EV_TOOL: run_ended(job, event->call, event->result); break;
    case JOB_EV_WORDS: job_confirm_take(job, event->reply); break;
    case JOB_EV_CONFIRM:
    case JOB_EV_TIMER: job_confirm_expire(job); break;
    default: return next;
    }
    next = work(job);
    if (event->type != JOB_EV_WORDS && (next == JOB_TOOLS || next == JOB_CONFIRMING))
        job_confirm_poll(job);
    return next;
}

/* -- the job ends meanwhile ---------------------------------------------------------------------
 */

bool job_tools_open(const struct job *job)
{
    if (job->tools == NULL || job->tools->round == NULL)
        return false;
    for (const struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        if (call->job != NULL && call->step != CALL_OVER)
            return true;
    }
    return false;
}

void job_tools_stop(struct job *job)
{
    if (job->tools == NULL)
        return;
    for (struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        if (call->run != NULL)
            tool_run_cancel(call->run);
        call->run = NULL;
    }
}
