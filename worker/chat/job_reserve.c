/* RESERVING: under a cap, the most that the next call can cost is reserved before it. */
#include "chat/job_states.h"

#include "chat/calibrator.h"
#include "chat/meters.h"

#include <string.h>

#define TRIES 8 /* some 10 s: without PostgreSQL's word nothing is spent */

/* -- what is said ------------------------------------------------------------------------- */

static bool in_hebrew(const struct job *job)
{
    return job->language != NULL && strncmp(job->language, "he", 2) == 0;
}

void job_tell_quota(struct job *job)
{
    if (!job->entry.over_quota)
        return;
    job->answer.upgrade = in_hebrew(job)
                              ? "ההודעות של החודש נוצלו: התשובות מואטות עד לשדרוג התוכנית."
                              : "This month's messages are used up: answers are slowed down until "
                                "the plan is upgraded.";
    job_send_notice(job, "upgrade", job->answer.upgrade);
}

enum job_state job_over_budget(struct job *job)
{
    metric_add(meters.refused, budget_verdict_name(BUDGET_ORG), 1);
    log_warn(&job->log, "budget.used_up", LOG_INT("percent", job->tenant->budget_used_percent));
    return job_fail(job, FD_PROBLEM_BUDGET, BUDGET_NO_ROOM, "budget: used up");
}

/* -- reserving ------------------------------------------------------------------------------ */

static const struct model_candidate *candidate(const struct job *job)
{
    return &job->plan.candidates[job->candidate];
}

bool job_may_spend(const struct job *job)
{
    const struct job_reserved *held = &job->reserved;
    if (!budget_asks(job->tenant, candidate(job)->endpoint))
        return true;
    return held->granted && held->candidate == job->candidate &&
           held->attempts == job->answer.attempt_count && held->prompt_tokens == job->prompt_tokens;
}

enum job_state job_reserving_enter(struct job *job)
{
    struct job_op op = {
        .kind = JOB_OP_RESERVE,
        .ask = {.org = job->entry.org,
                .job = job->entry.id,
                .epoch = (int)job->epoch,
                .owner = job->engine->owner,
                .session = job->entry.session,
                .conversation_id = job->conversation_id,
                .user = job->request.user_id.s,
                .life_ms = job->entry.deadline_ms - engine_now(job->engine),
                .provider = candidate(job)->endpoint->name,
                .model = candidate(job)->model,
                .prompt_tokens = job->prompt_tokens,
                .likely_tokens = calibrator_tokens(job->engine->calibrator, candidate(job)->model,
                                                   job->prompt_tokens),
                .max_tokens =
                    job->prep != NULL ? job->prep->request.max_tokens : job->tenant->max_tokens,
                .before_count = job->answer.attempt_count,
                .trial = job->request.dry_run}};
    memcpy(op.ask.before, job->answer.attempts, sizeof(op.ask.before));
    job->reserving = job_submit(job, &op);
    if (!job->reserving)
        job_retry_later(job);
    return JOB_RESERVING;
}

static enum job_state granted(struct job *job, const struct budget_ask *ask)
{
    job->reserved = (struct job_reserved){.granted = true,
                                          .candidate = job->candidate,
                                          .attempts = ask->before_count,
                                          .prompt_tokens = ask->prompt_tokens};
    return ask->trial ? job_dry_run(job) : JOB_REQUESTING;
}

static enum job_state refused(struct job *job, const struct budget_ask *ask,
                              const struct budget_word *word)
{
    const char *why = budget_verdict_name(word->verdict);
    metric_add(meters.refused, why, 1);
    log_warn(&job->log, "budget.refused", LOG_STR("cap", why), LOG_STR("model", ask->model),
             LOG_INT("amount_micro", word->amount_micro), LOG_INT("spent_micro", word->spent_micro),
             LOG_INT("held_micro", word->held_micro));
    return job_fail(job, FD_PROBLEM_BUDGET, budget_refusal(&job->arena, ask, word),
                    arena_printf(&job->arena, "budget: %s", why));
}

static enum job_state decided(struct job *job, const struct job_op *op)
{
    if (op->word.used_percent >= 0)
        job->tenant->budget_used_percent = op->word.used_percent;
    switch (op->word.verdict) {
    case BUDGET_GRANTED: return granted(job, &op->ask);
    case BUDGET_LATER: return JOB_DONE;
    default: return refused(job, &op->ask, &op->word);
    }
}

static enum job_state not_decided(struct job *job, const struct job_op *op)
{
    bool heals = !op->ran || op->status == DB_LOST || op->status == DB_BUSY;
    if (!heals || job->tries >= TRIES)
        return job_fail(job, FD_PROBLEM_UNAVAILABLE, "The budget could not be asked just now.",
                        "budget not known");
    job_retry_later(job);
    return JOB_RESERVING;
}

enum job_state job_reserving_on(struct job *job, const struct job_event *event)
{
    if (event->type == JOB_EV_TIMER)
        return job_reserving_enter(job);
    if (event->type != JOB_EV_OP)
        return JOB_RESERVING;
    if (event->op->kind != JOB_OP_RESERVE)
        return job_heed_owner(job, event->op);
    return job_op_failed(event->op) ? not_decided(job, event->op) : decided(job, event->op);
}
