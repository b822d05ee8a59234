/* A model may say that it did what it did not. With no write of that kind that ended well, such
 * a claim costs it one more turn; if it insists, the server says how it is. What streamed
 * cannot be taken back, so there the truth comes behind it; a whole answer is replaced. */
#include "chat/job_tools.h"
#include "chat/meters.h"
#include "chat/phrase.h"
#include "protocol/limits.h"
#include "tool/claims.h"
#include "tool/deeds.h"

#include <string.h>

#define TIME_LEFT_MS 15000 /* for another turn */

static const char correction[] =
    "Automatic check by the server, not the visitor: your last answer says that something was "
    "done, but no tool call succeeded in doing it. If a tool can do it, call it now. Otherwise "
    "tell the visitor plainly that it has not been done.";

/* What is merely stated may stand in an order's record or in what a tool has told. */
static bool was_told(const struct job *job)
{
    static const char kind[] = "order:";
    const struct chunk_set *sent = job->answer.chunks;
    if (job->claims.informed || (job->tools != NULL && job->tools->informed))
        return true;
    for (size_t i = 0; sent != NULL && i < sent->count; i++) {
        for (size_t k = 0; k < sent->chunks[i].snippet_count; k++) {
            if (strncmp(sent->chunks[i].snippet_ids[k], kind, sizeof(kind) - 1) == 0)
                return true;
        }
    }
    return false;
}

static unsigned done(const struct job *job)
{
    return job->claims.deeds | (job->tools != NULL ? job->tools->deeds : 0);
}

static bool claims(const struct job *job)
{
    size_t from = job->claims.from;
    if (job->text.len <= from)
        return false;
    switch (tool_claim_of(job->text.data + from, job->text.len - from, done(job))) {
    case TOOL_CLAIM_OWN: return true;
    case TOOL_CLAIM_STATED: return !was_told(job);
    case TOOL_CLAIM_NONE: break;
    }
    return false;
}

static bool awaits_approval(const struct job *job)
{
    return job->tools != NULL && job->tools->awaits_approval;
}

static bool may_ask_again(const struct job *job)
{
    return !job->claims.corrected && !awaits_approval(job) && job->prep != NULL &&
           job->answer.attempt_count < ANSWER_ATTEMPTS_MAX &&
           job->entry.deadline_ms - engine_now(job->engine) > TIME_LEFT_MS;
}

static void take_back(struct job *job)
{
    if (job->request.stream)
        return;
    buf_reset(&job->text);
    citation_restart(&job->citations);
}

static void say_the_truth(struct job *job)
{
    enum phrase phrase = awaits_approval(job) ? PHRASE_APPROVAL : PHRASE_NOT_DONE;
    job->claims.disputed = true;
    take_back(job);
    job_say(job, phrase_text(phrase, job->language));
}

static void ask_again(struct job *job)
{
    size_t from = job->tools != NULL ? job->tools->text_from : 0;
    const char *said =
        arena_strndup(&job->prep->arena, job->text.data + from, job->text.len - from);
    struct llm_message messages[] = {{.role = LLM_ASSISTANT, .text = said},
                                     {.role = LLM_USER, .text = correction}};
    job->claims.corrected = true;
    job->claims.deeds_then = done(job);
    job_tools_add_messages(job, messages, sizeof(messages) / sizeof(messages[0]));
    take_back(job);
    job->claims.from = job->text.len;
    job->calls = 0;
    job->first_call_ms = 0;
}

bool job_claims_wonder(const struct job *job)
{
    return job->door == NULL && !job->whole && !job->claims.looked_up && claims(job);
}

/* In doubt nothing is questioned: a model that is told to act again might do a thing twice. */
void job_claims_recall(struct job *job, const struct execution_past *past)
{
    const struct tool_set *set = job->toolbox != NULL ? &job->toolbox->set : NULL;
    job->claims.looked_up = true;
    job->claims.informed = past == NULL || past->informed;
    job->claims.deeds = past == NULL ? DEED_ANY : 0;
    for (size_t i = 0; past != NULL && i < past->acted_count; i++) {
        const struct tool *tool = set != NULL ? tool_find(set, past->acted[i]) : NULL;
        job->claims.deeds |= tool_deeds(past->acted[i], tool != NULL ? tool->description : NULL);
    }
}

bool job_claims_retry(struct job *job)
{
    if (job->door != NULL || !claims(job))
        return false;
    bool again = may_ask_again(job);
    metric_add(meters.claims, again ? "asked_again" : "corrected", 1);
    log_warn(&job->log, "answer.claims_too_much", LOG_STR("model", job->answer.model));
    if (again)
        ask_again(job);
    else
        say_the_truth(job);
    return again;
}

bool job_claims_settle(struct job *job)
{
    if (!job->claims.corrected || done(job) != job->claims.deeds_then)
        return false;
    metric_add(meters.claims, "corrected", 1);
    say_the_truth(job);
    return true;
}
