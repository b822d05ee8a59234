#include "chat/draft.h"

#include "context/compress.h"
#include "context/history.h"
#include "context/retrieve.h"
#include "context/score.h"
#include "context/tenant_prompt.h"
#include "core/language_check.h"
#include "route/tenant_route.h"
#include "llm/tokens.h"

#include <string.h>

static const char *pack_and_route(struct arena *keep, struct arena *a,
                                  const struct draft_input *input, struct draft *draft)
{
    const struct tenant *tenant = input->tenant;
    const struct chunk_limits limits = {tenant->max_chunk_tokens, tenant->max_chunks,
                                        tenant->max_context_tokens};
    struct snippet *snippets = arena_alloc(a, (input->snippet_count + 1) * sizeof(*snippets));
    if (input->snippet_count > 0)
        memcpy(snippets, input->snippets, input->snippet_count * sizeof(*snippets));
    draft->saved_tokens = compress_snippets(a, snippets, input->snippet_count);
    chunk_pack(a, snippets, input->snippet_count, &limits, &draft->set);
    const struct route_input asked = {.message = input->question,
                                      .context_tokens = draft->set.context_tokens,
                                      .chunk_count = (int)draft->set.count,
                                      .last = input->last,
                                      .now_ms = input->now_ms};
    tenant_route(keep, tenant, &asked, &draft->route);
    draft->route.sought = input->sought;
    draft->route.grounding = input->grounding;
    return chunk_join(a, &draft->set);
}

bool draft_ungrounded(const struct route *route)
{
    return route->sought && route->grounding < GROUNDING_WEAK;
}

static bool has_summary(const struct summary *summary)
{
    return summary->text != NULL && *summary->text != '\0';
}

/* The conversation so far: the note of what came before, then the turns that fit. */
static struct llm_message *recollect(struct arena *a, const struct draft_input *input,
                                     struct draft *draft, size_t *count)
{
    int64_t room =
        input->history_tokens > 0 ? input->history_tokens : input->tenant->max_context_tokens;
    struct llm_message note[2];
    struct answer_memory *memory = &draft->memory;
    struct history history;
    size_t notes = 0;
    if (has_summary(&input->summary)) {
        summary_show(input->summary.text, a, note);
        memory->summary_tokens = tokens_estimate(note[0].text, strlen(note[0].text));
        notes = memory->summary_tokens <= room / 2 ? 2 : 0;
        memory->summarised = notes > 0 ? input->summary.messages : 0;
        room -= notes > 0 ? memory->summary_tokens : 0;
    }
    history_fit(a, input->history, input->history_count, room, &history);
    memory->messages = history.count;
    memory->left_out = history.left_out;
    memory->shortened = history.shortened;
    *count = notes + history.count;
    struct llm_message *messages = arena_zalloc(a, (*count + 1) * sizeof(*messages));
    memcpy(messages, note, notes * sizeof(*messages));
    memcpy(messages + notes, history.messages, history.count * sizeof(*messages));
    return messages;
}

/* A model goes on as it went on before, unless it is told. */
static bool answered_otherwise(const struct draft_input *input)
{
    for (size_t i = input->history_count; i > 0; i--) {
        const struct llm_message *said = &input->history[i - 1];
        if (said->role == LLM_ASSISTANT)
            return language_differs(said->text, strlen(said->text), input->language);
    }
    return false;
}

/* Those of the organisation's tools that this question is asked with; how many. */
static size_t offer_tools(struct arena *a, const struct draft_input *input,
                          const struct llm_tool **tools)
{
    const char *topic = retrieve_topic(input->history, input->history_count);
    const char *const said[] = {input->question, topic != NULL ? topic : ""};
    if (input->box == NULL || input->box->set.count == 0)
        return 0;
    return compress_tools(a, input->box->offered, input->box->set.count, said, 2, tools);
}

static void build_prompt(struct arena *a, const struct draft_input *input, const char *context,
                         struct draft *draft)
{
    const struct tenant *tenant = input->tenant;
    const struct llm_tool *tools = NULL;
    size_t tool_count = offer_tools(a, input, &tools);
    struct prompt_values values =
        tenant_prompt(a, tenant, tools, tool_count, input->language, input->now_ms);
    if (input->own_text != NULL)
        values.own_text = *input->own_text != '\0' ? input->own_text : NULL;
    values.context = context;
    values.question = input->question;
    values.ungrounded = draft_ungrounded(&draft->route);
    values.insist = answered_otherwise(input);
    size_t count;
    struct llm_message *messages = recollect(a, input, draft, &count);
    messages[count] =
        (struct llm_message){.role = LLM_USER, .text = prompt_turn(input->prompts, a, &values)};

    draft->request = (struct llm_request){.system = prompt_system(input->prompts, a, &values),
                                          .messages = messages,
                                          .message_count = count + 1,
                                          .tools = tools,
                                          .tool_count = tool_count,
                                          .temperature = tenant->temperature,
                                          .max_tokens = tenant->max_tokens,
                                          .question = input->question,
                                          .context = context,
                                          .language = input->language};
    draft->prompt_tokens = tokens_estimate(draft->request.system, strlen(draft->request.system));
    for (size_t i = 0; i <= count; i++)
        draft->prompt_tokens += tokens_estimate(messages[i].text, strlen(messages[i].text));
}

void draft_make(struct arena *keep, struct arena *a, const struct draft_input *input,
                struct draft *draft)
{
    *draft = (struct draft){0};
    const char *context = pack_and_route(keep, a, input, draft);
    build_prompt(a, input, context, draft);
}

int64_t draft_history_room(const struct draft_input *input, const struct llm_request *request,
                           int64_t prompt_tokens, const struct model_plan *plan)
{
    const struct tenant_model *facts =
        plan->count > 0 ? tenant_model(input->tenant, plan->candidates[0].model) : NULL;
    int64_t window = facts != NULL ? facts->context_length : 0;
    int64_t over = prompt_tokens + request->max_tokens - window;
    if (window <= 0 || over <= 0 || request->message_count < 2)
        return 0;
    int64_t taken = 0;
    for (size_t i = 0; i + 1 < request->message_count; i++)
        taken += tokens_estimate(request->messages[i].text, strlen(request->messages[i].text));
    return taken > over ? taken - over : 1;
}

bool draft_sent(const struct chunk_set *set, const char *snippet_id)
{
    for (size_t i = 0; i < set->count; i++) {
        for (size_t k = 0; k < set->chunks[i].snippet_count; k++) {
            if (strcmp(set->chunks[i].snippet_ids[k], snippet_id) == 0)
                return true;
        }
    }
    return false;
}

void draft_choose(struct arena *keep, struct llm_endpoints *endpoints,
                  const struct draft_input *input, int64_t prompt_tokens, struct route *route,
                  struct model_plan *plan)
{
    const struct model_ask ask = {.tier = route->tier,
                                  .wish = input->wish,
                                  .budget_used_percent = input->tenant->budget_used_percent,
                                  .prompt_tokens = prompt_tokens,
                                  .conversation_tokens = input->last.tokens,
                                  .session = input->session,
                                  .question = input->question};
    model_choose(keep, endpoints, input->tenant, &ask, plan);
    route->arm = plan->arm;
    route->split = plan->arm != NULL ? input->tenant->split->name : NULL;
    for (size_t i = 0; i < plan->reason_count; i++)
        route_add_reason(route, plan->reasons[i]);
}
