#include "chat/summarizer.h"

#include "chat/charge.h"
#include "chat/meters.h"
#include "chat/own_endpoints.h"
#include "chat/seat.h"
#include "context/memory.h"
#include "context/summary_store.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "llm/call.h"
#include "llm/tokens.h"
#include "net/http.h"
#include "protocol/ids.h"
#include "route/work_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define AT_WORK_MAX 4
#define WAITING_MAX 256
#define TOTAL_MS    60000 /* of the call: well within the claim */
#define FIRST_MS    30000
#define ANSWER_MAX  16384 /* bytes of what a model may write */

struct summarizer {
    struct engine *engine;
    struct work *list; /* first come, first served */
    size_t count;
    size_t at_work;
    bool stopped;
};

/* One conversation's step. */
struct work {
    struct summarizer *summarizer;
    struct work *prev, *next;
    bool begun;
    struct arena arena;
    struct tenant *tenant;
    const char *session;
    const char *conversation;
    const char *language;

    struct llm_endpoints *endpoints; /* held */
    struct model_candidate by;
    struct summary_step step;
    bool due; /* claimed, and what it may cost is reserved */
    struct llm_request request;
    int64_t prompt_tokens;
    const char *charge_id; /* of this attempt alone: each is paid */
    enum db_status status;
    enum budget_verdict verdict;

    struct llm_call *call;
    struct buf text;
    struct answer_attempt attempt; /* provider NULL: nothing is to be paid */
    const char *summary;           /* NULL: none came of it */
    int messages;
    struct log_context log;
};

static void begin_next(struct summarizer *summarizer);

static bool is_builtin(const struct work *work)
{
    return work->by.endpoint->protocol == NULL;
}

static void work_free(struct work *work)
{
    struct summarizer *summarizer = work->summarizer;
    DL_DELETE(summarizer->list, work);
    summarizer->count--;
    summarizer->at_work -= work->begun;
    if (work->call != NULL)
        llm_call_cancel(work->call);
    own_endpoints_release(summarizer->engine, work->endpoints);
    tenant_unref(work->tenant);
    buf_free(&work->text);
    arena_free(&work->arena);
    free(work);
}

static void over(struct work *work, const char *how)
{
    struct summarizer *summarizer = work->summarizer;
    metric_add(meters.summaries, how, 1);
    work_free(work);
    begin_next(summarizer);
}

static struct charge charge_of(const struct work *work)
{
    return (struct charge){.org = work->tenant->org,
                           .id = work->charge_id,
                           .epoch = 1,
                           .kind = "summary",
                           .conversation_id = work->conversation};
}

/* -- the end: written, paid ---------------------------------------------------------------- */

static void run_end(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct work *work = arg;
    const struct charge charge = charge_of(work);
    work->messages = -1;
    work->status = DB_OK;
    if (work->summary != NULL)
        work->status =
            summary_write(seat->db, charge.org, work->conversation, work->summarizer->engine->owner,
                          &work->step, work->summary, work->by.model, &work->messages);
    /* Paid, whatever became of it. */
    enum db_status paid = work->attempt.provider != NULL
                              ? charge_settle(seat->db, &charge, &work->attempt)
                              : charge_drop(seat->db, &charge);
    if (paid != DB_OK)
        log_error(&work->log, "summary.not_settled", LOG_STR("error", db_error(seat->db)));
}

static void end_done(void *arg, bool ran)
{
    struct work *work = arg;
    if (!ran || work->status != DB_OK || work->messages < 0) {
        over(work, ran && work->status == DB_OK && work->summary != NULL ? "lost" : "failed");
        return;
    }
    const struct summary summary = {.text = work->summary, .messages = work->messages};
    memory_summarise(work->summarizer->engine->live, work->tenant->org, work->session, &summary);
    log_info(&work->log, "summary.written", LOG_STR("model", work->by.model),
             LOG_INT("messages", work->messages),
             LOG_INT("tokens", tokens_estimate(work->summary, strlen(work->summary))));
    over(work, "written");
}

static void end(struct work *work)
{
    if (!pool_submit(work->summarizer->engine->pool, run_end, end_done, work))
        over(work, "failed"); /* the claim and the reservation end by themselves */
}

