/* ROUTED: snippets packed, tier and model chosen, the prompt built; `meta` goes out. */
#include "chat/job_states.h"

#include "chat/memory.h"
#include "chat/prompt.h"
#include "llm/tokens.h"

#include <stdio.h>
#include <string.h>

static bool was_sent(const struct chunk_set *set, const char *id)
{
    for (size_t i = 0; i < set->count; i++) {
        for (size_t k = 0; k < set->chunks[i].snippet_count; k++) {
            if (strcmp(set->chunks[i].snippet_ids[k], id) == 0)
                return true;
        }
    }
    return false;
}

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
    struct snippet *sent = arena_zalloc(&job->arena, (prep->snippet_count + 1) * sizeof(*sent));
    size_t count = 0;
    for (size_t i = 0; i < prep->snippet_count; i++) {
        if (was_sent(set, prep->snippets[i].id))
            sent[count++] =
                (struct snippet){.id = arena_strdup(&job->arena, prep->snippets[i].id),
                                 .label = arena_strdup(&job->arena, prep->snippets[i].label),
                                 .body = ""};
    }
    citation_init(&job->citations, set, sent, count);
}

static const char *pack_and_route(struct job *job)
{
    const struct tenant *tenant = job->tenant;
    struct job_prep *prep = job->prep;
    struct chunk_limits limits = {tenant->max_chunk_tokens, tenant->max_chunks,
                                  tenant->max_context_tokens};
    struct chunk_set set;
    chunk_pack(&prep->arena, prep->snippets, prep->snippet_count, &limits, &set);
    job->answer.chunks = set_without_texts(job, &set);
    watch_citations(job, job->answer.chunks);

    struct route_words *own = arena_zalloc(&prep->arena, (tenant->intent_count + 1) * sizeof(*own));
    for (size_t i = 0; i < tenant->intent_count; i++)
        own[i] = (struct route_words){tenant->intents[i].intent, tenant->intents[i].words,
                                      tenant->intents[i].count};
    struct route_rules rules = {tenant->reasoning_min_tokens, tenant->reasoning_min_chunks, own,
                                tenant->intent_count};
    struct route_input input = {job->request.message.s, set.context_tokens, (int)set.count};
    route_decide(&job->arena, &rules, &input, &job->answer.route);
    job->answer.routed = true;
    return chunk_join(&prep->arena, &set);
}

static void build_prompt(struct job *job, const char *context)
{
    struct job_prep *prep = job->prep;
    const struct tenant *tenant = job->tenant;
    struct prompt_values values = {.org_name = tenant->name,
                                   .language = job->language,
                                   .tone = tenant->tone,
                                   .own_text = tenant->own_prompt,
                                   .context = context,
                                   .question = job->request.message.s};
    size_t first = memory_cut(prep->history, prep->history_count, tenant->max_context_tokens);
    size_t count = prep->history_count - first;
    struct llm_message *messages = arena_zalloc(&prep->arena, (count + 1) * sizeof(*messages));
    if (count > 0)
        memcpy(messages, prep->history + first, count * sizeof(*messages));
    messages[count] = (struct llm_message){
        .role = LLM_USER, .text = prompt_turn(job->engine->prompts, &prep->arena, &values)};

    prep->request =
        (struct llm_request){.system = prompt_system(job->engine->prompts, &prep->arena, &values),
                             .messages = messages,
                             .message_count = count + 1,
                             .temperature = tenant->temperature,
                             .max_tokens = tenant->max_tokens,
                             .question = job->request.message.s,
                             .context = context,
                             .language = job->language};
    job->prompt_tokens = tokens_estimate(prep->request.system, strlen(prep->request.system));
    for (size_t i = 0; i <= count; i++)
        job->prompt_tokens += tokens_estimate(messages[i].text, strlen(messages[i].text));
}

static void add_reason(struct job *job, const char *reason)
{
    struct route *route = &job->answer.route;
    if (reason != NULL && route->reason_count < sizeof(route->reasons) / sizeof(*route->reasons))
        route->reasons[route->reason_count++] = reason;
}

/* What would be asked, of whom and at what price (ENG-18). */
static enum job_state dry_run(struct job *job)
{
    const struct model_candidate *first = &job->plan.candidates[0];
    const struct citation_scan *scan = &job->citations;
    struct citation *sent = arena_zalloc(&job->arena, (scan->snippet_count + 1) * sizeof(*sent));
    for (size_t i = 0; i < scan->snippet_count; i++)
        sent[i] = (struct citation){scan->snippets[i].id, scan->snippets[i].label};
    job->answer.end = ANSWER_DONE;
    job->answer.dry_run = true;
    job->answer.citations = sent;
    job->answer.citation_count = scan->snippet_count;
    job->answer.prompt_tokens = job->prompt_tokens;
    job->answer.attempts[0] = (struct answer_attempt){
        .provider = first->endpoint->name,
        .model = first->model,
        .usage = {.input = job->prompt_tokens, .cost_micro = -1},
        .estimated = true,
        .free = first->endpoint->protocol == NULL,
    };
    job->answer.attempt_count = 1;
    return JOB_SAVING;
}

static enum job_state refuse_model(struct job *job)
{
    job->answer.field = "model_id";
    return job_fail(job, FD_PROBLEM_FIELD,
                    arena_printf(&job->arena, "Model %s is not enabled for this organization",
                                 job->plan.refused),
                    "model not enabled");
}

enum job_state job_routed_enter(struct job *job)
{
    const char *context = pack_and_route(job);
    model_choose(&job->arena, &job->engine->endpoints, job->tenant, job->answer.route.tier,
                 job->request.model_id.s, &job->plan);
    if (job->plan.count == 0)
        return refuse_model(job);
    job->answer.model = job->plan.candidates[0].model;
    add_reason(job, job->plan.reason);
    job_send_meta(job);
    if (job->plan.instead != NULL)
        job_send_notice(job, "model",
                        arena_printf(&job->arena, "%s is not available here; %s answers instead.",
                                     job->plan.instead, job->answer.model));
    if (job->ungrounded)
        job_send_notice(job, "context",
                        "The business's own information could not be looked up just now.");
    build_prompt(job, context);

    const struct route *route = &job->answer.route;
    log_info(&job->log, "job.routed", LOG_STR("tier", route_tier_name(route->tier)),
             LOG_STR("intent", route->intent), LOG_STR("model", job->answer.model),
             LOG_STR("reason", route->reason_count > 0 ? route->reasons[0] : NULL),
             LOG_INT("context_tokens", job->answer.chunks->context_tokens),
             LOG_INT("chunks", job->answer.chunks->count));
    return job->request.dry_run ? dry_run(job) : JOB_REQUESTING;
}
