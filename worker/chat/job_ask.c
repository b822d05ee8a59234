/* REQUESTING, BACKOFF and STREAMING: the provider's side of a job. */
#include "chat/job_tools.h"
#include "chat/job_trace.h"

#include "chat/calibrator.h"
#include "chat/door.h"
#include "chat/meters.h"
#include "chat/own_endpoints.h"
#include "chat/phrase.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/utf8.h"
#include "llm/call.h"
#include "llm/retry.h"
#include "llm/tokens.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

/* So long the provider may think before PostgreSQL is asked: an answer that comes at once
 * does not share its processor with the claim. */
#define ASK_OWNER_MS 20

/* The job's own deadline is noticed first, and tells the reader what it was. */
#define AFTER_DEADLINE_MS 3000

static const struct model_candidate *candidate(const struct job *job)
{
    return &job->plan.candidates[job->candidate];
}

/* Unless the catalogue, the configuration or the provider itself said otherwise. */
static bool takes_tools(const struct job *job)
{
    const struct model_candidate *asked = candidate(job);
    const struct tenant_model *facts = tenant_model(job->tenant, asked->model);
    return (facts == NULL || facts->tools != 0) &&
           tool_support_native(own_endpoints_tools(job->engine, job->endpoints),
                               asked->endpoint->name, asked->model);
}

/* -- what a call cost ------------------------------------------------------------------------ */

static int64_t said_in_this_call(const struct job *job)
{
    size_t from = job->tools != NULL ? job->tools->text_from : 0;
    return from < job->text.len ? tokens_estimate(job->text.data + from, job->text.len - from) : 0;
}

static int64_t positive(int64_t tokens)
{
    return tokens > 0 ? tokens : 0;
}

static void bill(struct job *job, const struct llm_usage *reported)
{
    struct answer *answer = &job->answer;
    if (answer->attempt_count == ANSWER_ATTEMPTS_MAX)
        return;
    struct answer_attempt *attempt = &answer->attempts[answer->attempt_count++];
    const struct model_candidate *asked = candidate(job);
    *attempt = (struct answer_attempt){.provider = asked->endpoint->name,
                                       .model = asked->model,
                                       .free = asked->endpoint->protocol == NULL,
                                       .own_key = asked->endpoint->of_tenant};
    /* What an organisation's own server reports holds for nobody else. */
    if (reported != NULL && reported->input >= 0 && !attempt->own_key)
        calibrator_learn(job->engine->calibrator, asked->model, job->prompt_tokens,
                         reported->input + positive(reported->cache_read) +
                             positive(reported->cache_write));
    attempt->usage = reported != NULL ? *reported : (struct llm_usage){-1, -1, -1, -1, -1};
    attempt->estimated =
        answer_usage_fill(&attempt->usage, job->prompt_tokens, said_in_this_call(job));
    metric_add(meters.tokens, "input", (double)attempt->usage.input);
    metric_add(meters.tokens, "output", (double)attempt->usage.output);
    metric_add(meters.tokens, "cached", (double)attempt->usage.cache_read);
}

/* Hanging up is all that stops a provider; what it made so far is paid for. */
void job_cancel_call(struct job *job)
{
    job_tools_stop(job);
    if (job->call == NULL)
        return;
    llm_call_cancel(job->call);
    job->call = NULL;
    if (job->state < JOB_SAVING)
        bill(job, NULL);
}

/* -- asking ------------------------------------------------------------------------------------ */

/* False: the call is over with it. */
static bool tell(void *arg, const struct llm_event *event)
{
    struct job *job = arg;
    job_advance(job, &(struct job_event){.type = JOB_EV_LLM, .llm = event});
    return job->call != NULL;
}

static void on_event(void *arg, const struct llm_event *event)
{
    struct job *job = arg;
    struct job_tools *tools = job->tools;
    bool text = event->type == LLM_EVENT_TEXT && event->text_len > 0;
    if (text && tools != NULL && tools->prompted)
        (void)prompt_tools_feed(&tools->scan, event->text, event->text_len, tell, job);
    else if (text || (tools != NULL && event->type == LLM_EVENT_TOOL_END))
        (void)tell(job, event);
    else if (tools != NULL && event->type == LLM_EVENT_THINKING)
        job_tools_think(job, event);
    else if (job->door != NULL && door_wants(event))
        (void)tell(job, event);
}

