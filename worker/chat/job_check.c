/* CHECKING: the model is done, and its answer is judged before it is kept. */
#include "chat/job_people.h"
#include "chat/job_tools.h"

#define TRIES 5 /* some 3 s */

static enum job_state judge(struct job *job)
{
    if (job_claims_retry(job) || job_language_retry(job))
        return JOB_REQUESTING;
    job_offer_at_answer(job);
    job->answer.end = ANSWER_DONE;
    return JOB_SAVING;
}

enum job_state job_checking_enter(struct job *job)
{
    if (!job_claims_wonder(job))
        return judge(job);
    if (!job_submit(job, &(struct job_op){.kind = JOB_OP_PAST}))
        job_retry_later(job);
    return JOB_CHECKING;
}

static enum job_state looked_up(struct job *job, const struct job_op *op)
{
    if (job_op_failed(op) && job->tries < TRIES) {
        job_retry_later(job);
        return JOB_CHECKING;
    }
    job_claims_recall(job, job_op_failed(op) ? NULL : &op->past);
    return judge(job);
}

enum job_state job_checking_on(struct job *job, const struct job_event *event)
{
    if (event->type == JOB_EV_TIMER)
        return job_checking_enter(job);
    if (event->type != JOB_EV_OP)
        return JOB_CHECKING;
    return event->op->kind == JOB_OP_PAST ? looked_up(job, event->op)
                                          : job_heed_owner(job, event->op);
}
