#define _GNU_SOURCE /* memrchr */
#include "chat/job_trace.h"

#include "chat/draft.h"
#include "chat/trace.h"
#include "core/reason.h"
#include "core/utf8.h"
#include "protocol/limits.h"
#include "tool/webhook.h"

#include <stdlib.h>
#include <string.h>

#define RAW_MAX      524288 /* bytes of what providers sent */
#define RAW_LINE_MAX 65536
#define LABEL_MAX    160
#define ID_MAX       200
#define SNIPPETS     10 /* of one event */

struct job_trace {
    struct trace trace;
    int64_t entered[JOB_STATES]; /* ms after the acceptance, the first time; -1 = never */
    unsigned requests;           /* to providers */
    size_t messages;             /* of the prompt that were shown */
    char system[FD_SHA256_HEX_SIZE];
    bool tools;
    struct buf raw; /* of a line that has no end yet */
    size_t raw_bytes;
};

static int64_t now(const struct job *job)
{
    return engine_now(job->engine);
}

static void begin(struct job *job, struct trace_event *event, const char *step)
{
    trace_begin(&job->trace->trace, event, step, now(job));
}

static void write_texts(struct fd_json_writer *w, const char *key, const char *const *texts,
                        size_t count)
{
    fd_jw_key(w, key);
    fd_jw_array(w);
    for (size_t i = 0; i < count; i++)
        fd_jw_cstring(w, texts[i]);
    fd_jw_end_array(w);
}

/* -- life ------------------------------------------------------------------------------------ */

void job_trace_start(struct job *job)
{
    if (job->entry.test == NULL || !job->entry.test->trace)
        return;
    struct job_trace *trace = calloc(1, sizeof(*trace));
    if (trace == NULL)
        abort();
    trace->trace = (struct trace){.outbox = &job->outbox, .accepted_ms = job->entry.accepted_ms};
    buf_init(&trace->raw, RAW_LINE_MAX);
    for (size_t i = 0; i < JOB_STATES; i++)
        trace->entered[i] = -1;
    job->trace = trace;
    job_trace_entered(job, JOB_CLAIMED);
}

void job_trace_free(struct job *job)
{
    if (job->trace == NULL)
        return;
    buf_free(&job->trace->raw);
    free(job->trace);
    job->trace = NULL;
}

void job_trace_entered(struct job *job, enum job_state state)
{
    if (job->trace != NULL && job->trace->entered[state] < 0)
        job->trace->entered[state] = now(job) - job->entry.accepted_ms;
}

/* -- the route -------------------------------------------------------------------------------- */

static void tell_route(struct job *job)
{
    const struct route *route = &job->answer.route;
    struct trace_event event;

    begin(job, &event, "intent");
    fd_jw_member(&event.w, "intent", route->intent);
    fd_jw_member(&event.w, "language", job->language);
    trace_end(&event);

    begin(job, &event, "route");
    fd_jw_member(&event.w, "tier", route_tier_name(route->tier));
    fd_jw_member(&event.w, "model", job->answer.model);
    write_texts(&event.w, "reasons", route->reasons, route->reason_count);
    fd_jw_key(&event.w, "reason_codes");
    fd_jw_array(&event.w);
    for (size_t i = 0; i < route->reason_count; i++)
        reason_write(&event.w, route->reasons[i]);
    fd_jw_end_array(&event.w);
    fd_jw_key(&event.w, "candidates");
    fd_jw_array(&event.w);
    for (size_t i = 0; i < job->plan.count; i++) {
        const struct model_candidate *candidate = &job->plan.candidates[i];
        fd_jw_object(&event.w);
        fd_jw_member(&event.w, "provider", candidate->endpoint->name);
        fd_jw_member(&event.w, "model", candidate->model);
        fd_jw_member(&event.w, "tier", route_tier_name(candidate->tier));
        fd_jw_end_object(&event.w);
    }
    fd_jw_end_array(&event.w);
    fd_jw_member_int(&event.w, "prompt_tokens", job->prompt_tokens);
    if (job->plan.suggested != NULL)
        fd_jw_member(&event.w, "suggested", job->plan.suggested);
    trace_end(&event);
}

