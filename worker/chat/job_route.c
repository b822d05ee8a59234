/* ROUTED: snippets packed, tier and model chosen, the prompt built; `meta` goes out. */
#include "chat/job_states.h"

#include "chat/calibrator.h"
#include "chat/door.h"
#include "chat/draft.h"
#include "chat/job_people.h"
#include "chat/job_tools.h"
#include "chat/job_trace.h"
#include "context/memory.h"

#include <stdio.h>
#include <string.h>

/* The set without its texts, for the rest of the job's life. */
static const struct chunk_set *set_without_texts(struct job *job, const struct chunk_set *set)
{
    struct arena *a = &job->arena;
    struct chunk_set *copy = arena_zalloc(a, sizeof(*copy));
    copy->count = set->count;
    copy->context_tokens = set->context_tokens;
    copy->chunks = arena_zalloc(a, (set->count + 1) * sizeof(*copy->chunks));
    for (size_t i = 0; i < set->count; i++) {
        const struct chunk *from = &set->chunks[i];
        struct chunk *to = &copy->chunks[i];
        *to = *from;
        to->text = "";
        to->snippet_ids = arena_alloc(a, (from->snippet_count + 1) * sizeof(*to->snippet_ids));
        for (size_t k = 0; k < from->snippet_count; k++)
            to->snippet_ids[k] = arena_strdup(a, from->snippet_ids[k]);
    }
    return copy;
}

/* What an answer may cite: the snippets that were sent, without their bodies. */
static void watch_citations(struct job *job, const struct chunk_set *set)
{
    const struct job_prep *prep = job->prep;
    struct snippet *sent = arena_zalloc(&job->arena, (prep->retrieved.count + 1) * sizeof(*sent));
    size_t count = 0;
    for (size_t i = 0; i < prep->retrieved.count; i++) {
        if (draft_sent(set, prep->retrieved.snippets[i].id))
            sent[count++] = (struct snippet){
                .id = arena_strdup(&job->arena, prep->retrieved.snippets[i].id),
                .label = arena_strdup(&job->arena, prep->retrieved.snippets[i].label),
                .body = ""};
    }
    citation_init(&job->citations, set, sent, count);
}

static struct draft_input draft_input(const struct job *job)
{
    return (struct draft_input){.tenant = job->tenant,
                                .prompts = job->engine->prompts,
                                .box = job->toolbox,
                                .question = job->request.message.s,
                                .language = job->language,
                                .own_text =
                                    job->entry.test != NULL ? job->entry.test->prompt : NULL,
                                .wish = job->request.model_id.s,
                                .session = job->entry.session,
                                .snippets = job->prep->retrieved.snippets,
                                .snippet_count = job->prep->retrieved.count,
                                .sought = job->prep->retrieved.asks,
                                .grounding = job->prep->retrieved.grounding,
                                .history = job->prep->history,
                                .history_count = job->prep->history_count,
                                .summary = job->prep->summary,
                                .last = job->last,
                                .now_ms = engine_now(job->engine)};
}

static void build_prompt(struct job *job)
{
    const struct draft_input input = draft_input(job);
    struct draft draft;
    draft_make(&job->arena, &job->prep->arena, &input, &draft);
    job->answer.chunks = set_without_texts(job, &draft.set);
    watch_citations(job, job->answer.chunks);
    job->answer.route = draft.route;
    job->answer.routed = true;
    job->prep->request = draft.request;
    job->prompt_tokens = draft.prompt_tokens;
    job->answer.memory = draft.memory;
    job->long_talk = job->prep->history_count + 2 >= SUMMARY_FROM || draft.memory.left_out > 0;
    if (job->toolbox->set.count > 0)
        job_tools_offer(job, job->toolbox);
}

/* Too long for the model that answers, and none has more room: less of the conversation. */
static void shrink_history(struct job *job)
{
    struct draft_input input = draft_input(job);
    struct llm_request *request = &job->prep->request;
    struct draft draft;
    input.history_tokens = draft_history_room(&input, request, job->prompt_tokens, &job->plan);
    if (input.history_tokens == 0)
        return;
    draft_make(&job->prep->arena, &job->prep->arena, &input, &draft);
    for (size_t i = 0; i < request->message_count; i++)
        job->prompt_tokens -= memory_tokens(&request->messages[i], 1);
    request->messages = draft.request.messages;
    request->message_count = draft.request.message_count;
    job->prompt_tokens += memory_tokens(request->messages, request->message_count);
    job->answer.memory = draft.memory;
}

