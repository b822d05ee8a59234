/* What the model calls, and what it is told. */
#include "chat/consent.h"
#include "chat/job_tools.h"

#include "llm/tokens.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 64 /* what every provider takes */
#define THINKING_MAX 65536

static void new_round(struct job_tools *tools)
{
    tools->round = NULL;
    tools->round_count = 0;
}

/* -- offering ------------------------------------------------------------------------------- */

void job_tools_offer(struct job *job, struct toolbox *box)
{
    struct job_tools *tools = calloc(1, sizeof(*tools));
    if (tools == NULL)
        abort();
    arena_init(&tools->arena);
    buf_init(&tools->thinking, THINKING_MAX);
    tools->box = toolbox_ref(box);
    job->tools = tools;
    const struct llm_request *request = &job->prep->request;
    job->prompt_tokens += (int64_t)toolbox_tokens(request->tools, request->tool_count);
}

void job_tools_free(struct job *job)
{
    struct job_tools *tools = job->tools;
    if (tools == NULL)
        return;
    prompt_tools_free(&tools->scan);
    buf_free(&tools->thinking);
    arena_free(&tools->arena);
    toolbox_unref(tools->box);
    free(tools);
    job->tools = NULL;
}

bool job_tools_more(const struct job *job)
{
    const struct job_tools *tools = job->tools;
    return tools != NULL && tools->rounds < FD_TOOL_ROUNDS_MAX && tools->count < FD_TOOL_CALLS_MAX;
}

struct llm_request job_tools_request(struct job *job, struct arena *a, bool native)
{
    struct job_tools *tools = job->tools;
    struct llm_request *request = &job->prep->request;
    if (tools == NULL)
        return *request;
    new_round(tools);
    tools->text_from = job->text.len;
    buf_reset(&tools->thinking);
    tools->closed = request->tools_closed = !job_tools_more(job);
    tools->prompted = !native;
    if (native)
        return *request;
    prompt_tools_free(&tools->scan);
    prompt_tools_init(&tools->scan);
    return prompt_tools_request(a, request);
}

/* -- taking ----------------------------------------------------------------------------------- */

/* A name that is not offered goes back to a provider, which may refuse what is odd. */
static const char *plain_name(struct arena *a, const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char *plain = arena_strndup(a, name, strnlen(name, NAME_MAX_LEN));
    for (char *c = plain + strspn(plain, allowed); *c != '\0'; c += strspn(c, allowed))
        *c = '_';
    return *plain != '\0' ? plain : "unnamed";
}

static bool id_is_taken(const struct job_tools *tools, const char *id)
{
    for (const struct job_call *call = tools->first; call != NULL; call = call->next) {
        if (strcmp(call->id, id) == 0)
            return true;
    }
    return false;
}

static const struct job_call *find_twin(const struct job_tools *tools, const struct job_call *call)
{
    for (const struct job_call *other = tools->round; other != NULL; other = other->next) {
        if (other->tool != NULL && strcmp(other->call_id, call->call_id) == 0)
            return other;
    }
    return NULL;
}

static void append(struct job_tools *tools, struct job_call *call)
{
    if (tools->last != NULL)
        tools->last->next = call;
    else
        tools->first = call;
    tools->last = call;
    if (tools->round == NULL)
        tools->round = call;
    tools->round_count++;
}

/* What the server sets is not the model's to say: not in what is asked, stored or run. */
static void leave_out_bound(struct fd_json *arguments, const struct tool *tool)
{
    struct fd_json **at = &arguments->child;
    while (*at != NULL) {
        bool bound = false;
        for (size_t i = 0; i < tool->binding_count; i++)
            bound = bound || strcmp((*at)->key, tool->bindings[i].argument) == 0;
        if (bound) {
            *at = (*at)->next;
            arguments->count--;
        } else {
            at = &(*at)->next;
        }
    }
}

