/* How the visitor's message sounds (ENG-14): by rule, and where the organisation names a model,
 * by it. It is asked beside the answer's own, so that no token waits for it; what it says counts
 * if it comes in time. */
#include "chat/job_people.h"

#include "chat/meters.h"
#include "context/memory.h"
#include "context/prompt.h"
#include "context/sentiment.h"
#include "core/clock.h"
#include "core/loop.h"
#include "llm/call.h"
#include "llm/tokens.h"
#include "route/model.h"

#include <stdlib.h>
#include <string.h>

/* The call's own limits lie behind ours: that we are in a hurry is no fault of the provider's. */
#define AFTER_MS 1000

struct job_sentiment {
    struct llm_endpoint *endpoint;
    struct llm_call *call; /* NULL: it is over */
    struct timer *timer;
    struct buf text;
    int64_t prompt_tokens; /* estimated */
    int64_t began_ms;      /* monotonic */
};

/* -- the end -------------------------------------------------------------------------------- */

bool job_sentiment_open(const struct job *job)
{
    return job->sentiment != NULL && job->sentiment->call != NULL;
}

/* The rule's score stands. */
static void without(struct job *job, const char *why)
{
    job->answer.sentiment.failed = why;
    metric_add(meters.sentiment, why, 1);
    log_info(&job->log, "sentiment.by_rule", LOG_STR("model", job->answer.sentiment.model),
             LOG_STR("why", why));
}

static void bill(struct job *job, const struct llm_usage *usage)
{
    const struct job_sentiment *ask = job->sentiment;
    struct answer_attempt *attempt = &job->answer.sentiment.attempt;
    const char *text = ask->text.data != NULL ? ask->text.data : "";
    *attempt = (struct answer_attempt){.provider = ask->endpoint->name,
                                       .model = job->answer.sentiment.model,
                                       .usage = *usage,
                                       .own_key = ask->endpoint->of_tenant};
    attempt->estimated =
        answer_usage_fill(&attempt->usage, ask->prompt_tokens, tokens_estimate(text, strlen(text)));
}

static void over(struct job *job)
{
    struct job_sentiment *ask = job->sentiment;
    timer_stop(ask->timer);
    job->answer.sentiment.ms = clock_mono_ms() - ask->began_ms;
}

/* Hanging up is all that stops a provider; what it made so far is paid for. */
static void hang_up(struct job *job, const char *why)
{
    struct job_sentiment *ask = job->sentiment;
    llm_call_cancel(ask->call);
    ask->call = NULL;
    bill(job, &(struct llm_usage){-1, -1, -1, -1, -1});
    over(job);
    without(job, why);
}

static void give_up(struct job *job, const char *why)
{
    hang_up(job, why);
    job_advance(job, &(struct job_event){.type = JOB_EV_SENTIMENT});
}

static void on_late(void *arg)
{
    give_up(arg, "late");
}

static void on_event(void *arg, const struct llm_event *event)
{
    struct job *job = arg;
    struct buf *text = &job->sentiment->text;
    if (event->type == LLM_EVENT_TEXT && !buf_append(text, event->text, event->text_len))
        give_up(job, "unreadable");
}

/* What a stream reported before it broke is how it began. */
static void bill_reported(struct job *job, const struct llm_error *error,
                          const struct llm_usage *reported)
{
    struct llm_usage usage = *reported;
    if (job->sentiment->text.len == 0 && usage.input < 0 && usage.output < 0)
        return;
    if (error->class != LLM_ERROR_NONE)
        usage.output = -1;
    bill(job, &usage);
}

static void failed(struct job *job, enum llm_error_class class, int status)
{
    without(job, "failed");
    log_warn(&job->log, "sentiment.failed", LOG_STR("model", job->answer.sentiment.model),
             LOG_STR("class", llm_error_name(class)), LOG_INT("status", status));
}

static void on_end(void *arg, const struct llm_error *error, enum llm_finish finish,
                   const struct llm_usage *usage)
{
    struct job *job = arg;
    struct job_sentiment *ask = job->sentiment;
    struct answer_sentiment *sentiment = &job->answer.sentiment;
    ask->call = NULL;
    bill_reported(job, error, usage);
    over(job);
    if (error->class != LLM_ERROR_NONE)
        failed(job, error->class, error->status);
    else if (finish == LLM_FINISH_FILTER)
        failed(job, LLM_ERROR_FILTER, 0);
    else if (!sentiment_read(ask->text.data, ask->text.len, &sentiment->score))
        without(job, "unreadable");
    else
        sentiment->by_model = true;
    if (sentiment->by_model)
        metric_add(meters.sentiment, "rated", 1);
    job_advance(job, &(struct job_event){.type = JOB_EV_SENTIMENT});
}