static void write_snippet(struct fd_json_writer *w, const struct job *job,
                          const struct snippet *snippet)
{
    static const struct {
        enum snippet_reason reason;
        const char *name;
    } reasons[] = {{SNIPPET_WORDS, "words"}, {SNIPPET_TITLE, "title"}, {SNIPPET_ALIKE, "alike"},
                   {SNIPPET_NEW, "new"},     {SNIPPET_NEAR, "near"},   {SNIPPET_MEANING, "meaning"},
                   {SNIPPET_NAMED, "named"}};
    size_t id = strlen(snippet->id), label = strlen(snippet->label);

    fd_jw_object(w);
    fd_jw_key(w, "id");
    fd_jw_string(w, snippet->id, utf8_floor(snippet->id, id, id < ID_MAX ? id : ID_MAX));
    fd_jw_key(w, "label");
    fd_jw_string(w, snippet->label,
                 utf8_floor(snippet->label, label, label < LABEL_MAX ? label : LABEL_MAX));
    fd_jw_key(w, "score");
    fd_jw_double(w, snippet->score);
    fd_jw_key(w, "found");
    fd_jw_array(w);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if ((snippet->reasons & reasons[i].reason) != 0)
            fd_jw_cstring(w, reasons[i].name);
    }
    fd_jw_end_array(w);
    fd_jw_member_bool(w, "sent", draft_sent(job->answer.chunks, snippet->id));
    fd_jw_end_object(w);
}

static void tell_snippets(struct job *job)
{
    const struct retrieved *retrieved = &job->prep->retrieved;
    size_t at = 0;

    do {
        struct trace_event event;
        begin(job, &event, "snippets");
        fd_jw_key(&event.w, "items");
        fd_jw_array(&event.w);
        for (size_t i = 0; i < SNIPPETS && at < retrieved->count; i++, at++)
            write_snippet(&event.w, job, &retrieved->snippets[at]);
        fd_jw_end_array(&event.w);
        fd_jw_member_bool(&event.w, "more", at < retrieved->count);
        trace_end(&event);
    } while (at < retrieved->count);
}

static void tell_chunks(struct job *job)
{
    const struct chunk_set *set = job->answer.chunks;

    for (size_t i = 0; i < set->count; i++) {
        const struct chunk *chunk = &set->chunks[i];
        struct trace_event event;
        begin(job, &event, "chunks");
        fd_jw_key(&event.w, "items");
        fd_jw_array(&event.w);
        fd_jw_object(&event.w);
        fd_jw_member_int(&event.w, "index", chunk->index);
        fd_jw_member_int(&event.w, "estimated_tokens", chunk->estimated_tokens);
        write_texts(&event.w, "snippet_ids", chunk->snippet_ids, chunk->snippet_count);
        fd_jw_end_object(&event.w);
        fd_jw_end_array(&event.w);
        fd_jw_member_bool(&event.w, "more", i + 1 < set->count);
        trace_end(&event);
    }
}

static void hide_credentials(struct job *job)
{
    struct trace *trace = &job->trace->trace;

    for (size_t i = 0; i < job->plan.count; i++)
        trace_hide(trace, job->plan.candidates[i].endpoint->api_key);
    for (size_t i = 0; i < job->toolbox->set.count; i++) {
        const struct tool_webhook *webhook = job->toolbox->set.list[i].webhook;
        if (webhook != NULL) {
            trace_hide(trace, webhook->secret);
            trace_hide(trace, webhook->token);
        }
    }
}

void job_trace_route(struct job *job)
{
    if (job->trace == NULL || job->answer.chunks == NULL)
        return;
    hide_credentials(job);
    tell_route(job);
    tell_snippets(job);
    tell_chunks(job);
}

/* -- the prompt ------------------------------------------------------------------------------- */

struct part {
    unsigned request;
    const char *part;
    int64_t index;
    const char *role, *name; /* NULL = none */
};

static void write_part(void *arg, struct fd_json_writer *w)
{
    const struct part *part = arg;

    fd_jw_member_int(w, "request", part->request);
    fd_jw_member(w, "part", part->part);
    fd_jw_member_int(w, "index", part->index);
    if (part->role != NULL)
        fd_jw_member(w, "role", part->role);
    if (part->name != NULL)
        fd_jw_member(w, "name", part->name);
}

static void tell_part(struct job *job, const struct part *part, const char *text)
{
    struct part copy = *part;

    copy.request = job->trace->requests;
    trace_text(&job->trace->trace, "prompt", now(job), write_part, &copy, text, strlen(text));
}

/* Unless it is what the request before had. */
static void tell_system(struct job *job, const char *system)
{
    char hash[FD_SHA256_HEX_SIZE];

    fd_sha256_hex(hash, system, strlen(system));
    if (strcmp(hash, job->trace->system) == 0)
        return;
    memcpy(job->trace->system, hash, sizeof(hash));
    tell_part(job, &(struct part){.part = "system"}, system);
}

