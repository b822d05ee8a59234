/* What the caller wrote, as a request to a model: messages, tools, wishes. */
#include "chat/door.h"

#include "chat/job_states.h"
#include "route/tenant_route.h"
#include "llm/tokens.h"
#include "protocol/limits.h"

#include <string.h>

#define MAX_TOKENS_LEAST 4096 /* of an answer whose length the caller leaves open */
#define TEXT_MAX         ((size_t)4 * FD_COMPLETION_BODY_MAX)

/* -- texts --------------------------------------------------------------------------------- */

/* A value's JSON as text. */
static const char *json_text(struct arena *a, const struct fd_json *value)
{
    struct buf out;
    struct fd_json_writer w;
    buf_init(&out, TEXT_MAX);
    buf_json(&out, &w);
    fd_jw_json(&w, value);
    const char *text = buf_json_end(&out, &w) ? arena_strndup(a, out.data, out.len) : "{}";
    buf_free(&out);
    return text;
}

/* A content's text: a string, or its parts one behind the other. */
static const char *content_text(struct arena *a, const struct fd_json *content)
{
    if (content == NULL || content->type == FD_JSON_NULL)
        return "";
    if (content->type == FD_JSON_STRING)
        return content->text;
    struct buf out;
    buf_init(&out, TEXT_MAX);
    for (const struct fd_json *part = content->child; part != NULL; part = part->next) {
        const char *text = fd_json_string(part, "text");
        buf_puts(&out, text != NULL ? text : fd_json_string(part, "refusal"));
    }
    const char *joined = arena_strndup(a, out.data != NULL ? out.data : "", out.len);
    buf_free(&out);
    return joined;
}

/* -- messages ------------------------------------------------------------------------------ */

static enum llm_role role_of(const struct fd_json *message)
{
    const char *role = fd_json_string(message, "role");
    if (strcmp(role, "user") == 0)
        return LLM_USER;
    if (strcmp(role, "assistant") == 0)
        return LLM_ASSISTANT;
    return strcmp(role, "tool") == 0 ? LLM_TOOL : LLM_SYSTEM;
}

/* Arguments become a part of what some providers are sent, where text that is no JSON
 * object would be more than arguments. */
static bool is_object(struct arena *a, const char *text)
{
    struct fd_json_limits limits = {FD_COMPLETION_DEPTH_MAX, FD_COMPLETION_NODES_MAX};
    struct fd_json_fault fault;
    if (text[strspn(text, " \t\r\n")] == '\0')
        return true;
    const struct fd_json *value =
        fd_json_parse(text, strlen(text), limits, arena_allocator(a), &fault);
    return value != NULL && value->type == FD_JSON_OBJECT;
}

static bool take_calls(struct arena *a, struct llm_message *to, const struct fd_json *calls)
{
    struct llm_tool_call *list = arena_zalloc(a, (calls->count + 1) * sizeof(*list));
    for (const struct fd_json *call = calls->child; call != NULL; call = call->next) {
        const struct fd_json *function = fd_json_get(call, "function");
        struct llm_tool_call *made = &list[to->tool_call_count++];
        made->id = fd_json_string(call, "id");
        made->name = fd_json_string(function, "name");
        made->arguments = fd_json_string(function, "arguments");
        if (!is_object(a, made->arguments))
            return false;
    }
    to->tool_calls = list;
    return true;
}

static bool take_message(struct arena *a, struct llm_message *to, const struct fd_json *message)
{
    const struct fd_json *calls = fd_json_get(message, "tool_calls");
    to->role = role_of(message);
    to->text = content_text(a, fd_json_get(message, "content"));
    if (*to->text == '\0' && fd_json_string(message, "refusal") != NULL)
        to->text = fd_json_string(message, "refusal");
    if (to->role == LLM_TOOL)
        to->tool_call_id = fd_json_string(message, "tool_call_id");
    if (to->role == LLM_ASSISTANT && calls != NULL && calls->type == FD_JSON_ARRAY)
        return take_calls(a, to, calls);
    return true;
}

