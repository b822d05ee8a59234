/* An answer in another language than its question's. What streamed was read as it came, so
 * its reader is told; a whole answer, of which nobody has seen anything, is asked for once
 * more. Either way the next turn insists (draft.c). */
#include "chat/job_tools.h"
#include "chat/meters.h"
#include "chat/phrase.h"
#include "core/language_check.h"

#include <string.h>

#define TIME_LEFT_MS 15000 /* for another turn */

bool job_language_keeps_prompt(const struct job *job)
{
    return !job->request.stream && job->door == NULL && job->misspoken == NULL;
}

static bool may_ask_again(const struct job *job)
{
    return job_language_keeps_prompt(job) && job->prep != NULL &&
           job->answer.attempt_count < ANSWER_ATTEMPTS_MAX &&
           (job->tools == NULL || (!job->tools->acted && !job->tools->awaits_approval)) &&
           job->entry.deadline_ms - engine_now(job->engine) > TIME_LEFT_MS;
}

static void ask_again(struct job *job)
{
    struct arena *a = &job->prep->arena;
    const char *check =
        arena_printf(a,
                     "Automatic check by the server, not the visitor: your last answer is not in "
                     "the language of the question, which is \"%s\". Answer again, in that "
                     "language alone.",
                     job->language);
    job->misspoken = arena_strndup(&job->arena, job->text.data, job->text.len);
    struct llm_message messages[] = {{.role = LLM_ASSISTANT, .text = job->misspoken},
                                     {.role = LLM_USER, .text = check}};
    job_tools_add_messages(job, messages, sizeof(messages) / sizeof(messages[0]));
    buf_reset(&job->text);
    citation_restart(&job->citations);
    job->calls = 0;
    job->first_call_ms = 0;
}

static void tell(struct job *job)
{
    job->answer.otherwise = phrase_text(PHRASE_LANGUAGE, job->language);
    job_send_notice(job, "language", job->answer.otherwise);
}

bool job_language_retry(struct job *job)
{
    if (job->door != NULL || job->text.len == 0 || job->language == NULL ||
        !language_differs(job->text.data, job->text.len, job->language))
        return false;
    bool again = may_ask_again(job);
    metric_add(meters.language_mismatch, NULL, 1);
    log_warn(&job->log, "answer.language", LOG_STR("expected", job->language),
             LOG_STR("model", job->answer.model), LOG_STR("then", again ? "asked again" : "told"));
    if (again)
        ask_again(job);
    else
        tell(job);
    return again;
}

bool job_language_settle(struct job *job)
{
    if (job->misspoken == NULL)
        return false;
    buf_reset(&job->text);
    job_say(job, job->misspoken);
    tell(job);
    return true;
}
