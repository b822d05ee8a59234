#include "chat/dry_run.h"

#include "chat/budget.h"
#include "chat/calibration_store.h"
#include "chat/endpoints.h"
#include "chat/own_endpoints.h"
#include "chat/prices.h"
#include "chat/store.h"
#include "context/memory.h"
#include "context/summary_store.h"
#include "chat/route_json.h"
#include "context/turn_language.h"
#include "core/clock.h"

#include <math.h>
#include <string.h>

static const char *refusal(struct arena *a, const struct model_plan *plan)
{
    switch (plan->refusal) {
    case MODEL_CHOSEN: return NULL;
    case MODEL_NOT_ENABLED:
        return arena_printf(a, "Model %s is not enabled for this organization", plan->refused);
    case MODEL_OVER_BUDGET: return BUDGET_NO_ROOM;
    case MODEL_NOWHERE: return "None of its models may run in the regions that it allows.";
    }
    return NULL;
}

/* A session that is not there is a new one. */
static enum db_status load_history(struct db *db, struct arena *a, const struct dry_run_ask *ask,
                                   struct dry_run *run)
{
    bool ended, human;
    if (ask->session == NULL)
        return DB_OK;
    enum db_status status =
        store_history(db, a, ask->org, ask->session, "", MEMORY_MESSAGES, &run->history,
                      &run->history_count, &run->last, &ended, &human);
    run->last.tokens = memory_tokens(run->history, run->history_count);
    return status == DB_OK ? summary_find(db, a, ask->org, ask->session, &run->summary) : status;
}

static enum db_status load(struct db *db, const struct config *config, struct arena *a,
                           const struct dry_run_ask *ask, struct dry_run *run)
{
    enum db_status status = tenant_load(db, config, ask->org, &run->tenant);
    run->found = status == DB_OK && run->tenant != NULL;
    if (!run->found)
        return status;
    status = load_history(db, a, ask, run);
    if (status != DB_OK)
        return status;
    run->language = ask->language != NULL
                        ? ask->language
                        : turn_language(ask->question, strlen(ask->question), run->history,
                                        run->history_count, run->tenant->language);
    status = toolbox_load(db, ask->org, &run->tools);
    run->meaning = (struct meaning_once){.outcome = "off"};
    if (status == DB_OK && run->tenant->has_knowledge)
        status = meaning_once(db, config, a, run->tenant, ask->question, &run->meaning);
    const struct retrieve_ask question = {.org = ask->org,
                                          .question = ask->question,
                                          .language = run->language,
                                          .topic = retrieve_topic(run->history, run->history_count),
                                          .meaning = run->meaning.found,
                                          .meaning_count = run->meaning.count};
    if (status == DB_OK && run->tenant->has_knowledge)
        status = retrieve_snippets(db, a, &question, &run->retrieved);
    return status;
}

static void draft(struct arena *a, const struct prompt_set *prompts, const struct dry_run_ask *ask,
                  struct dry_run *run)
{
    const struct draft_input input = {.tenant = run->tenant,
                                      .prompts = prompts,
                                      .box = run->tools,
                                      .question = ask->question,
                                      .language = run->language,
                                      .wish = ask->model_id,
                                      .snippets = run->retrieved.snippets,
                                      .snippet_count = run->retrieved.count,
                                      .sought = run->retrieved.asks,
                                      .grounding = run->retrieved.grounding,
                                      .session = ask->session,
                                      .history = run->history,
                                      .history_count = run->history_count,
                                      .summary = run->summary,
                                      .last = run->last,
                                      .now_ms = clock_wall_ms()};
    draft_make(a, a, &input, &run->draft);
    const struct llm_request *request = &run->draft.request;
    run->tool_tokens = toolbox_tokens(request->tools, request->tool_count);
    run->prompt_tokens = run->draft.prompt_tokens + (int64_t)run->tool_tokens;
    draft_choose(a, &run->endpoints, &input, run->prompt_tokens, &run->draft.route, &run->plan);
    run->refused = run->tenant->active && run->tenant->enabled
                       ? refusal(a, &run->plan)
                       : "AI assistant is disabled for this org";
}

