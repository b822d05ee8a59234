/* A model may say that it did what it did not. With no write that ended well, such a
 * claim costs it one more turn; if it insists, the server says how it is. What streamed
 * cannot be taken back, so there the truth comes behind it; a whole answer is replaced. */
#include "chat/job_tools.h"
#include "chat/meters.h"
#include "chat/phrase.h"
#include "protocol/limits.h"
#include "tool/claims.h"

#include <string.h>

#define TIME_LEFT_MS 15000 /* for another turn */

static const char correction[] =
    "Automatic check by the server, not the visitor: your last answer says that something was "
    "done, but no tool call succeeded in doing it. If a tool can do it, call it now. Otherwise "
    "tell the visitor plainly that it has not been done.";

/* What is merely stated may stand in a record or in what a tool has told. */
static bool claims(const struct job *job)
{
    const struct job_tools *tools = job->tools;
    if (job->text.len <= tools->claims_from)
        return false;
    switch (
        tool_claim_of(job->text.data + tools->claims_from, job->text.len - tools->claims_from)) {
    case TOOL_CLAIM_OWN: return true;
    case TOOL_CLAIM_STATED: return !tools->informed && job->answer.chunks->count == 0;
    case TOOL_CLAIM_NONE: break;
    }
    return false;
}

static bool may_ask_again(const struct job *job)
{
    const struct job_tools *tools = job->tools;
    return !tools->corrected && !tools->awaits_approval && job->prep != NULL &&
           job->answer.attempt_count < ANSWER_ATTEMPTS_MAX &&
           job->entry.deadline_ms - engine_now(job->engine) > TIME_LEFT_MS;
}

static void take_back(struct job *job)
{
    if (job->request.stream)
        return;
    buf_reset(&job->text);
    job->citations.count = 0;
    job->citations.open_len = 0;
}

static void say_the_truth(struct job *job)
{
    enum phrase phrase = job->tools->awaits_approval ? PHRASE_APPROVAL : PHRASE_NOT_DONE;
    take_back(job);
    job_say(job, phrase_text(phrase, job->language));
}

static void ask_again(struct job *job)
{
    struct job_tools *tools = job->tools;
    const char *said = arena_strndup(&job->prep->arena, job->text.data + tools->text_from,
                                     job->text.len - tools->text_from);
    struct llm_message messages[] = {{.role = LLM_ASSISTANT, .text = said},
                                     {.role = LLM_USER, .text = correction}};
    tools->corrected = true;
    job_tools_add_messages(job, messages, sizeof(messages) / sizeof(messages[0]));
    take_back(job);
    tools->claims_from = job->text.len;
    job->calls = 0;
    job->first_call_ms = 0;
}

bool job_claims_retry(struct job *job)
{
    if (job->tools == NULL || job->tools->acted || !claims(job))
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
    if (job->tools == NULL || !job->tools->corrected || job->tools->acted)
        return false;
    metric_add(meters.claims, "corrected", 1);
    say_the_truth(job);
    return true;
}
