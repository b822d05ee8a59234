/* A write waits for its visitor's word (POST chat/:id/confirm), which the job's hash on
 * the jobs server keeps: whoever takes the job over finds it. */
#include "chat/consent.h"
#include "chat/job_tools.h"
#include "core/loop.h"
#include "protocol/confirm_request.h"
#include "protocol/keys.h"
#include "protocol/limits.h"
#include "tool/schema.h"

#include <stdio.h>
#include <string.h>

#define LEAST_MS 5000 /* nobody reads and decides in less */

static bool is_open(const struct job_call *call)
{
    return call->step == CALL_ASK && !call->out;
}

bool job_confirm_open(const struct job *job)
{
    for (const struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        if (is_open(call))
            return true;
    }
    return false;
}

/* -- may it be asked -------------------------------------------------------------------------- */

/* Nobody is asked to agree to what will not run. */
static bool is_valid(struct job *job, struct job_call *call)
{
    struct tool_schema_fault fault;
    if (tool_schema_check(call->tool->schema, call->json, &fault))
        return true;
    job_call_refuse(job, call, TOOL_ARGUMENTS, NULL,
                    arena_printf(&job->tools->arena, "%s: %s", fault.where, fault.text));
    return false;
}

static bool summarize(struct job *job, struct job_call *call)
{
    struct buf text;
    buf_init(&text, FD_TOOL_SUMMARY_MAX);
    bool whole = consent_summary(&text, call->tool->name, call->tool->description, call->json);
    if (whole)
        call->summary = arena_strndup(&job->tools->arena, text.data, text.len);
    buf_free(&text);
    if (!whole)
        job_call_refuse(job, call, TOOL_REFUSED, "too_long",
                        "The arguments are too long to be shown to a person for consent.");
    return whole;
}

void job_call_ask(struct job *job, struct job_call *call)
{
    int64_t now = engine_now(job->engine);
    call->status = EXECUTION_STARTED;
    call->expires_ms = job->entry.deadline_ms + FD_JOB_LINGER_MS;
    if (call->tool->risk == TOOL_READ || !is_valid(job, call) || !summarize(job, call))
        return;
    if (job->entry.test != NULL && !job->entry.test->allow_writes) {
        job_call_refuse(job, call, TOOL_REFUSED, "not_run_in_a_test",
                        "Not run in a test: nothing was changed.");
        return;
    }
    if (call->tool->risk == TOOL_HIGH) {
        call->status = EXECUTION_APPROVING;
        call->expires_ms = now + (int64_t)FD_APPROVAL_S * 1000;
        return;
    }
    int64_t latest = job->entry.deadline_ms - FD_CONFIRM_RESERVE_MS;
    call->status = EXECUTION_CONFIRMING;
    call->expires_ms = now + FD_CONFIRM_MS < latest ? now + FD_CONFIRM_MS : latest;
    if (!job->request.stream)
        job_call_refuse(job, call, TOOL_REFUSED, "confirmation_needed",
                        "The visitor has to confirm this, which is only possible where the answer "
                        "streams. It was not done.");
}

/* Not before: only the row tells that an earlier epoch did not run it. */
void job_confirm_begin(struct job *job, struct job_call *call)
{
    call->step = CALL_ASK;
    if (call->expires_ms - engine_now(job->engine) >= LEAST_MS)
        return;
    job_call_refuse(job, call, TOOL_REFUSED, "no_time",
                    "There is no time left to ask the visitor to confirm. It was not done.");
    call->step = CALL_END;
}

/* -- the word --------------------------------------------------------------------------------- */

static void on_words(void *arg, const redisReply *reply)
{
    struct job *job = handle_find(HANDLE_JOB, handle_of(arg));
    if (job == NULL || job->tools == NULL)
        return;
    job->tools->asking = false;
    job_advance(job, &(struct job_event){.type = JOB_EV_WORDS, .reply = reply});
}

/* One script for all open questions, in the order of the calls: the reply has that order. */
void job_confirm_poll(struct job *job)
{
    struct job_tools *tools = job->tools;
    char key[160], epoch[16], expires[FD_TOOL_ROUND_MAX][24];
    const char *argv[2 + 2 * FD_TOOL_ROUND_MAX];
    int argc = 0, count = 0;
    if (tools->asking)
        return;
    snprintf(key, sizeof(key), FD_KEY_JOB, job->entry.shard, job->entry.id);
    snprintf(epoch, sizeof(epoch), "%u", job->epoch);
    argv[argc++] = key;
    argv[argc++] = epoch;
    for (const struct job_call *call = tools->round; call != NULL; call = call->next) {
        if (!is_open(call) || count == FD_TOOL_ROUND_MAX)
            continue;
        snprintf(expires[count], sizeof(expires[count]), "%lld", (long long)call->expires_ms);
        argv[argc++] = call->call_id;
        argv[argc++] = expires[count++];
    }
    if (count > 0)
        tools->asking = script_call(job->engine->scripts, FD_SCRIPT_ASK, on_words,
                                    handle_arg(job->self), 1, argc, argv, NULL);
}

static void decline(struct job *job, struct job_call *call)
{
    job_call_refuse(job, call, TOOL_REFUSED, "declined",
                    "The visitor declined. It was not done; do not ask again for the same.");
    call->status = EXECUTION_DECLINED;
    call->step = CALL_END;
}

static void take_word(struct job *job, struct job_call *call, const char *word)
{
    if (strcmp(word, FD_CONFIRM_ACCEPT) == 0) {
        call->accepted = true;
        call->step = CALL_ACCEPT;
    } else if (strcmp(word, FD_CONFIRM_DECLINE) == 0) {
        decline(job, call);
    } else if (!call->asked) {
        call->asked = true;
        job_send_tool(job, call->call_id, call->name, "waiting", 0);
        job_send_confirm(job, call->call_id, call->summary, call->expires_ms);
    }
}

/* [call_id, word] pairs; only of this epoch. */
void job_confirm_take(struct job *job, const redisReply *reply)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
        return;
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *id = reply->element[i], *word = reply->element[i + 1];
        if (id->type != REDIS_REPLY_STRING || word->type != REDIS_REPLY_STRING)
            continue;
        for (struct job_call *call = job->tools->round; call != NULL; call = call->next) {
            if (is_open(call) && strcmp(call->call_id, id->str) == 0)
                take_word(job, call, word->str);
        }
    }
}

void job_confirm_expire(struct job *job)
{
    int64_t now = engine_now(job->engine);
    for (struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        if (!is_open(call) || now < call->expires_ms)
            continue;
        job_call_refuse(job, call, TOOL_REFUSED, "not_confirmed",
                        "The visitor did not confirm in time. It was not done.");
        call->status = EXECUTION_EXPIRED;
        call->step = CALL_END;
    }
}