static void tell_message(struct job *job, const struct llm_message *message, size_t index)
{
    static const char *const roles[] = {[LLM_SYSTEM] = "system",
                                        [LLM_USER] = "user",
                                        [LLM_ASSISTANT] = "assistant",
                                        [LLM_TOOL] = "tool"};
    const struct part part = {
        .part = "message", .index = (int64_t)index, .role = roles[message->role]};

    tell_part(job, &part, message->text);
    for (size_t i = 0; i < message->tool_call_count; i++) {
        const struct part call = {
            .part = "call", .index = (int64_t)index, .name = message->tool_calls[i].name};
        tell_part(job, &call, message->tool_calls[i].arguments);
    }
}

static void tell_tools(struct job *job, const struct llm_request *request)
{
    if (job->trace->tools)
        return;
    job->trace->tools = true;
    for (size_t i = 0; i < request->tool_count; i++) {
        const struct llm_tool *tool = &request->tools[i];
        struct buf text;
        buf_init(&text, 2 * (size_t)FD_TOOL_RESULTS_MAX);
        buf_printf(&text, "%s\n\n%s", tool->description, tool->parameters);
        const struct part part = {.part = "tool", .index = (int64_t)i, .name = tool->name};
        tell_part(job, &part, text.data);
        buf_free(&text);
    }
}

void job_trace_request(struct job *job, const struct llm_request *request)
{
    const struct llm_endpoint *endpoint = job->plan.candidates[job->candidate].endpoint;
    struct job_trace *trace = job->trace;
    struct trace_event event;

    if (trace == NULL)
        return;
    trace->requests++;
    begin(job, &event, "request");
    fd_jw_member_int(&event.w, "request", trace->requests);
    fd_jw_member(&event.w, "provider", endpoint->name);
    fd_jw_member(&event.w, "model", request->model);
    fd_jw_member_int(&event.w, "messages", (int64_t)request->message_count);
    fd_jw_member_int(&event.w, "tools", (int64_t)request->tool_count);
    trace_end(&event);

    tell_system(job, request->system != NULL ? request->system : "");
    size_t from = request->message_count >= trace->messages ? trace->messages : 0;
    for (size_t i = from; i < request->message_count; i++)
        tell_message(job, &request->messages[i], i);
    trace->messages = request->message_count;
    tell_tools(job, request);
}

/* -- what came back -----------------------------------------------------------------------------
 */

static void write_request(void *arg, struct fd_json_writer *w)
{
    const struct job_trace *trace = arg;

    fd_jw_member_int(w, "request", trace->requests);
}

static void tell_raw(struct job *job, size_t len)
{
    struct job_trace *trace = job->trace;

    if (len == 0)
        return;
    trace_text(&trace->trace, "provider", now(job), write_request, trace, trace->raw.data, len);
    trace->raw_bytes += len;
    buf_consume(&trace->raw, len);
}

/* Whole lines: a key that is repeated there is found in one piece. */
static void on_raw(void *arg, const char *bytes, size_t len)
{
    struct job *job = arg;
    struct job_trace *trace = job->trace;

    if (trace->raw_bytes >= RAW_MAX)
        return;
    if (!buf_append(&trace->raw, bytes, len)) {
        buf_reset(&trace->raw);
        trace->raw_bytes = RAW_MAX;
        return;
    }
    const char *end = memrchr(trace->raw.data, '\n', trace->raw.len);
    if (end != NULL)
        tell_raw(job, (size_t)(end - trace->raw.data) + 1);
}

job_trace_raw_fn *job_trace_raw(const struct job *job)
{
    return job->trace != NULL ? on_raw : NULL;
}

void job_trace_answered(struct job *job, const struct llm_error *error, enum llm_finish finish)
{
    struct job_trace *trace = job->trace;
    struct trace_event event;

    if (trace == NULL)
        return;
    tell_raw(job, trace->raw.len);
    begin(job, &event, "provider_end");
    fd_jw_member_int(&event.w, "request", trace->requests);
    fd_jw_member(&event.w, "class", llm_error_name(error->class));
    fd_jw_member_int(&event.w, "status", error->status);
    fd_jw_member(&event.w, "finish", llm_finish_name(finish));
    trace_end(&event);
}

/* -- tools --------------------------------------------------------------------------------------
 */

struct call_part {
    const struct job_call *call;
    const char *part;
};

static void write_call(void *arg, struct fd_json_writer *w)
{
    static const char *const kinds[TOOL_KINDS] = {
        [TOOL_WEBHOOK] = "webhook", [TOOL_ENDPOINT] = "endpoint", [TOOL_QUERY] = "query"};
    const struct call_part *part = arg;
    const struct job_call *call = part->call;

    fd_jw_member(w, "call_id", call->call_id);
    fd_jw_member(w, "name", call->name);
    fd_jw_member(w, "kind", call->tool != NULL ? kinds[call->tool->kind] : NULL);
    fd_jw_member(w, "risk", call->tool != NULL ? tool_risk_name(call->tool->risk) : NULL);
    fd_jw_member(w, "status", execution_status_name(call->status));
    fd_jw_member(w, "failure", call->failure);
    fd_jw_member_int(w, "ms", call->ms);
    fd_jw_key(w, "bound"); /* by the server */
    fd_jw_array(w);
    for (size_t i = 0; call->tool != NULL && i < call->tool->binding_count; i++)
        fd_jw_cstring(w, call->tool->bindings[i].argument);
    fd_jw_end_array(w);
    fd_jw_member(w, "part", part->part);
}