static bool take_messages(struct job *job, struct llm_request *to)
{
    struct arena *a = &job->prep->arena;
    const struct fd_json *from = job->door->request.messages;
    struct llm_message *list = arena_zalloc(a, from->count * sizeof(*list));
    to->messages = list;
    for (const struct fd_json *message = from->child; message != NULL; message = message->next) {
        if (!take_message(a, &list[to->message_count++], message)) {
            job->answer.field =
                arena_printf(&job->arena, "messages[%zu].tool_calls", to->message_count - 1);
            job_fail(job, FD_PROBLEM_FIELD,
                     arena_printf(&job->arena,
                                  "The arguments of each call in '%s' must be a JSON object.",
                                  job->answer.field),
                     "arguments of a call");
            return false;
        }
    }
    return true;
}

/* -- tools and wishes ------------------------------------------------------------------------ */

static void take_tools(struct arena *a, struct llm_request *to, const struct fd_json *tools)
{
    if (tools == NULL)
        return;
    struct llm_tool *list = arena_zalloc(a, tools->count * sizeof(*list));
    for (const struct fd_json *tool = tools->child; tool != NULL; tool = tool->next) {
        const struct fd_json *function = fd_json_get(tool, "function");
        const struct fd_json *parameters = fd_json_get(function, "parameters");
        bool has_schema = parameters != NULL && parameters->type == FD_JSON_OBJECT;
        list[to->tool_count++] = (struct llm_tool){
            .name = fd_json_string(function, "name"),
            .description = fd_json_string(function, "description"),
            .parameters =
                has_schema ? json_text(a, parameters) : "{\"type\":\"object\",\"properties\":{}}",
            .strict = fd_json_bool(function, "strict", false),
        };
    }
    to->tools = list;
}

static void take_choice(struct llm_request *to, struct llm_wishes *wishes,
                        const struct fd_json *choice)
{
    if (choice == NULL)
        return;
    if (choice->type == FD_JSON_OBJECT)
        wishes->must_call_name = fd_json_string(fd_json_get(choice, "function"), "name");
    to->tools_closed = choice->type == FD_JSON_STRING && strcmp(choice->text, "none") == 0;
    wishes->must_call = wishes->must_call_name != NULL ||
                        (choice->type == FD_JSON_STRING && strcmp(choice->text, "required") == 0);
}

static void take_stop(struct arena *a, struct llm_wishes *wishes, const struct fd_json *stop)
{
    if (stop == NULL)
        return;
    const char **list = arena_zalloc(a, (stop->count + 1) * sizeof(*list));
    if (stop->type == FD_JSON_STRING)
        list[wishes->stop_count++] = stop->text;
    for (const struct fd_json *one = stop->child; one != NULL; one = one->next)
        list[wishes->stop_count++] = one->text;
    wishes->stop = list;
}

static void take_format(struct arena *a, struct llm_wishes *wishes, const struct fd_json *format)
{
    const char *type = fd_json_string(format, "type");
    if (type == NULL || strcmp(type, "text") == 0)
        return;
    const struct fd_json *schema = fd_json_get(fd_json_get(format, "json_schema"), "schema");
    wishes->format = json_text(a, format);
    if (schema != NULL && schema->type == FD_JSON_OBJECT)
        wishes->schema = json_text(a, schema);
}

static const struct llm_wishes *take_wishes(struct arena *a, struct llm_request *to,
                                            const struct fd_completion_request *from)
{
    struct llm_wishes *wishes = arena_zalloc(a, sizeof(*wishes));
    *wishes = (struct llm_wishes){.top_p = from->top_p,
                                  .frequency_penalty = from->frequency_penalty,
                                  .presence_penalty = from->presence_penalty,
                                  .has_seed = from->has_seed,
                                  .seed = from->seed,
                                  .parallel_calls = from->parallel_tool_calls,
                                  .reasoning_effort = from->reasoning_effort,
                                  .verbosity = from->verbosity};
    take_choice(to, wishes, from->tool_choice);
    take_stop(a, wishes, from->stop);
    take_format(a, wishes, from->response_format);
    return wishes;
}

/* -- together ------------------------------------------------------------------------------ */

static int64_t tokens_of(const char *text)
{
    return text != NULL ? tokens_estimate(text, strlen(text)) : 0;
}