/* What would be asked, of whom and at what price (ENG-18). */
enum job_state job_dry_run(struct job *job)
{
    const struct model_candidate *first = &job->plan.candidates[0];
    const struct citation_scan *scan = &job->citations;
    struct citation *sent = arena_zalloc(&job->arena, (scan->snippet_count + 1) * sizeof(*sent));
    for (size_t i = 0; i < scan->snippet_count; i++)
        sent[i] = (struct citation){scan->snippets[i].id, scan->snippets[i].label};
    job->answer.end = ANSWER_DONE;
    job->answer.dry_run = true;
    job->answer.tools = &job->toolbox->set;
    job->answer.citations = sent;
    job->answer.citation_count = scan->snippet_count;
    job->answer.prompt_tokens = job->prompt_tokens;
    job->answer.likely_tokens =
        calibrator_tokens(job->engine->calibrator, first->model, job->prompt_tokens);
    job->answer.attempts[0] = (struct answer_attempt){
        .provider = first->endpoint->name,
        .model = first->model,
        .usage = {.input = job->answer.likely_tokens, .cost_micro = -1},
        .estimated = true,
        .free = first->endpoint->protocol == NULL,
    };
    job->answer.attempt_count = 1;
    return JOB_SAVING;
}

static void choose_model(struct job *job)
{
    const struct draft_input input = draft_input(job);
    draft_choose(&job->arena, job->endpoints, &input, job->prompt_tokens, &job->answer.route,
                 &job->plan);
    if (job->plan.count > 0)
        job->answer.model = job->plan.candidates[0].model;
}

static enum job_state refuse_model(struct job *job)
{
    switch (job->plan.refusal) {
    case MODEL_OVER_BUDGET: return job_over_budget(job);
    case MODEL_NOWHERE:
        return job_fail(job, FD_PROBLEM_DISABLED,
                        "None of its models may run in the regions that it allows.",
                        "no model in region");
    default: break;
    }
    if (job->door != NULL) {
        job->answer.field = "model";
        return job_fail(job, FD_PROBLEM_MODEL, job->plan.refused, "model not enabled");
    }
    job->answer.field = "model_id";
    return job_fail(job, FD_PROBLEM_FIELD,
                    arena_printf(&job->arena, "Model %s is not enabled for this organization",
                                 job->plan.refused),
                    "model not enabled");
}

static void tell_model(struct job *job)
{
    const struct model_plan *plan = &job->plan;
    if (plan->instead != NULL)
        job_send_notice(job, "model",
                        arena_printf(&job->arena, "%s is not available here; %s answers instead.",
                                     plan->instead, job->answer.model));
    if (plan->outgrown != NULL)
        job_send_notice(job, "model",
                        arena_printf(&job->arena,
                                     "This conversation is longer than %s can read; %s answers "
                                     "instead.",
                                     plan->outgrown, job->answer.model));
}

static void log_route(const struct job *job)
{
    const struct route *route = &job->answer.route;
    log_info(&job->log, "job.routed", LOG_STR("tier", route_tier_name(route->tier)),
             LOG_STR("intent", route->intent), LOG_INT("version", route->version),
             LOG_STR("model", job->answer.model), LOG_STR("arm", route->arm),
             LOG_STR("reasons", route_reasons(&job->prep->arena, route)),
             LOG_INT("context_tokens", job->answer.chunks->context_tokens),
             LOG_INT("chunks", job->answer.chunks->count));
    if (route->trial.intent != NULL)
        log_info(&job->log, "job.route_trial", LOG_STR("tier", route_tier_name(route->trial.tier)),
                 LOG_STR("intent", route->trial.intent), LOG_INT("version", route->trial.version),
                 LOG_INT("differs", route->trial.tier != route->tier ||
                                        strcmp(route->trial.intent, route->intent) != 0));
}

enum job_state job_routed_enter(struct job *job)
{
    if (job->door == NULL)
        build_prompt(job);
    else if (!door_prompt(job))
        return JOB_SAVING;
    choose_model(job);
    if (job->plan.count == 0)
        return refuse_model(job);
    if (job->door == NULL)
        shrink_history(job);
    if (job->door != NULL && !door_narrow(job))
        return JOB_SAVING;
    job_send_meta(job);
    tell_model(job);
    if (job->ungrounded)
        job_send_notice(job, "context",
                        "The business's own information could not be looked up just now.");
    job_tell_quota(job);
    job_tell_offer(job);
    log_route(job);
    job_trace_route(job);
    if (!job->request.dry_run)
        return JOB_RECALLING;
    return job_may_spend(job) ? job_dry_run(job) : JOB_RESERVING;
}