/* False: they are larger or deeper than any tool takes. */
static bool read_arguments(struct job_tools *tools, struct job_call *call,
                           const struct llm_event *event)
{
    struct fd_json_fault fault;
    struct buf canonical;
    if (event->text_len > FD_TOOL_ARGUMENTS_MAX)
        return false;
    struct fd_json *json = fd_json_parse(event->text, event->text_len, (struct fd_json_limits){0},
                                         arena_allocator(&tools->arena), &fault);
    if (json == NULL || json->type != FD_JSON_OBJECT)
        return false;
    if (call->tool != NULL)
        leave_out_bound(json, call->tool);
    call->json = json;
    buf_init(&canonical, (size_t)6 * FD_TOOL_ARGUMENTS_MAX);
    bool reads = call->tool != NULL && call->tool->risk == TOOL_READ;
    execution_name(call->call_id, &canonical, reads ? (int)tools->rounds : -1, call->name,
                   call->json);
    call->arguments = arena_strndup(&tools->arena, canonical.data, canonical.len);
    buf_free(&canonical);
    return true;
}

/* Where no tool is asked: the call ends before it begins. */
static void judge(struct job *job, struct job_call *call, const struct llm_event *event)
{
    struct job_tools *tools = job->tools;
    if (tools->closed || tools->count >= FD_TOOL_CALLS_MAX ||
        tools->round_count >= FD_TOOL_ROUND_MAX) {
        job_call_refuse(job, call, TOOL_UNAVAILABLE, "too_many_calls",
                        "This call was not made: the answer has made as many as it may.");
        return;
    }
    if (!read_arguments(tools, call, event)) {
        job_call_refuse(job, call, TOOL_ARGUMENTS, NULL,
                        "The arguments are too large or nested too deeply.");
        return;
    }
    call->twin = find_twin(tools, call);
    if (call->twin != NULL) {
        call->step = CALL_OVER;
        return;
    }
    tools->count++;
    if (call->tool == NULL) {
        job_call_refuse(job, call, TOOL_UNKNOWN, NULL,
                        "There is no such tool. Only those that are listed can be called.");
        call->step = CALL_BEGIN; /* nothing but its row */
    }
}

void job_tools_take(struct job *job, const struct llm_event *event)
{
    struct job_tools *tools = job->tools;
    struct job_call *call = arena_zalloc(&tools->arena, sizeof(*call));
    call->tool = tool_find(&tools->box->set, event->name);
    call->name = call->tool != NULL ? call->tool->name : plain_name(&tools->arena, event->name);
    call->id = id_is_taken(tools, event->id)
                   ? arena_printf(&tools->arena, "call_%u_%d", tools->rounds, event->index)
                   : arena_strdup(&tools->arena, event->id);
    call->arguments = "{}";
    judge(job, call, event);
    append(tools, call);
}

void job_tools_think(struct job *job, const struct llm_event *event)
{
    (void)buf_append(&job->tools->thinking, event->text, event->text_len);
}

bool job_tools_called(const struct job *job)
{
    return job->tools != NULL && job->tools->round != NULL;
}

void job_tools_drop(struct job *job)
{
    struct job_tools *tools = job->tools;
    if (!job_tools_called(job))
        return;
    struct job_call **at = &tools->first;
    tools->last = NULL;
    while (*at != tools->round) {
        tools->last = *at;
        at = &(*at)->next;
    }
    for (const struct job_call *call = tools->round; call != NULL; call = call->next)
        tools->count -= call->twin == NULL && call->call_id[0] != '\0';
    *at = NULL;
    new_round(tools);
}

/* -- telling ---------------------------------------------------------------------------------- */

void job_call_result(struct job *job, struct job_call *call, const char *json, size_t len)
{
    struct job_tools *tools = job->tools;
    if (tools->result_bytes + len > FD_TOOL_RESULTS_MAX) {
        job_call_refuse(job, call, TOOL_RESPONSE, "too_large",
                        "It ran, but the results of this answer are too large to be shown.");
        return;
    }
    tools->result_bytes += len;
    call->result = arena_strndup(&tools->arena, json, len);
    call->result_len = len;
}