static enum db_status find_price(struct db *db, struct dry_run *run)
{
    struct calibration known = {.count = 0};
    run->likely_tokens = run->prompt_tokens;
    if (run->plan.count == 0)
        return DB_OK;
    const struct model_candidate *first = &run->plan.candidates[0];
    enum db_status status = calibration_read(db, &known);
    if (status != DB_OK)
        return status;
    run->likely_tokens = calibration_tokens(&known, first->model, run->prompt_tokens);
    run->free = !price_is_due(first->endpoint->name);
    return run->free ? DB_OK : prices_find(db, first->model, &run->price, &run->priced);
}

/* What the budget would say to the call. */
static enum db_status ask_budget(struct db *db, struct arena *a, const struct dry_run_ask *ask,
                                 struct dry_run *run)
{
    const struct model_candidate *first = &run->plan.candidates[0];
    char conversation[STORE_UUID_SIZE];
    if (run->refused != NULL || run->plan.count == 0)
        return DB_OK;
    store_uuid(conversation, "conversation", ask->org, ask->session != NULL ? ask->session : "");
    struct budget_ask call = {.org = ask->org,
                              .session = ask->session != NULL ? ask->session : "",
                              .conversation_id = conversation,
                              .model = first->model,
                              .prompt_tokens = run->prompt_tokens,
                              .likely_tokens = run->likely_tokens,
                              .max_tokens = run->draft.request.max_tokens};
    return budget_try(db, a, run->tenant, first->endpoint, &call, &run->refused);
}

enum db_status dry_run_make(struct db *db, const struct config *config, struct arena *a,
                            const struct dry_run_ask *ask, struct dry_run *run)
{
    char error[256] = "";

    *run = (struct dry_run){0};
    enum db_status status = load(db, config, a, ask, run);
    if (status != DB_OK || !run->found)
        return status;
    struct prompt_set *prompts = prompt_load(config->prompts_dir, error);
    bool own = own_endpoints_make(run->tenant, &run->endpoints);
    if (prompts != NULL && (own || endpoints_find(&run->endpoints, config, error))) {
        draft(a, prompts, ask, run);
        status = find_price(db, run);
        if (status == DB_OK)
            status = ask_budget(db, a, ask, run);
    } else {
        db_explain(db, "%s", error);
        status = DB_FAILED;
    }
    if (prompts != NULL)
        prompt_free(prompts);
    return status;
}

void dry_run_free(struct dry_run *run)
{
    llm_endpoints_free(&run->endpoints);
    toolbox_unref(run->tools);
    tenant_unref(run->tenant);
}

/* -- told ------------------------------------------------------------------------------------ */