static int64_t prompt_tokens(const struct llm_request *request)
{
    int64_t sum = tokens_of(request->wishes->format);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct llm_message *message = &request->messages[i];
        sum += tokens_of(message->text);
        for (size_t k = 0; k < message->tool_call_count; k++)
            sum += tokens_of(message->tool_calls[k].name) +
                   tokens_of(message->tool_calls[k].arguments);
    }
    for (size_t i = 0; i < request->tool_count; i++)
        sum += tokens_of(request->tools[i].name) + tokens_of(request->tools[i].description) +
               tokens_of(request->tools[i].parameters);
    return sum;
}

/* All but the question is what has to be read before it. */
static void route(struct job *job)
{
    static const struct chunk_set nothing;
    int64_t context = job->prompt_tokens - tokens_of(job->request.message.s);
    struct route_input input = {.message = job->request.message.s,
                                .context_tokens = context > 0 ? (int)context : 0,
                                .now_ms = engine_now(job->engine)};
    tenant_route(&job->arena, job->tenant, &input, &job->answer.route);
    job->answer.routed = true;
    job->answer.chunks = &nothing;
    citation_init(&job->citations, &nothing, NULL, 0);
}

bool door_prompt(struct job *job)
{
    const struct fd_completion_request *from = &job->door->request;
    struct arena *a = &job->prep->arena;
    struct llm_request *to = &job->prep->request;
    int usual =
        job->tenant->max_tokens > MAX_TOKENS_LEAST ? job->tenant->max_tokens : MAX_TOKENS_LEAST;
    *to = (struct llm_request){.system = "",
                               .temperature = from->temperature,
                               .max_tokens = from->max_tokens > 0 ? from->max_tokens : usual,
                               .question = job->request.message.s,
                               .context = "",
                               .language = job->language};
    if (!take_messages(job, to))
        return false;
    take_tools(a, to, from->tools);
    to->wishes = take_wishes(a, to, from);
    job->prompt_tokens = prompt_tokens(to);
    route(job);
    return true;
}

/* -- candidates ---------------------------------------------------------------------------- */

/* A model that was asked for by name and that nobody here serves: another would be a
 * surprise. What the budget puts in its place is not. */
static bool is_served(struct job *job, const char *wish)
{
    struct model_pool *pool = arena_alloc(&job->prep->arena, sizeof(*pool));
    model_pool_fill(pool, job->endpoints, job->tenant);
    for (size_t i = 0; i < pool->count; i++) {
        if (strcmp(pool->list[i].id, wish) == 0)
            return true;
    }
    return false;
}

static unsigned needed_abilities(const struct llm_wishes *wishes)
{
    return (wishes->must_call ? LLM_CAN_BE_MADE_TO_CALL : 0u) |
           (wishes->format != NULL ? LLM_CAN_KEEP_FORMAT : 0u);
}

static bool is_able(const struct model_candidate *candidate, unsigned needed)
{
    const struct llm_protocol *protocol = candidate->endpoint->protocol;
    return needed == 0 || (protocol != NULL && (protocol->abilities & needed) == needed);
}

static bool refuse(struct job *job, enum fd_problem_type type, const char *field,
                   const char *detail)
{
    job->answer.field = field;
    job_fail(job, type, detail, field);
    return false;
}

bool door_narrow(struct job *job)
{
    const struct llm_wishes *wishes = job->prep->request.wishes;
    struct model_plan *plan = &job->plan;
    const char *wish = job->request.model_id.s;
    unsigned needed = needed_abilities(wishes);
    size_t kept = 0;
    if (wish != NULL && plan->instead != NULL && strcmp(plan->instead, wish) == 0 &&
        !is_served(job, wish))
        return refuse(job, FD_PROBLEM_MODEL, "model", wish);
    for (size_t i = 0; i < plan->count; i++) {
        if (is_able(&plan->candidates[i], needed))
            plan->candidates[kept++] = plan->candidates[i];
    }
    plan->count = kept;
    if (kept == 0)
        return refuse(job, FD_PROBLEM_FIELD,
                      wishes->format != NULL ? "response_format" : "tool_choice",
                      wishes->format != NULL
                          ? "'response_format' is not supported by the model's provider."
                          : "A 'tool_choice' that makes the model call is not supported by its "
                            "provider.");
    job->answer.model = plan->candidates[0].model;
    return true;
}