void job_call_refuse(struct job *job, struct job_call *call, enum tool_failure failure,
                     const char *code, const char *message)
{
    struct buf json;
    struct fd_json_writer w;
    buf_init(&json, 4096);
    buf_json(&json, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "error");
    fd_jw_object(&w);
    fd_jw_member(&w, "code", code != NULL ? code : tool_failure_name(failure));
    fd_jw_member(&w, "message", message);
    fd_jw_member_bool(&w, "retryable", false);
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    if (buf_json_end(&json, &w)) {
        call->result = arena_strndup(&job->tools->arena, json.data, json.len);
        call->result_len = json.len;
    }
    buf_free(&json);
    call->status = EXECUTION_FAILED;
    call->failure = code != NULL ? code : tool_failure_name(failure);
    call->step = CALL_OVER;
    log_info(&job->log, "tool.refused", LOG_STR("tool", call->tool != NULL ? call->name : NULL),
             LOG_STR("failure", call->failure));
}

void job_tools_add_messages(struct job *job, const struct llm_message *more, size_t count)
{
    struct llm_request *request = &job->prep->request;
    struct llm_message *messages =
        arena_alloc(&job->prep->arena, (request->message_count + count + 1) * sizeof(*messages));
    memcpy(messages, request->messages, request->message_count * sizeof(*messages));
    memcpy(messages + request->message_count, more, count * sizeof(*messages));
    request->messages = messages;
    request->message_count += count;
    for (size_t i = 0; i < count; i++) {
        job->prompt_tokens += tokens_estimate(more[i].text, strlen(more[i].text));
        for (size_t k = 0; k < more[i].tool_call_count; k++)
            job->prompt_tokens += tokens_estimate(more[i].tool_calls[k].arguments,
                                                  strlen(more[i].tool_calls[k].arguments));
    }
}

void job_tools_tell_model(struct job *job)
{
    struct job_tools *tools = job->tools;
    struct arena *a = &job->prep->arena;
    size_t count = tools->round_count, i = 0;
    struct llm_tool_call *calls = arena_zalloc(a, count * sizeof(*calls));
    struct llm_message *messages = arena_zalloc(a, (count + 1) * sizeof(*messages));
    for (const struct job_call *call = tools->round; call != NULL; call = call->next, i++) {
        const struct job_call *answer = call->twin != NULL ? call->twin : call;
        calls[i] = (struct llm_tool_call){call->id, call->name, call->arguments};
        messages[i + 1] = (struct llm_message){
            .role = LLM_TOOL, .text = answer->result, .tool_call_id = call->id};
    }
    const char *said = job->text.data != NULL ? job->text.data : "";
    messages[0] = (struct llm_message){
        .role = LLM_ASSISTANT,
        .text = arena_strndup(a, said + tools->text_from, job->text.len - tools->text_from),
        .tool_calls = calls,
        .tool_call_count = count,
        .thinking = tools->thinking.len > 0
                        ? arena_strndup(a, tools->thinking.data, tools->thinking.len)
                        : NULL};
    job_tools_add_messages(job, messages, count + 1);
    new_round(tools);
    tools->rounds++;
}

/* Twins, what was refused out of hand and what is not offered are no calls to anybody else. */
void job_tools_list(struct job *job)
{
    struct job_tools *tools = job->tools;
    if (tools == NULL || job->answer.dry_run)
        return;
    struct answer_call *calls = arena_zalloc(&tools->arena, (tools->count + 1) * sizeof(*calls));
    size_t count = 0;
    for (const struct job_call *call = tools->first; call != NULL; call = call->next) {
        if (call->job != NULL && call->tool != NULL && call->step == CALL_OVER &&
            count < tools->count)
            calls[count++] = (struct answer_call){call->call_id, call->name,
                                                  execution_status_name(call->status), call->ms};
    }
    job->answer.calls = calls;
    job->answer.call_count = count;
}