/* -- the call ------------------------------------------------------------------------------ */

static void on_event(void *arg, const struct llm_event *event)
{
    struct work *work = arg;
    if (event->type == LLM_EVENT_TEXT)
        buf_append(&work->text, event->text, event->text_len);
}

static void bill(struct work *work, const struct llm_usage *usage)
{
    const char *text = work->text.data != NULL ? work->text.data : "";
    work->attempt = (struct answer_attempt){.provider = work->by.endpoint->name,
                                            .model = work->by.model,
                                            .usage = *usage,
                                            .own_key = work->by.endpoint->of_tenant};
    work->attempt.estimated = answer_usage_fill(&work->attempt.usage, work->prompt_tokens,
                                                tokens_estimate(text, strlen(text)));
}

static void on_end(void *arg, const struct llm_error *error, enum llm_finish finish,
                   const struct llm_usage *usage)
{
    struct work *work = arg;
    work->call = NULL;
    bool ended_well = error->class == LLM_ERROR_NONE && finish != LLM_FINISH_FILTER;
    if (work->text.len > 0 || usage->input >= 0 || usage->output >= 0)
        bill(work, usage);
    if (ended_well && work->text.len > 0)
        work->summary = summary_clean(&work->arena, work->text.data);
    else
        log_warn(&work->log, "summary.failed", LOG_STR("model", work->by.model),
                 LOG_STR("class", llm_error_name(error->class)));
    end(work);
}

static void ask(struct work *work)
{
    struct engine *engine = work->summarizer->engine;
    const struct config *config = engine->config;
    struct llm_error error = {.class = LLM_ERROR_OVERLOADED};
    struct llm_call_options options = {.endpoint = work->by.endpoint,
                                       .outbound = engine->outbound,
                                       .request = &work->request,
                                       .connect_ms = config->connect_timeout_ms,
                                       .first_ms = FIRST_MS,
                                       .idle_ms = config->idle_ms,
                                       .total_ms = TOTAL_MS,
                                       .on_event = on_event,
                                       .on_end = on_end,
                                       .arg = work};
    if (breaker_allows(&work->by.endpoint->breaker, clock_mono_ms()))
        work->call = llm_call_start(engine->loop, engine->http, &options, &error);
    if (work->call == NULL) {
        log_warn(&work->log, "summary.failed", LOG_STR("model", work->by.model),
                 LOG_STR("class", llm_error_name(error.class)));
        end(work);
    }
}

/* -- the beginning: claimed, reserved --------------------------------------------------------- */

static enum db_status reserve(struct work *work, struct db *db)
{
    const struct charge charge = charge_of(work);
    struct budget_word word;
    work->verdict = BUDGET_GRANTED;
    if (!work->tenant->capped)
        return DB_OK; /* no bound to it, so nothing to hold; a price may be unknown */
    struct budget_ask budget = {.org = charge.org,
                                .job = charge.id,
                                .epoch = charge.epoch,
                                .owner = work->summarizer->engine->owner,
                                .session = work->session,
                                .conversation_id = work->conversation,
                                .life_ms = SUMMARY_CLAIM_MS,
                                .provider = work->by.endpoint->name,
                                .model = work->by.model,
                                .prompt_tokens = work->prompt_tokens,
                                .max_tokens = SUMMARY_TOKENS};
    enum db_status status = budget_reserve(db, &budget, &word);
    work->verdict = word.verdict;
    return status;
}

static void extract(struct work *work)
{
    const struct summary_step *step = &work->step;
    work->summary = summary_extract(&work->arena, step->before, step->messages, step->count);
}

/* The model may not be paid: the built-in does it, for nothing. */
static void do_without(struct work *work)
{
    struct llm_endpoint *last = &work->endpoints->list[work->endpoints->count - 1];
    log_info(&work->log, "summary.refused", LOG_STR("model", work->by.model),
             LOG_STR("cap", budget_verdict_name(work->verdict)));
    work->by = (struct model_candidate){last, last->fast_model, ROUTE_FAST};
    extract(work);
}

