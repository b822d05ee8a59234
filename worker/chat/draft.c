#include "chat/draft.h"

#include "context/memory.h"
#include "context/tenant_prompt.h"
#include "route/tenant_route.h"
#include "llm/tokens.h"

#include <string.h>

static const char *pack_and_route(struct arena *keep, struct arena *a,
                                  const struct draft_input *input, struct draft *draft)
{
    const struct tenant *tenant = input->tenant;
    const struct chunk_limits limits = {tenant->max_chunk_tokens, tenant->max_chunks,
                                        tenant->max_context_tokens};
    chunk_pack(a, input->snippets, input->snippet_count, &limits, &draft->set);
    const struct route_input asked = {.message = input->question,
                                      .context_tokens = draft->set.context_tokens,
                                      .chunk_count = (int)draft->set.count,
                                      .last = input->last,
                                      .now_ms = input->now_ms};
    tenant_route(keep, tenant, &asked, &draft->route);
    return chunk_join(a, &draft->set);
}

static void build_prompt(struct arena *a, const struct draft_input *input, const char *context,
                         struct draft *draft)
{
    const struct tenant *tenant = input->tenant;
    struct prompt_values values =
        tenant_prompt(a, tenant, input->tools, input->language, input->now_ms);
    values.context = context;
    values.question = input->question;
    size_t first = memory_cut(input->history, input->history_count, tenant->max_context_tokens);
    size_t count = input->history_count - first;
    struct llm_message *messages = arena_zalloc(a, (count + 1) * sizeof(*messages));
    if (count > 0)
        memcpy(messages, input->history + first, count * sizeof(*messages));
    messages[count] =
        (struct llm_message){.role = LLM_USER, .text = prompt_turn(input->prompts, a, &values)};

    draft->request = (struct llm_request){.system = prompt_system(input->prompts, a, &values),
                                          .messages = messages,
                                          .message_count = count + 1,
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
