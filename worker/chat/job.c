#include "chat/job_people.h"
#include "chat/job_tools.h"
#include "chat/job_trace.h"

#include "chat/meters.h"
#include "chat/own_endpoints.h"
#include "core/clock.h"
#include "core/failpoint.h"
#include "core/loop.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

struct state {
    const char *name;
    enum job_state (*enter)(struct job *job);
    enum job_state (*on)(struct job *job, const struct job_event *event);
};

static const struct state states[JOB_STATES] = {
    [JOB_CLAIMED] = {"claimed", job_claimed_enter, job_claimed_on},
    [JOB_LOADING] = {"loading", job_loading_enter, job_loading_on},
    [JOB_RETRIEVING] = {"retrieving", job_retrieving_enter, job_retrieving_on},
    [JOB_ROUTED] = {"routed", job_routed_enter, NULL},
    [JOB_RECALLING] = {"recalling", job_recalling_enter, job_recalling_on},
    [JOB_RESERVING] = {"reserving", job_reserving_enter, job_reserving_on},
    [JOB_REQUESTING] = {"requesting", job_requesting_enter, job_requesting_on},
    [JOB_BACKOFF] = {"backoff", NULL, job_backoff_on},
    [JOB_STREAMING] = {"streaming", NULL, job_streaming_on},
    [JOB_TOOLS] = {"tools", job_tools_enter, job_tools_on},
    [JOB_CONFIRMING] = {"confirming", job_tools_enter, job_tools_on},
    [JOB_CHECKING] = {"checking", job_checking_enter, job_checking_on},
    [JOB_SAVING] = {"saving", job_saving_enter, job_saving_on},
    [JOB_ACKING] = {"acking", job_acking_enter, job_acking_on},
    [JOB_DONE] = {"done", NULL, NULL},
};

/* -- life ------------------------------------------------------------------------------- */

static void on_outbox(void *arg)
{
    job_advance(arg, &(struct job_event){.type = JOB_EV_OUTBOX});
}

static int64_t stream_life(const struct job *job)
{
    int64_t left = job->entry.deadline_ms - engine_now(job->engine);
    return (left > 0 ? left : 0) + FD_EVENTS_LINGER_MS;
}

static void name_rows(struct job *job)
{
    store_uuid(job->conversation_id, "conversation", job->entry.org, job->entry.session);
    store_uuid(job->message_id, "answer", job->entry.id, "");
    store_uuid(job->user_message_id, "question", job->entry.id, "");
    job->row =
        (struct store_job){.entry = &job->entry,
                           .epoch = (int)job->epoch,
                           .owner = job->engine->owner,
                           .conversation_id = job->conversation_id,
                           .user_message_id = job->user_message_id,
                           .message_id = job->message_id,
                           .facts = &job->facts,
                           .channel = job->entry.test != NULL ? TEST_CHANNEL : job->entry.channel};
}

void job_start(struct engine *engine, const struct arena *a, const struct job_entry *entry,
               uint32_t epoch, int crashes, bool cancelled)
{
    struct job *job = calloc(1, sizeof(*job));
    struct job_prep *prep = calloc(1, sizeof(*prep));
    if (job == NULL || prep == NULL)
        abort();
    job->engine = engine;
    job->self = handle_make(HANDLE_JOB, job);
    job->arena = *a;
    job->entry = *entry;
    job->epoch = epoch;
    job->crashes = crashes;
    job->suspect = crashes > 0;
    job->cancelled = cancelled;
    job->prep = prep;
    arena_init(&prep->arena);
    buf_init(&job->text, FD_ANSWER_MAX);
    buf_init(&job->facts, FD_EVENT_DATA_MAX);
    buf_init(&job->outcome, (size_t)7 * FD_ANSWER_MAX);
    name_rows(job);
    job->log = (struct log_context){.request_id = job->entry.request_id,
                                    .job_id = job->entry.id,
                                    .conversation_id = job->conversation_id,
                                    .org_id = job->entry.org};
    outbox_open(&job->outbox, engine, job->entry.id, epoch, OUTBOX_OWN, stream_life(job), on_outbox,
                job);
    job_trace_start(job);
    HASH_ADD_KEYPTR(hh, engine->running, job->entry.id, strlen(job->entry.id), job);
    engine->job_count++;
    metric_add(meters.running, states[JOB_CLAIMED].name, 1);
    log_info(&job->log, "job.started", LOG_INT("epoch", epoch), LOG_INT("crashes", crashes));
    failpoint(states[JOB_CLAIMED].name);
    job_advance(job, NULL);
}

struct job *job_find(const struct engine *engine, const char *id)
{
    struct job *job;
    HASH_FIND_STR(engine->running, id, job);
    return job;
}

bool job_is_unattended(const struct job *job)
{
    return job->entry.channel != NULL || (job->entry.test != NULL && job->entry.test->unattended);
}

bool job_runs_entry(const struct engine *engine, const char *entry)
{
    struct job *job, *next;
    HASH_ITER (hh, engine->running, job, next) {
        if (strcmp(job->entry.entry, entry) == 0)
            return true;
    }
    return false;
}

void job_post(handle h, const struct job_event *event)
{
    struct job *job = handle_find(HANDLE_JOB, h);
    if (job != NULL)
        job_advance(job, event);
}

void job_prep_free(struct job *job)
{
    if (job->prep == NULL)
        return;
    arena_free(&job->prep->arena);
    free(job->prep);
    job->prep = NULL;
}

static void let_next_suspect_run(struct engine *engine)
{
    struct job *job, *next;
    HASH_ITER (hh, engine->running, job, next) {
        if (job->suspect && job->state == JOB_CLAIMED) {
            job_advance(job, &(struct job_event){.type = JOB_EV_TURN});
            return;
        }
    }
}

