/* RECALLING: a first question that was answered a moment ago is answered again (ENG-8). The
 * cache is asked while the records are searched; who finds neither an answer nor the lead
 * waits for the one who has it. */
#include "chat/job_tools.h"

#include "chat/meters.h"
#include "core/clock.h"
#include "protocol/limits.h"

#include <string.h>

#define ASK_AGAIN_MS 100

/* Earlier turns, tools' results and a caller's own messages are context that the key does not
 * have; a dry run asks nobody. */
static bool may_recall(const struct job *job)
{
    return job->engine->config->cache_ms > 0 && job->request.cache && !job->request.dry_run &&
           job->door == NULL && job->epoch == 1 && job->prep->history_count == 0;
}

static void on_answer(void *arg, const redisReply *reply)
{
    job_post(handle_of(arg), &(struct job_event){.type = JOB_EV_CACHED, .reply = reply});
}

static void on_lead(void *arg, const redisReply *reply)
{
    job_post(handle_of(arg), &(struct job_event){.type = JOB_EV_LEAD, .reply = reply});
}

static void ask(struct job *job)
{
    struct job_recall *recall = &job->recall;
    recall->asked = cache_ask(job->engine->live, recall->key, job->entry.id, on_answer, on_lead,
                              handle_arg(job->self));
    if (!recall->asked)
        recall->lead = CACHE_ALONE;
}

void job_recall_ask(struct job *job)
{
    struct job_recall *recall = &job->recall;
    if (recall->key[0] != '\0' || !may_recall(job))
        return;
    cache_key(recall->key, job->entry.org, job->request.message.s, job->request.message.len);
    recall->since_ms = clock_mono_ms();
    ask(job);
}

void job_recall_heard(struct job *job, const struct job_event *event)
{
    struct job_recall *recall = &job->recall;
    if (event->type == JOB_EV_CACHED) {
        cache_read(&job->arena, event->reply, &recall->found);
        return;
    }
    recall->asked = false;
    recall->lead = cache_lead(event->reply, recall->leader);
}

static enum job_state recite(struct job *job)
{
    metric_add(meters.cache, "hit", 1);
    job_recall_end(job);
    job->answer.cached = true;
    job_say(job, job->recall.found.text);
    job->answer.end = ANSWER_DONE;
    job->answer.finish = LLM_FINISH_STOP;
    return JOB_SAVING;
}

/* Somebody answers what this job may give as well. */
static bool must_wait(const struct job_recall *recall)
{
    bool same = recall->leader[0] == '\0' || strcmp(recall->leader, recall->digest) == 0;
    return recall->lead == CACHE_FOLLOWS && recall->found.text == NULL && same &&
           clock_mono_ms() - recall->since_ms < FD_CACHE_LEAD_MS;
}

static enum job_state decide(struct job *job)
{
    struct job_recall *recall = &job->recall;
    if (recall->asked)
        return JOB_RECALLING;
    if (recall->found.text != NULL && strcmp(recall->found.digest, recall->digest) == 0)
        return recite(job);
    if (must_wait(recall)) {
        job_wait(job, ASK_AGAIN_MS);
        return JOB_RECALLING;
    }
    if (recall->lead == CACHE_LEADS)
        cache_lead_on(job->engine->live, recall->key, recall->digest);
    metric_add(meters.cache, "miss", 1);
    return JOB_REQUESTING;
}

enum job_state job_recalling_enter(struct job *job)
{
    const struct model_candidate *first = &job->plan.candidates[0];
    if (job->recall.key[0] == '\0')
        return JOB_REQUESTING;
    if (cache_digest(job->recall.digest, &job->prep->request, first->endpoint->name, first->model))
        return decide(job);
    job_recall_end(job);
    job->recall.key[0] = '\0';
    return JOB_REQUESTING;
}

enum job_state job_recalling_on(struct job *job, const struct job_event *event)
{
    switch (event->type) {
    case JOB_EV_LEAD: return decide(job);
    case JOB_EV_TIMER: ask(job); return decide(job);
    case JOB_EV_OP: return job_heed_owner(job, event->op);
    default: return JOB_RECALLING;
    }
}

/* An answer that tools had a hand in, that another model gave or that is not whole is nobody
 * else's. */
void job_recall_keep(struct job *job)
{
    const struct answer *answer = &job->answer;
    struct job_recall *recall = &job->recall;
    bool whole = answer->end == ANSWER_DONE && answer->finish == LLM_FINISH_STOP &&
                 !job->ungrounded && !job->claims.disputed;
    bool own = job->candidate == 0 && answer->attempt_count == 1 && answer->call_count == 0;
    if (recall->key[0] != '\0' && whole && own && !answer->cached && !job->engine->live_pressed)
        cache_store(job->engine->live, recall->key, recall->digest, answer->text, answer->text_len,
                    job->engine->config->cache_ms);
    job_recall_end(job);
    recall->key[0] = '\0';
}

void job_recall_end(struct job *job)
{
    struct job_recall *recall = &job->recall;
    bool in_time = clock_mono_ms() - recall->since_ms < FD_CACHE_LEAD_MS; /* still ours */
    if (recall->key[0] != '\0' && !recall->asked && recall->lead == CACHE_LEADS && in_time)
        cache_let_go(job->engine->live, recall->key);
    recall->lead = CACHE_ALONE;
}