/* -- asking --------------------------------------------------------------------------------- */

static bool start(struct job *job, const struct model_choice *choice, struct llm_error *error)
{
    struct job_sentiment *ask = job->sentiment;
    struct engine *engine = job->engine;
    struct llm_request request;
    struct arena a;
    arena_init(&a);
    sentiment_request(&a, prompt_sentiment(engine->prompts, &a), job->request.message.s, &request);
    request.model = choice->name;
    ask->prompt_tokens = memory_tokens(request.messages, 1) +
                         tokens_estimate(request.system, strlen(request.system));
    int most_ms = engine->config->sentiment_ms + AFTER_MS;
    struct llm_call_options options = {.endpoint = choice->endpoint,
                                       .outbound = engine->outbound,
                                       .request = &request,
                                       .connect_ms = engine->config->connect_timeout_ms,
                                       .first_ms = most_ms,
                                       .idle_ms = most_ms,
                                       .total_ms = most_ms,
                                       .aside = true,
                                       .on_event = on_event,
                                       .on_end = on_end,
                                       .arg = job};
    ask->call = llm_call_start(engine->loop, engine->http, &options, error);
    arena_free(&a);
    return ask->call != NULL;
}

static void begin(struct job *job, const struct model_choice *choice)
{
    struct job_sentiment *ask = calloc(1, sizeof(*ask));
    struct llm_error error;
    if (ask == NULL)
        abort();
    job->sentiment = ask;
    buf_init(&ask->text, SENTIMENT_ANSWER);
    ask->endpoint = choice->endpoint;
    ask->timer = timer_new(job->engine->loop, on_late, job);
    ask->began_ms = clock_mono_ms();
    if (start(job, choice, &error))
        timer_set(ask->timer, job->engine->config->sentiment_ms);
    else
        failed(job, error.class, error.status);
}

/* The very model, where it may run and somebody serves it: another would be another's money. */
static const struct model_choice *find(struct model_pool *pool, const struct job *job)
{
    model_pool_fill(pool, job->endpoints, job->tenant);
    for (size_t i = 0; i < pool->count; i++) {
        const struct model_choice *choice = &pool->list[i];
        if (choice->endpoint->protocol != NULL &&
            strcmp(choice->id, job->tenant->sentiment_model) == 0)
            return choice;
    }
    return NULL;
}

/* Too often to be reserved: under a cap its price has to be known, and there has to be room. */
static const char *refusal(const struct job *job, const struct model_choice *choice)
{
    if (!budget_asks(job->tenant, choice->endpoint))
        return NULL;
    if (job->tenant->budget_used_percent >= MODEL_BUDGET_LOW)
        return "budget";
    return model_price(choice) < 0 ? "no_price" : NULL;
}

void job_sentiment_ask(struct job *job)
{
    struct answer_sentiment *sentiment = &job->answer.sentiment;
    const char *wanted = job->tenant->sentiment_model;
    struct model_pool pool;
    if (wanted == NULL || sentiment->model != NULL || job->door != NULL || job->row.apart)
        return;
    const struct model_choice *choice = find(&pool, job);
    const char *why = choice != NULL ? refusal(job, choice) : "unavailable";
    sentiment->model = arena_strdup(&job->arena, choice != NULL ? choice->name : wanted);
    if (why == NULL && !breaker_is_closed(&choice->endpoint->breaker))
        why = "breaker";
    if (why == NULL)
        begin(job, choice);
    else
        without(job, why);
    if (!job_sentiment_open(job))
        job_offer_by_mood(job);
}

/* -- the answer's end ----------------------------------------------------------------------- */

/* A whole answer waits for what is left of the model's time, no other does. */
void job_sentiment_settle(struct job *job)
{
    bool whole = job->answer.end == ANSWER_DONE && !job->to_person;
    if (job_sentiment_open(job) && whole)
        return;
    if (job_sentiment_open(job))
        hang_up(job, "ended");
    job_offer_by_mood(job);
}

void job_sentiment_drop(struct job *job)
{
    if (!job_sentiment_open(job))
        return;
    llm_call_cancel(job->sentiment->call);
    job->sentiment->call = NULL;
    timer_stop(job->sentiment->timer);
}

void job_sentiment_free(struct job *job)
{
    struct job_sentiment *ask = job->sentiment;
    if (ask == NULL)
        return;
    timer_free(ask->timer);
    buf_free(&ask->text);
    free(ask);
    job->sentiment = NULL;
}
