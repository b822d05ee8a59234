/* SAVING and ACKING: PostgreSQL commits, then the terminal event, then the finish
 * script. Each step may be repeated; a crash between any two is made good by whoever
 * takes the job over. */
#include "chat/job_people.h"
#include "chat/job_tools.h"
#include "chat/job_trace.h"

#include "chat/channels.h"
#include "chat/door.h"
#include "chat/draft.h"
#include "context/memory.h"
#include "chat/meters.h"
#include "chat/phrase.h"
#include "chat/replay.h"
#include "chat/summarizer.h"
#include "core/clock.h"
#include "core/failpoint.h"
#include "protocol/job.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

#define FAULTS_MAX   5     /* refusals of PostgreSQL that time does not heal */
#define LIVE_WAIT_MS 60000 /* for live Redis to take the terminal event */

/* -- the end is decided ---------------------------------------------------------------------- */

enum job_state job_fail(struct job *job, enum fd_problem_type problem, const char *detail,
                        const char *reason)
{
    job_cancel_call(job);
    job->answer.end = ANSWER_FAILED;
    job->answer.problem = problem;
    job->answer.detail = detail;
    job->answer.reason = reason;
    job->answer.cut = job->text.len > 0;
    if (fd_problem_retryable(problem))
        job_offer_at_failure(job);
    return JOB_SAVING;
}

enum job_state job_cancel(struct job *job, const char *reason)
{
    job_cancel_call(job);
    job->answer.end = ANSWER_CANCELLED;
    job->answer.reason = reason;
    return JOB_SAVING;
}

static void complete_answer(struct job *job)
{
    struct answer *answer = &job->answer;
    answer->stream = !job->readable || job->request.stream;
    answer->session = job->entry.session;
    answer->conversation_id = job->conversation_id;
    answer->message_id = job->message_id;
    answer->request_id = job->entry.request_id;
    answer->text = job->text.len > 0 ? job->text.data : "";
    answer->text_len = job->text.len;
    job_tools_list(job);
    if (!answer->dry_run) {
        answer->citations = job->citations.found;
        answer->citation_count = job->citations.count;
    }
}

/* -- SAVING ----------------------------------------------------------------------------------- */

static enum job_state save(struct job *job)
{
    if (!job_submit(job, &(struct job_op){.kind = JOB_OP_SAVE}))
        job_retry_later(job);
    return JOB_SAVING;
}

/* What is still out comes first: a claim would meet the save in PostgreSQL, a reservation would
 * come when nobody is left to give it back, an offer when nobody is left to hear of it, a score
 * when its message is told of. */
static enum job_state save_when_quiet(struct job *job)
{
    bool busy = job->claiming || job->reserving || job->offering || job_sentiment_open(job);
    return busy ? JOB_SAVING : save(job);
}

/* An answer that neither cites a source nor comes from a tool, where the sources have nothing
 * to say: the visitor is told so, whatever the model made of it. */
static void tell_grounding(struct job *job)
{
    struct answer *answer = &job->answer;
    bool told = job->tools != NULL && (job->tools->acted || job->tools->informed);
    if (answer->end != ANSWER_DONE || answer->dry_run || !answer->routed || job->text.len == 0 ||
        job->citations.count > 0 || told || !draft_ungrounded(&answer->route))
        return;
    answer->ungrounded = phrase_text(PHRASE_UNGROUNDED, job->language);
    job_send_notice(job, "grounding", answer->ungrounded);
}

enum job_state job_saving_enter(struct job *job)
{
    tell_grounding(job);
    job_sentiment_settle(job);
    complete_answer(job);
    if (job_sentiment_open(job)) /* who waits for the answer does not wait for its rating */
        job_recall_keep(job);
    return save_when_quiet(job);
}

static void append_turn(struct job *job)
{
    const struct answer *answer = &job->answer;
    const struct llm_message turn[] = {{.role = LLM_USER, .text = job->request.message.s},
                                       {.role = LLM_ASSISTANT, .text = answer->text}};
    struct route_last last = {.known = answer->routed,
                              .tier = answer->route.tier,
                              .at_ms = engine_now(job->engine),
                              .tokens = job->last.tokens + memory_tokens(turn, 2)};
    memory_append(job->engine->live, job->entry.org, job->entry.session, job->request.message.s,
                  answer->text, &last, job->whole);
}

/* What prompts do not show whole any more has to be told of. */
static void summarise(struct job *job)
{
    if (job->long_talk)
        summarizer_tell(job->engine->summarizer, job->tenant, job->entry.session,
                        job->conversation_id, job->language);
}