static void run_begin(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct work *work = arg;
    struct summary_step *step = &work->step;
    work->status = summary_claim(seat->db, &work->arena, work->tenant->org, work->conversation,
                                 work->summarizer->engine->owner, step, &work->due);
    if (work->status != DB_OK || !work->due)
        return;
    if (is_builtin(work)) {
        extract(work);
        return;
    }
    summary_request(&work->arena, step->before, step->messages, step->count, work->language,
                    &work->request);
    work->request.model = work->by.model;
    work->prompt_tokens = memory_tokens(work->request.messages, 1) +
                          tokens_estimate(work->request.system, strlen(work->request.system));
    work->status = reserve(work, seat->db);
    if (work->status == DB_OK && work->verdict != BUDGET_GRANTED)
        do_without(work);
}

static void begin_done(void *arg, bool ran)
{
    struct work *work = arg;
    if (ran && work->verdict != BUDGET_GRANTED)
        metric_add(meters.summaries, "refused", 1);
    if (!ran || work->status != DB_OK) {
        over(work, "failed");
    } else if (!work->due) {
        over(work, "not_due");
    } else if (is_builtin(work)) {
        end(work);
    } else {
        ask(work);
    }
}

static void begin(struct work *work)
{
    struct engine *engine = work->summarizer->engine;
    work->begun = true;
    work->summarizer->at_work++;
    work->endpoints = own_endpoints_hold(engine, work->tenant);
    work->by = work_model_choose(work->endpoints, work->tenant, engine->config->summary_model);
    if (!pool_submit(engine->pool, run_begin, begin_done, work))
        over(work, "failed");
}

static struct work *first_waiting(const struct summarizer *summarizer)
{
    struct work *work;
    DL_FOREACH (summarizer->list, work) {
        if (!work->begun)
            return work;
    }
    return NULL;
}

static void begin_next(struct summarizer *summarizer)
{
    struct work *work = first_waiting(summarizer);
    if (work != NULL && summarizer->at_work < AT_WORK_MAX && !summarizer->stopped)
        begin(work);
}

/* -- from outside -------------------------------------------------------------------------------
 */

static bool is_known(const struct summarizer *summarizer, const char *conversation)
{
    const struct work *work;
    DL_FOREACH (summarizer->list, work) {
        if (strcmp(work->conversation, conversation) == 0)
            return true;
    }
    return false;
}

void summarizer_tell(struct summarizer *summarizer, struct tenant *tenant, const char *session,
                     const char *conversation, const char *language)
{
    if (summarizer->stopped || summarizer->count >= WAITING_MAX ||
        is_known(summarizer, conversation))
        return;
    struct work *work = calloc(1, sizeof(*work));
    if (work == NULL)
        abort();
    work->summarizer = summarizer;
    arena_init(&work->arena);
    buf_init(&work->text, ANSWER_MAX);
    work->tenant = tenant_ref(tenant);
    work->session = arena_strdup(&work->arena, session);
    work->conversation = arena_strdup(&work->arena, conversation);
    work->language = arena_strdup(&work->arena, language);
    uint64_t number;
    fd_random(&number, sizeof(number));
    work->charge_id = arena_printf(&work->arena, "summary:%016" PRIx64, number);
    work->log =
        (struct log_context){.conversation_id = work->conversation, .org_id = work->tenant->org};
    DL_APPEND(summarizer->list, work);
    summarizer->count++;
    begin_next(summarizer);
}

struct summarizer *summarizer_new(struct engine *engine)
{
    struct summarizer *summarizer = calloc(1, sizeof(*summarizer));
    if (summarizer == NULL)
        abort();
    summarizer->engine = engine;
    return summarizer;
}

void summarizer_stop(struct summarizer *summarizer)
{
    summarizer->stopped = true;
}

void summarizer_drop(struct summarizer *summarizer)
{
    struct work *work, *next;
    summarizer->stopped = true;
    DL_FOREACH_SAFE (summarizer->list, work, next) {
        if (work->call != NULL || !work->begun)
            work_free(work);
    }
}

void summarizer_free(struct summarizer *summarizer)
{
    if (summarizer == NULL)
        return;
    summarizer->stopped = true;
    while (summarizer->list != NULL)
        work_free(summarizer->list);
    free(summarizer);
}