static void write_snippets(struct fd_json_writer *w, const struct dry_run *run)
{
    fd_jw_key(w, "snippets");
    fd_jw_array(w);
    for (size_t i = 0; i < run->retrieved.count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "id", run->retrieved.snippets[i].id);
        fd_jw_member(w, "label", run->retrieved.snippets[i].label);
        fd_jw_key(w, "score");
        fd_jw_double(w, round(run->retrieved.snippets[i].score * 1e4) / 1e4);
        fd_jw_key(w, "found");
        route_write_found(w, run->retrieved.snippets[i].reasons);
        fd_jw_member_bool(w, "sent", draft_sent(&run->draft.set, run->retrieved.snippets[i].id));
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

/* What the prompt need not say (ENG-7). */
static void write_savings(struct fd_json_writer *w, const struct dry_run *run)
{
    fd_jw_key(w, "saved");
    fd_jw_object(w);
    fd_jw_member_int(w, "repeated_snippets", (int64_t)run->retrieved.repeats);
    fd_jw_member_int(w, "repeated_lines_tokens", run->draft.saved_tokens);
    fd_jw_member_int(w, "schema_tokens", (int64_t)run->tools->saved_tokens);
    fd_jw_member_int(w, "tools_left_out",
                     (int64_t)(run->tools->set.count - run->draft.request.tool_count));
    fd_jw_member_int(w, "tools_left_out_tokens", (int64_t)(run->tools->tokens - run->tool_tokens));
    fd_jw_end_object(w);
}

static void write_models(struct fd_json_writer *w, const struct model_plan *plan)
{
    fd_jw_member(w, "model", plan->count > 0 ? plan->candidates[0].model : NULL);
    fd_jw_member(w, "provider", plan->count > 0 ? plan->candidates[0].endpoint->name : NULL);
    fd_jw_key(w, "candidates");
    route_write_candidates(w, plan);
}

/* Micro-dollars; null where the price is not known. */
static void write_micro(struct fd_json_writer *w, const char *name, int64_t micro)
{
    fd_jw_key(w, name);
    if (micro < 0)
        fd_jw_null(w);
    else
        fd_jw_int(w, micro);
}

static void write_price(struct fd_json_writer *w, const struct dry_run *run)
{
    static const struct price nothing;
    const struct price *price = run->free ? &nothing : run->priced ? &run->price : NULL;
    const struct llm_usage prompt = {.input = run->likely_tokens};

    fd_jw_key(w, "price");
    fd_jw_object(w);
    write_micro(w, "input_micro_per_mtok", price != NULL ? price->input : -1);
    write_micro(w, "output_micro_per_mtok", price != NULL ? price->output : -1);
    write_micro(w, "prompt_micro", price_of(price, &prompt));
    write_micro(w, "at_most_micro",
                price_worst(price, run->likely_tokens, run->draft.request.max_tokens));
    fd_jw_end_object(w);
}

static void write_prompt(struct fd_json_writer *w, const struct llm_request *request)
{
    static const char *const roles[] = {[LLM_SYSTEM] = "system",
                                        [LLM_USER] = "user",
                                        [LLM_ASSISTANT] = "assistant",
                                        [LLM_TOOL] = "tool"};

    fd_jw_key(w, "prompt");
    fd_jw_object(w);
    fd_jw_member(w, "system", request->system);
    fd_jw_key(w, "messages");
    fd_jw_array(w);
    for (size_t i = 0; i < request->message_count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "role", roles[request->messages[i].role]);
        fd_jw_member(w, "content", request->messages[i].text);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
    fd_jw_key(w, "tools");
    fd_jw_array(w);
    for (size_t i = 0; i < request->tool_count; i++)
        fd_jw_cstring(w, request->tools[i].name);
    fd_jw_end_array(w);
    fd_jw_end_object(w);
}

void dry_run_write(struct fd_json_writer *w, const struct dry_run *run)
{
    fd_jw_object(w);
    fd_jw_member_bool(w, "dry_run", true);
    fd_jw_member(w, "refused", run->refused);
    fd_jw_member(w, "language", run->language);
    write_models(w, &run->plan);
    fd_jw_key(w, "route");
    fd_jw_object(w);
    route_write(w, &run->draft.route);
    fd_jw_end_object(w);
    fd_jw_member(w, "meaning", run->meaning.outcome);
    write_snippets(w, run);
    write_savings(w, run);
    route_write_chunks(w, &run->draft.set);
    fd_jw_member_int(w, "context_tokens", run->draft.set.context_tokens);
    fd_jw_member_int(w, "prompt_tokens", run->prompt_tokens);
    fd_jw_member_int(w, "likely_tokens", run->likely_tokens);
    fd_jw_member_int(w, "max_tokens", run->draft.request.max_tokens);
    answer_write_memory(w, &run->draft.memory);
    write_price(w, run);
    write_prompt(w, &run->draft.request);
    fd_jw_end_object(w);
}