static void remember(struct job *job, enum store_claim claim)
{
    if (!job->readable || job->row.apart || job->answer.dry_run || job->answer.end == ANSWER_DEAD)
        return;
    if (job->to_person) {
        job_tell_person(job);
        return;
    }
    if (claim == STORE_ENDED || job->taken) {
        memory_forget(job->engine->live, job->entry.org, job->entry.session);
        if (job->taken)
            job_tell_person(job); /* whose answer the question waits for now */
        return;
    }
    append_turn(job);
    summarise(job);
}

static enum job_state saved(struct job *job, enum store_claim claim)
{
    job->committed = true;
    job->saved_ms = clock_mono_ms();
    metric_add(meters.jobs, answer_state(&job->answer), 1);
    metric_observe(meters.answer_time, NULL,
                   (double)(engine_now(job->engine) - job->entry.accepted_ms) / 1000.0);
    metric_add(meters.citations, "kept", (double)job->citations.count);
    metric_add(meters.citations, "dropped", (double)job->citations.dropped);
    /* Before the reader hears of the end: a quick follow-up finds this turn. */
    remember(job, claim);
    job_tell_change(job);
    if (job->entry.channel != NULL)
        channels_soon(job->engine->channels);
    job_recall_keep(job);
    return JOB_ACKING;
}

/* PostgreSQL will never take it (an organisation deleted meanwhile, a fault of ours):
 * the job must not block its session for ever. */
static enum job_state unsavable(struct job *job)
{
    job_dead_letter(job, "unsavable");
    buf_reset(&job->outcome);
    answer_data(&job->answer, &job->outcome);
    job->committed = true;
    job->saved_ms = clock_mono_ms();
    metric_add(meters.jobs, answer_state(&job->answer), 1);
    return JOB_ACKING;
}

enum job_state job_saving_on(struct job *job, const struct job_event *event)
{
    if (event->type == JOB_EV_TIMER)
        return save(job);
    if (event->type == JOB_EV_SENTIMENT)
        return save_when_quiet(job);
    if (event->type != JOB_EV_OP)
        return JOB_SAVING;
    const struct job_op *op = event->op;
    if (op->kind == JOB_OP_CLAIM) {
        job->row.claimed = !job_op_failed(op) && op->claim == STORE_MINE;
        return save_when_quiet(job); /* which is told all else */
    }
    if (op->kind == JOB_OP_RESERVE || op->kind == JOB_OP_OFFER)
        return save_when_quiet(job);
    if (op->kind != JOB_OP_SAVE)
        return JOB_SAVING;
    if (job_op_failed(op)) {
        bool heals = !op->ran || op->status == DB_LOST || op->status == DB_BUSY;
        job->faults += !heals;
        if (job->faults >= FAULTS_MAX)
            return unsavable(job);
        job_retry_later(job);
        return JOB_SAVING;
    }
    switch (op->claim) {
    case STORE_LATER: return JOB_DONE;
    case STORE_ANSWERED: job->replays = job->committed = true; return JOB_ACKING;
    case STORE_HUMAN: /* between the last word of the model and the commit */
        job->taken = true;
        job->answer.end = ANSWER_CANCELLED;
        job->answer.reason = "taken over";
        return save(job);
    case STORE_ENDED:
    case STORE_MINE:
    case STORE_SAVED: break;
    }
    return saved(job, op->claim);
}

/* -- ACKING ------------------------------------------------------------------------------------ */

static void on_finished(void *arg, const redisReply *reply)
{
    job_post(handle_of(arg), &(struct job_event){.type = JOB_EV_FINISHED, .reply = reply});
}

static enum job_state finish(struct job *job)
{
    failpoint("finishing"); /* the terminal event is out */
    const struct job_entry *entry = &job->entry;
    char keys[5][160], epoch[16], linger[16];
    snprintf(keys[0], sizeof(keys[0]), FD_KEY_JOBS, entry->shard);
    snprintf(keys[1], sizeof(keys[1]), FD_KEY_JOB, entry->shard, entry->id);
    snprintf(keys[2], sizeof(keys[2]), FD_KEY_SESSION, entry->shard, entry->org, entry->session);
    snprintf(keys[3], sizeof(keys[3]), FD_KEY_LEASE, entry->shard, entry->org);
    snprintf(keys[4], sizeof(keys[4]), FD_KEY_LOAD, entry->shard);
    snprintf(epoch, sizeof(epoch), "%u", job->epoch);
    snprintf(linger, sizeof(linger), "%d", FD_JOB_LINGER_MS);
    const char *argv[] = {keys[0],      keys[1],
                          keys[2],      keys[3],
                          keys[4],      FD_GROUP_WORKERS,
                          entry->entry, entry->id,
                          epoch,        answer_state(&job->answer),
                          linger};
    size_t lens[sizeof(argv) / sizeof(*argv)];
    for (size_t i = 0; i < sizeof(argv) / sizeof(*argv); i++)
        lens[i] = strlen(argv[i]);
    job->finishing =
        script_call(job->engine->scripts, FD_SCRIPT_FINISH, on_finished, handle_arg(job->self), 5,
                    sizeof(argv) / sizeof(*argv), argv, lens);
    if (!job->finishing)
        job_retry_later(job);
    return JOB_ACKING;
}