void job_trace_tools(struct job *job)
{
    if (job->trace == NULL)
        return;
    for (const struct job_call *call = job->tools->round; call != NULL; call = call->next) {
        const struct job_call *answer = call->twin != NULL ? call->twin : call;
        struct call_part request = {call, "request"}, told = {call, "answer"};
        trace_text(&job->trace->trace, "tool", now(job), write_call, &request, call->arguments,
                   strlen(call->arguments));
        trace_text(&job->trace->trace, "tool", now(job), write_call, &told,
                   answer->result != NULL ? answer->result : "", answer->result_len);
    }
}

/* -- the end ------------------------------------------------------------------------------------
 */

static void write_cost(struct fd_json_writer *w, int64_t micro)
{
    fd_jw_key(w, "cost");
    if (micro < 0)
        fd_jw_null(w);
    else
        fd_jw_double(w, (double)micro / 1e6);
}

static void write_attempt(struct fd_json_writer *w, const struct answer_attempt *attempt)
{
    fd_jw_object(w);
    fd_jw_member(w, "provider", attempt->provider);
    fd_jw_member(w, "model", attempt->model);
    fd_jw_member_int(w, "input_tokens", attempt->usage.input);
    fd_jw_member_int(w, "output_tokens", attempt->usage.output);
    fd_jw_member_int(w, "cache_read_tokens", attempt->usage.cache_read);
    fd_jw_member_int(w, "cache_write_tokens", attempt->usage.cache_write);
    fd_jw_member_bool(w, "estimated", attempt->estimated);
    write_cost(w, attempt->cost_micro);
    fd_jw_end_object(w);
}

static void tell_usage(struct job *job)
{
    struct trace_event event;

    begin(job, &event, "usage");
    fd_jw_key(&event.w, "attempts");
    fd_jw_array(&event.w);
    for (size_t i = 0; i < job->answer.attempt_count; i++)
        write_attempt(&event.w, &job->answer.attempts[i]);
    fd_jw_end_array(&event.w);
    answer_write_cost(&event.w, &job->answer);
    trace_end(&event);
}

static void tell_sentiment(struct job *job)
{
    const struct answer_sentiment *sentiment = &job->answer.sentiment;
    struct trace_event event;

    begin(job, &event, "sentiment");
    fd_jw_member(&event.w, "by", sentiment->by_model ? "model" : "rule");
    fd_jw_member_int(&event.w, "score", sentiment->score);
    if (sentiment->model != NULL)
        fd_jw_member(&event.w, "model", sentiment->model);
    if (sentiment->failed != NULL)
        fd_jw_member(&event.w, "failed", sentiment->failed);
    fd_jw_member_int(&event.w, "ms", sentiment->ms);
    write_cost(&event.w, sentiment->attempt.provider != NULL ? sentiment->attempt.cost_micro : 0);
    trace_end(&event);
}

static void write_time(struct fd_json_writer *w, const char *name, int64_t ms)
{
    fd_jw_key(w, name);
    if (ms < 0)
        fd_jw_null(w);
    else
        fd_jw_int(w, ms);
}

static void tell_timings(struct job *job)
{
    const int64_t *entered = job->trace->entered;
    int64_t first = job->answer.first_token_ms;
    struct trace_event event;

    begin(job, &event, "timings");
    write_time(&event.w, "queued_ms", entered[JOB_CLAIMED]);
    write_time(&event.w, "loaded_ms", entered[JOB_RETRIEVING]);
    write_time(&event.w, "retrieved_ms", entered[JOB_ROUTED]);
    write_time(&event.w, "routed_ms", entered[JOB_RECALLING]);
    write_time(&event.w, "asked_ms", entered[JOB_REQUESTING]);
    write_time(&event.w, "first_token_ms", first > 0 ? first : -1);
    write_time(&event.w, "answered_ms", entered[JOB_SAVING]);
    write_time(&event.w, "saved_ms", entered[JOB_ACKING]);
    trace_end(&event);
}

void job_trace_end(struct job *job)
{
    if (job->trace == NULL || job->replays)
        return;
    tell_sentiment(job);
    tell_usage(job);
    tell_timings(job);
}
