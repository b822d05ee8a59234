#include "chat/job_people.h"
#include "chat/job_tools.h"

#include "chat/draft.h"
#include "chat/news.h"
#include "chat/offer.h"
#include "chat/phrase.h"
#include "chat/signal.h"
#include "core/utf8.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PREVIEW_MAX 2000 /* bytes of a message that the organisation's stream shows */
#define TIME_SIZE   32

/* -- a person has it -------------------------------------------------------------------------- */

static void on_mark(void *arg, const redisReply *reply)
{
    job_post(handle_of(arg), &(struct job_event){.type = JOB_EV_MARK, .reply = reply});
}

void job_mark_ask(struct job *job)
{
    char key[160];
    snprintf(key, sizeof(key), FD_KEY_PAUSED, job->entry.org, job->entry.session);
    redis_call(job->engine->live, on_mark, handle_arg(job->self), "EXISTS %s", key);
}

bool job_is_marked(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
}

enum job_state job_leave_to_person(struct job *job)
{
    job_cancel_call(job);
    job->to_person = true;
    job->answer.end = ANSWER_DONE;
    job->answer.to_person = true;
    return JOB_SAVING;
}

enum job_state job_taken(struct job *job)
{
    job->taken = true;
    return job->state < JOB_ROUTED ? job_leave_to_person(job) : job_cancel(job, "taken over");
}

static const char *accepted_at(const struct job *job, char out[TIME_SIZE])
{
    time_t seconds = (time_t)(job->entry.accepted_ms / 1000);
    struct tm utc;
    size_t len = strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
    snprintf(out + len, TIME_SIZE - len, ".%03dZ", (int)(job->entry.accepted_ms % 1000));
    return out;
}

void job_tell_person(struct job *job)
{
    const struct fd_text *message = &job->request.message;
    size_t shown = utf8_floor(message->s, message->len, PREVIEW_MAX);
    char at[TIME_SIZE];
    struct fd_json_writer w;
    struct news news;
    struct buf data;
    news_init(&news, &job->arena);
    buf_init(&data, FD_EVENT_DATA_MAX);
    buf_json(&data, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "conversation_id", job->conversation_id);
    fd_jw_member(&w, "message_id", job->user_message_id);
    fd_jw_member(&w, "role", "user");
    fd_jw_member(&w, "name", NULL);
    fd_jw_key(&w, "text");
    fd_jw_string(&w, message->s, shown);
    fd_jw_member_bool(&w, "cut", shown < message->len);
    fd_jw_member(&w, "created_at", accepted_at(job, at));
    fd_jw_end_object(&w);
    if (buf_json_end(&data, &w))
        news_org(&news, job->entry.org, FD_EVENT_MESSAGE, data.data);
    news_forget(&news, job->entry.org, job->entry.session);
    news_send(&news, job->engine->live);
    buf_free(&data);
}

void job_tell_change(struct job *job)
{
    struct news news;
    if (job->facts.len == 0)
        return;
    news_init(&news, &job->arena);
    news_conversation(&news, job->entry.org, job->facts.data);
    news_send(&news, job->engine->live);
    buf_reset(&job->facts);
}

/* -- the visitor ------------------------------------------------------------------------------ */

bool job_visitor_wanted(const struct job *job)
{
    if (job->visitor_known || job->row.apart || job->request.dry_run)
        return false;
    return job->request.identity.s != NULL || job->toolbox->binds_visitor;
}

enum job_state job_visitor_take(struct job *job, const struct job_op *op)
{
    const struct offer_visitor *found = &op->visitor;
    if (found->unproven != NULL) {
        job->answer.field = "identity";
        return job_fail(job, FD_PROBLEM_FIELD, arena_strdup(&job->arena, found->unproven),
                        "identity");
    }
    if (found->foreign)
        return job_fail(job, FD_PROBLEM_CONFLICT,
                        "This session belongs to another user: start a new one.", "identity");
    job->visitor_known = true;
    if (found->identity.user_id != NULL) {
        job->visitor_verified = true;
        job->visitor_email = arena_strdup(&job->arena, found->identity.email);
        const char *user = arena_strdup(&job->arena, found->identity.user_id);
        job->request.user_id = (struct fd_text){user, strlen(user)};
    }
    return job_loading_enter(job);
}

/* -- the offer -------------------------------------------------------------------------------- */

static void offer(struct job *job, enum offer_when when)
{
    if (!job->tenant->hands_off || job->door != NULL || job->request.dry_run || job->offering ||
        job->answer.offer != NULL || job->row.apart)
        return;
    if (job->entry.test != NULL) { /* said, but nobody waits for an answer to it */
        job->answer.offer = phrase_text(PHRASE_OFFER, job->language);
        job_tell_offer(job);
        return;
    }
    job->offering = job_submit(job, &(struct job_op){.kind = JOB_OP_OFFER, .offer = when});
}

void job_offer_at_question(struct job *job)
{
    const struct fd_text *question = &job->request.message;
    if (!job->tenant->hands_off)
        return;
    bool asks = signal_asks_for_person(question->s, question->len);
    job->mood_due = !asks;
    if (asks)
        offer(job, OFFER_ASKED);
    if (job->tenant->sentiment_model == NULL)
        job_offer_by_mood(job);
    if (signal_repeats(question->s, job->prep->history, job->prep->history_count))
        offer(job, OFFER_REPEATED);
}

void job_offer_by_mood(struct job *job)
{
    job->mood_known = true;
    if (job->offering) /* for something else, which may not be the first: job_offer_take() */
        return;
    if (job->mood_due && job->answer.sentiment.score <= SIGNAL_UPSET)
        offer(job, OFFER_UPSET);
    job->mood_due = false;
}

static bool tools_helped(const struct job *job)
{
    return job->tools != NULL && (job->tools->informed || job->tools->acted);
}

void job_offer_at_answer(struct job *job)
{
    if (!job->tenant->hands_off || job->text.len == 0)
        return;
    if (signal_asks_for_person(job->text.data, job->text.len))
        offer(job, OFFER_SUGGESTED);
    else if (draft_ungrounded(&job->answer.route) && !tools_helped(job))
        offer(job, OFFER_UNGROUNDED);
}

void job_offer_at_failure(struct job *job)
{
    job_offer_by_mood(job); /* known for sure, and said first */
    if (job->tenant != NULL && job->readable && job->request.stream)
        offer(job, OFFER_FAILING);
}

void job_offer_take(struct job *job, const struct job_op *op)
{
    job->offering = false;
    if (!job_op_failed(op) && op->found) {
        job->answer.offer = phrase_text(PHRASE_OFFER, job->language);
        job_tell_offer(job);
    }
    if (job->mood_known && job->state <= JOB_SAVING)
        job_offer_by_mood(job);
}

/* Behind `meta`, which is the first event. */
void job_tell_offer(struct job *job)
{
    if (job->answer.offer == NULL || job->offer_told || job->outbox.next == 0)
        return;
    job->offer_told = true;
    job_send_notice(job, "handoff_offer", job->answer.offer);
}