/* A stored answer, rewritten above whatever fd:ev still has. */
static void rewrite(struct job *job, const struct store_outcome *outcome)
{
    void (*on_change)(void *) = job->outbox.on_change;
    int64_t life = job->outbox.expires_ms;
    outbox_close(&job->outbox);
    outbox_open(&job->outbox, job->engine, job->entry.id, (uint32_t)outcome->epoch, OUTBOX_REPLAY,
                life, on_change, job);
    replay_write(&job->outbox, outcome);
}

static void send_terminal(struct job *job)
{
    job_send_first(job);
    job_tell_offer(job);
    job_trace_end(job);
    if (job->door != NULL && job->answer.end == ANSWER_DONE)
        door_send_end(job);
    else
        outbox_event(&job->outbox, answer_event(&job->answer), job->outcome.data, job->outcome.len);
}

/* Live Redis lost the stream while it was written: readers get the answer anew. */
static void rewrite_own(struct job *job)
{
    struct store_outcome own = {.epoch = (int)job->epoch + 1,
                                .stream = job->answer.stream,
                                .door = job->door != NULL,
                                .usage = job->door != NULL && job->door->completion.include_usage,
                                .event = answer_event(&job->answer),
                                .data = job->outcome.data,
                                .text = job->answer.text};
    job->replays = true;
    rewrite(job, &own);
}

static enum job_state proceed(struct job *job)
{
    if (job->finishing)
        return JOB_ACKING;
    if (job->outbox.state == OUTBOX_DETACHED && !job->replays)
        rewrite_own(job);
    bool over = outbox_empty(&job->outbox) || job->outbox.state == OUTBOX_LOST ||
                job->outbox.state == OUTBOX_DETACHED;
    if (over || clock_mono_ms() - job->saved_ms > LIVE_WAIT_MS)
        return finish(job);
    job_retry_later(job);
    return JOB_ACKING;
}

static enum job_state fetch_outcome(struct job *job)
{
    if (!job_submit(job, &(struct job_op){.kind = JOB_OP_OUTCOME}))
        job_retry_later(job);
    return JOB_ACKING;
}

enum job_state job_acking_enter(struct job *job)
{
    if (job->replays)
        return fetch_outcome(job);
    send_terminal(job);
    return proceed(job);
}

/* Somebody committed this job's answer before: what it was decides how it ends. */
static enum job_state take_outcome(struct job *job, const struct job_op *op)
{
    if (job_op_failed(op) || !op->found || !op->outcome.terminal) {
        job_retry_later(job);
        return JOB_ACKING;
    }
    struct store_outcome outcome = op->outcome;
    outcome.epoch = (int)job->epoch;
    job->answer.end = outcome.event == FD_EVENT_CANCELLED ? ANSWER_CANCELLED
                      : outcome.event == FD_EVENT_ERROR   ? ANSWER_FAILED
                                                          : ANSWER_DONE;
    job->saved_ms = clock_mono_ms();
    memory_forget(job->engine->live, job->entry.org, job->entry.session);
    rewrite(job, &outcome);
    return proceed(job);
}

enum job_state job_acking_on(struct job *job, const struct job_event *event)
{
    bool waits_for_outcome = job->replays && job->saved_ms == 0;
    switch (event->type) {
    case JOB_EV_OP:
        return event->op->kind == JOB_OP_OUTCOME ? take_outcome(job, event->op) : JOB_ACKING;
    case JOB_EV_TIMER: return waits_for_outcome ? fetch_outcome(job) : proceed(job);
    case JOB_EV_OUTBOX: return waits_for_outcome ? JOB_ACKING : proceed(job);
    case JOB_EV_FINISHED:
        if (event->reply != NULL && event->reply->type == REDIS_REPLY_INTEGER)
            return JOB_DONE;
        job->finishing = false;
        job_retry_later(job);
        return JOB_ACKING;
    default: return JOB_ACKING;
    }
}