static void reap(void *arg)
{
    struct job *job = arg;
    struct engine *engine = job->engine;
    bool was_suspect = engine->suspect == job;
    if (was_suspect)
        engine->suspect = NULL;
    outbox_close(&job->outbox);
    timer_free(job->timer);
    job_meaning_end(job);
    job_sentiment_free(job);
    own_endpoints_release(engine, job->endpoints);
    tenant_unref(job->tenant);
    toolbox_unref(job->toolbox);
    job_tools_free(job);
    job_prep_free(job);
    job_trace_free(job);
    buf_free(&job->text);
    buf_free(&job->outcome);
    buf_free(&job->facts);
    arena_free(&job->arena);
    free(job);
    if (was_suspect)
        let_next_suspect_run(engine);
    engine_job_gone(engine);
}

/* Off the table at once, so that the entry may be taken again; freed when no thread
 * works for it any more. */
static void retire(struct job *job)
{
    job_cancel_call(job);
    job_sentiment_drop(job);
    job_recall_end(job);
    if (job->timer != NULL)
        timer_stop(job->timer);
    handle_drop(job->self);
    HASH_DELETE(hh, job->engine->running, job);
    job->engine->job_count--;
    metric_add(meters.running, states[JOB_DONE].name, -1);
    const struct answer *answer = &job->answer;
    const struct answer_attempt *last =
        answer->attempt_count > 0 ? &answer->attempts[answer->attempt_count - 1] : NULL;
    log_info(&job->log, "job.ended", LOG_INT("epoch", job->epoch),
             LOG_STR("outcome", job->committed ? answer_state(answer) : "lost"),
             LOG_STR("reason", answer->reason), LOG_STR("model", answer->model),
             LOG_INT("tokens_input", last != NULL ? last->usage.input : 0),
             LOG_INT("tokens_output", last != NULL ? last->usage.output : 0),
             LOG_INT("citations", job->citations.count),
             LOG_INT("citations_dropped", job->citations.dropped),
             LOG_INT("ms", engine_now(job->engine) - job->entry.accepted_ms));
}

/* Not under the feet of the callback that ended it. */
static void reap_soon(struct job *job)
{
    if (job->ops > 0 || job->reaped)
        return;
    job->reaped = true;
    if (job->engine->stopped)
        reap(job);
    else
        loop_defer(job->engine->loop, reap, job);
}

/* -- states ------------------------------------------------------------------------------ */

/* What may come in any state. Before the commit it decides, later it is too late. */
static bool any_state(struct job *job, const struct job_event *event, enum job_state *next)
{
    bool early = job->state < JOB_SAVING;
    switch (event->type) {
    case JOB_EV_CANCEL: *next = early ? job_cancel(job, "cancelled") : job->state; return true;
    case JOB_EV_ABANDONED: *next = early ? job_cancel(job, "abandoned") : job->state; return true;
    case JOB_EV_DEADLINE:
        *next = early ? job_fail(job, FD_PROBLEM_DEADLINE, NULL, "deadline") : job->state;
        return true;
    case JOB_EV_TAKEN: *next = early && !job->row.apart ? job_taken(job) : job->state; return true;
    case JOB_EV_MARK: job->marked = job_is_marked(event->reply); return true;
    case JOB_EV_OP:
        if (event->op->kind != JOB_OP_OFFER)
            return false;
        job_offer_take(job, event->op);
        return job->state != JOB_SAVING;
    case JOB_EV_SENTIMENT: job_offer_by_mood(job); return job->state != JOB_SAVING;
    case JOB_EV_CACHED:
    case JOB_EV_LEAD: job_recall_heard(job, event); return job->state != JOB_RECALLING;
    case JOB_EV_LOST:
        /* A save that is out will be told the same by PostgreSQL. */
        *next = job->state == JOB_SAVING && job->ops > 0 ? job->state : JOB_DONE;
        return true;
    case JOB_EV_OUTBOX:
        if (early && job->outbox.state == OUTBOX_LOST) {
            log_warn(&job->log, "job.fenced", LOG_INT("epoch", job->epoch));
            *next = JOB_DONE;
            return true;
        }
        return false;
    default: return false;
    }
}

static void enter(struct job *job, enum job_state next)
{
    metric_add(meters.running, states[job->state].name, -1);
    metric_add(meters.running, states[next].name, 1);
    log_debug(&job->log, "job.state", LOG_STR("from", states[job->state].name),
              LOG_STR("to", states[next].name));
    job->state = next;
    job_trace_entered(job, next);
    failpoint(states[next].name);
    if (next == JOB_TOOLS || next == JOB_BACKOFF) /* its answer will not be kept, or comes late */
        job_recall_end(job);
    job->tries = 0;
    if (job->timer != NULL && next != JOB_BACKOFF)
        timer_stop(job->timer);
}

static void advance(struct job *job, const struct job_event *event)
{
    enum job_state next = job->state;
    if (event == NULL)
        next = states[next].enter(job);
    else if (!any_state(job, event, &next) && states[next].on != NULL)
        next = states[next].on(job, event);

    while (next != job->state) {
        enter(job, next);
        if (states[next].enter != NULL)
            next = states[next].enter(job);
    }
}

void job_advance(struct job *job, const struct job_event *event)
{
    struct engine *engine = job->engine;
    if (job->state != JOB_DONE) {
        crumb_set(engine->crumb, 0, job->entry.id);
        advance(job, event);
        crumb_clear(engine->crumb, 0);
        if (job->state == JOB_DONE)
            retire(job);
        else
            return;
    }
    reap_soon(job);
}

void job_drop(struct job *job)
{
    if (job->state != JOB_DONE) {
        enter(job, JOB_DONE);
        retire(job);
    }
    reap_soon(job);
}