static void on_end(void *arg, const struct llm_error *error, enum llm_finish finish,
                   const struct llm_usage *usage)
{
    struct job *job = arg;
    if (job->tools != NULL && job->tools->prompted && error->class == LLM_ERROR_NONE &&
        !prompt_tools_end(&job->tools->scan, tell, job))
        return; /* it ended with what was held back */
    job->call = NULL;
    job_trace_answered(job, error, finish);
    job_advance(job, &(struct job_event){.type = JOB_EV_LLM_END, .end = {error, finish, usage}});
}

static enum job_state finished(struct job *job, enum llm_finish finish)
{
    job->answer.end = ANSWER_DONE;
    job->answer.finish = finish;
    return JOB_SAVING;
}

static enum job_state give_up(struct job *job, const struct llm_error *error)
{
    if (job_claims_settle(job) || job_language_settle(job))
        return finished(job, LLM_FINISH_STOP);
    if (job->text.len > 0) /* said before its tools were called: it stands, incomplete */
        return job_fail(job, FD_PROBLEM_INTERRUPTED, NULL, llm_error_name(error->class));
    if (job->door != NULL)
        return job_fail(job, door_problem(error), NULL, llm_error_name(error->class));
    switch (error->class) {
    case LLM_ERROR_TIMEOUT:
        return job_fail(job, FD_PROBLEM_PROVIDER_TIMEOUT, NULL, llm_error_name(error->class));
    case LLM_ERROR_CONTEXT:
        return job_fail(job, FD_PROBLEM_PROVIDER,
                        "This conversation is longer than the model can read.",
                        llm_error_name(error->class));
    case LLM_ERROR_FILTER:
        return job_fail(job, FD_PROBLEM_PROVIDER, "The model's provider declined this message.",
                        llm_error_name(error->class));
    default: return job_fail(job, FD_PROBLEM_PROVIDER, NULL, llm_error_name(error->class));
    }
}

/* The next candidate; said to the reader, because the answer is another's. */
static void fall_back(struct job *job)
{
    job->candidate++;
    job->calls = 0;
    job->answer.model = candidate(job)->model;
    job_send_notice(job, "fallback",
                    arena_printf(&job->arena, "The first choice of model did not answer; %s does.",
                                 job->answer.model));
}

static double random_unit(void)
{
    uint32_t bits;
    fd_random(&bits, sizeof(bits));
    return bits / 4294967296.0;
}

static enum job_state back_off(struct job *job, int64_t delay_ms)
{
    job_wait(job, delay_ms);
    return JOB_BACKOFF;
}

/* Providers quote the prompt and the key in their errors: only whoever turns debugging on
 * reads their words. */
static void tell_what_it_said(const struct job *job, const struct llm_error *error)
{
    log_debug(&job->log, "provider.said", LOG_STR("error", error->message));
}

/* It refused the tools, not the question: it gets them in words, at once. */
static bool lacks_tools(struct job *job, const struct llm_error *error)
{
    const struct model_candidate *asked = candidate(job);
    if (job->tools == NULL || job->tools->prompted || !tool_support_refused(error))
        return false;
    tool_support_learn(own_endpoints_tools(job->engine, job->endpoints), asked->endpoint->name,
                       asked->model);
    log_info(&job->log, "provider.without_tools", LOG_STR("model", asked->model));
    job->calls--;
    job_wait(job, 0);
    return true;
}

static enum job_state call_failed(struct job *job, const struct llm_error *error)
{
    const struct model_candidate *asked = candidate(job);
    metric_add(meters.provider_errors, llm_error_name(error->class), 1);
    log_warn(&job->log, "provider.failed", LOG_STR("provider", asked->endpoint->name),
             LOG_STR("model", asked->model), LOG_STR("class", llm_error_name(error->class)),
             LOG_INT("status", error->status));
    tell_what_it_said(job, error);
    job_tools_drop(job);
    if (lacks_tools(job, error))
        return JOB_BACKOFF;

    struct llm_retry_state state = {.tries_of_model = job->calls,
                                    .models_tried = (unsigned)job->candidate + 1,
                                    .fallback_left =
                                        job->candidate + 1 < job->plan.count && job->text.len == 0,
                                    .spent_ms = clock_mono_ms() - job->first_call_ms};
    struct llm_retry_decision decision = llm_retry_decide(&state, error, random_unit());
    switch (decision.action) {
    case LLM_RETRY_SAME: return back_off(job, decision.delay_ms);
    case LLM_RETRY_FALLBACK: fall_back(job); return back_off(job, decision.delay_ms);
    case LLM_RETRY_GIVE_UP: break;
    }
    return give_up(job, error);
}

/* Past providers whose breaker is open; false: none is left. */
static bool find_allowed(struct job *job)
{
    while (!breaker_allows(&candidate(job)->endpoint->breaker, clock_mono_ms())) {
        if (job->candidate + 1 == job->plan.count || job->text.len > 0)
            return false;
        fall_back(job);
    }
    return true;
}

static int least(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

enum job_state job_requesting_enter(struct job *job)
{
    struct engine *engine = job->engine;
    const struct config *config = engine->config;
    if (!find_allowed(job) || job->answer.attempt_count == ANSWER_ATTEMPTS_MAX)
        return give_up(job, &(struct llm_error){.class = LLM_ERROR_OVERLOADED});
    if (!job_may_spend(job))
        return JOB_RESERVING;
    if (job->first_call_ms == 0)
        job->first_call_ms = clock_mono_ms();
    job->calls++;
    job->prep->request.model = candidate(job)->model;

    struct arena a;
    arena_init(&a);
    struct llm_request request = job_tools_request(job, &a, takes_tools(job));
    int64_t left = job->entry.deadline_ms - engine_now(engine);
    struct llm_call_options options = {
        .endpoint = candidate(job)->endpoint,
        .outbound = engine->outbound,
        .request = &request,
        .connect_ms = config->connect_timeout_ms,
        .first_ms = config->first_token_ms,
        .idle_ms = config->idle_ms,
        .total_ms = least(config->total_ms, (left > 0 ? left : 0) + AFTER_DEADLINE_MS),
        .on_event = on_event,
        .on_raw = job_trace_raw(job),
        .on_end = on_end,
        .arg = job,
    };
    struct llm_error error = {.class = LLM_ERROR_NONE};
    job_trace_request(job, &request);
    job->call = llm_call_start(engine->loop, engine->http, &options, &error);
    arena_free(&a);
    if (job->call == NULL)
        return call_failed(job, &error);
    job_sentiment_ask(job);
    job_wait(job, ASK_OWNER_MS);
    return JOB_REQUESTING;
}

/* -- the answer -----------------------------------------------------------------------------------
 */

/* PostgreSQL refuses NUL and what is not UTF-8; a provider may send both. */
static void append_clean(struct buf *text, const char *bytes, size_t len)
{
    if (memchr(bytes, '\0', len) == NULL && fd_utf8_valid(bytes, len)) {
        buf_append(text, bytes, len);
        return;
    }
    const char *at = bytes;
    while (at < bytes + len) {
        char out[4];
        uint32_t code = utf8_next(&at, bytes + len);
        buf_append(text, out, utf8_put(out, code != 0 ? code : UTF8_REPLACEMENT));
    }
}

/* True: the answer is as long as one may be. */
static bool add_text(struct job *job, const char *bytes, size_t len)
{
    size_t before = job->text.len;
    size_t room = FD_ANSWER_MAX - 4 - before;
    bool full = len > room;
    append_clean(&job->text, bytes, full ? utf8_floor(bytes, len, room) : len);
    const char *text = job->text.data + before;
    size_t added = job->text.len - before;
    if (job->request.stream)
        outbox_text(&job->outbox, text, added);
    size_t cited = citation_feed(&job->citations, text, added);
    if (cited > 0 && job->request.stream)
        job_send_citations(job, cited);
    return full;
}

static void begin_paragraph(struct job *job)
{
    size_t breaks = 0;
    while (breaks < 2 && breaks < job->text.len &&
           job->text.data[job->text.len - 1 - breaks] == '\n')
        breaks++;
    if (breaks < job->text.len)
        (void)add_text(job, "\n\n", 2 - breaks);
}

void job_say(struct job *job, const char *text)
{
    begin_paragraph(job);
    (void)add_text(job, text, strlen(text));
}

static enum job_state text_came(struct job *job, const char *bytes, size_t len)
{
    if (!add_text(job, bytes, len))
        return JOB_STREAMING;
    job_cancel_call(job);
    return finished(job, LLM_FINISH_LENGTH);
}

static void measure_first_token(struct job *job)
{
    job->answer.first_token_ms = engine_now(job->engine) - job->entry.accepted_ms;
    metric_observe(meters.first_token, NULL, (double)job->answer.first_token_ms / 1000.0);
}

/* Of this call; where there are tools, others may have spoken before it. */
static enum job_state first_text(struct job *job, const struct llm_event *event)
{
    if (job->text.len == 0)
        measure_first_token(job);
    begin_paragraph(job);
    if (job->tools == NULL && !job_language_keeps_prompt(job))
        job_prep_free(job);
    job_ask_owner(job);
    return text_came(job, event->text, event->text_len);
}

/* A piece of a call that the caller is to run. */
static enum job_state call_came(struct job *job)
{
    if (job->state == JOB_REQUESTING) {
        measure_first_token(job);
        job_prep_free(job);
        job_ask_owner(job);
    }
    return JOB_STREAMING;
}

static enum job_state event_came(struct job *job, const struct llm_event *event)
{
    if (job->door != NULL && !door_event(job, event))
        return call_came(job);
    if (event->type == LLM_EVENT_TOOL_END) {
        job_tools_take(job, event);
        return job->state;
    }
    return job->state == JOB_REQUESTING ? first_text(job, event)
                                        : text_came(job, event->text, event->text_len);
}

/* The model's answer has ended well. */
static enum job_state answered(struct job *job, enum llm_finish finish)
{
    bool ran_out = job->tools != NULL && job->tools->closed && job_tools_called(job);
    if (job_tools_called(job) && !ran_out && finish != LLM_FINISH_FILTER)
        return JOB_TOOLS;
    job_tools_drop(job);
    if (ran_out)
        job_say(job, phrase_text(PHRASE_TOO_MANY, job->language));
    job->answer.finish = finish;
    return JOB_CHECKING;
}

static bool reported(const struct llm_usage *usage)
{
    return usage->input >= 0 || usage->output >= 0;
}

/* Nothing was visible: whatever it was, it may be tried again. */
static enum job_state ended_without_text(struct job *job, const struct job_event *event)
{
    struct llm_error error = *event->end.error;
    bool ended_well = error.class == LLM_ERROR_NONE && event->end.finish != LLM_FINISH_FILTER;
    bool is_empty = job->door != NULL && error.class == LLM_ERROR_NONE &&
                    door_may_be_empty(job, event->end.finish);
    if (reported(event->end.usage) || job_tools_called(job) || is_empty)
        bill(job, event->end.usage);
    if (is_empty)
        return finished(job, event->end.finish);
    if (ended_well && (job_tools_called(job) || job->text.len > 0))
        return answered(job, event->end.finish);
    if (error.class == LLM_ERROR_NONE) {
        error.class =
            event->end.finish == LLM_FINISH_FILTER ? LLM_ERROR_FILTER : LLM_ERROR_PROTOCOL;
        error.retry_after_ms = error.should_retry = -1;
        snprintf(error.message, sizeof(error.message), "an empty answer");
    }
    return call_failed(job, &error);
}

enum job_state job_requesting_on(struct job *job, const struct job_event *event)
{
    switch (event->type) {
    case JOB_EV_LLM: return event_came(job, event->llm);
    case JOB_EV_LLM_END: return ended_without_text(job, event);
    case JOB_EV_OP: return job_heed_owner(job, event->op);
    case JOB_EV_TIMER: job_ask_owner(job); return JOB_REQUESTING;
    default: return JOB_REQUESTING;
    }
}

enum job_state job_backoff_on(struct job *job, const struct job_event *event)
{
    if (event->type == JOB_EV_OP)
        return job_heed_owner(job, event->op);
    return event->type == JOB_EV_TIMER ? JOB_REQUESTING : JOB_BACKOFF;
}

enum job_state job_streaming_on(struct job *job, const struct job_event *event)
{
    switch (event->type) {
    case JOB_EV_LLM: return event_came(job, event->llm);
    case JOB_EV_OP: return job_heed_owner(job, event->op);
    case JOB_EV_LLM_END: break;
    default: return JOB_STREAMING;
    }
    const struct llm_error *error = event->end.error;
    if (error->class == LLM_ERROR_NONE) {
        bill(job, event->end.usage);
        return answered(job, event->end.finish);
    }
    /* What a stream reported before it broke is how it began: Anthropic's first event
     * says one output token. */
    struct llm_usage begun = *event->end.usage;
    begun.output = -1;
    bill(job, &begun);
    metric_add(meters.provider_errors, llm_error_name(error->class), 1);
    log_warn(&job->log, "provider.cut", LOG_STR("model", candidate(job)->model),
             LOG_STR("class", llm_error_name(error->class)));
    tell_what_it_said(job, error);
    job_tools_drop(job);
    if (job_claims_settle(job) || job_language_settle(job))
        return finished(job, LLM_FINISH_STOP);
    return job_fail(job, FD_PROBLEM_INTERRUPTED, NULL, llm_error_name(error->class));
}
