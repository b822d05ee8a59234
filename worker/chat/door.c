/* The job behind the OpenAI-compatible door: in, on, out. */
#include "chat/door.h"

#include "chat/job_states.h"
#include "core/language.h"
#include "core/utf8.h"
#include "protocol/limits.h"

#include <string.h>

/* -- in ------------------------------------------------------------------------------------ */

/* The first text of a content: what the question is taken to be. */
static const struct fd_json *first_text(const struct fd_json *content)
{
    if (content != NULL && content->type == FD_JSON_STRING)
        return content;
    const struct fd_json *part = content != NULL ? content->child : NULL;
    return fd_json_get(part, "text");
}

static struct fd_text last_question(struct job *job, const struct fd_json *messages)
{
    const struct fd_json *last = NULL;
    for (const struct fd_json *message = messages->child; message != NULL;
         message = message->next) {
        if (strcmp(fd_json_string(message, "role"), "user") == 0)
            last = first_text(fd_json_get(message, "content"));
    }
    if (last == NULL)
        return (struct fd_text){"", 0};
    size_t len = last->text_len;
    if (len > FD_MESSAGE_MAX)
        len = utf8_floor(last->text, len, FD_MESSAGE_MAX);
    return (struct fd_text){arena_strndup(&job->arena, last->text, len), len};
}

static struct fd_text wished_model(struct job *job, const struct fd_text *model)
{
    if (strcmp(model->s, "auto") == 0 || strcmp(model->s, "frontdesk") == 0)
        return (struct fd_text){NULL, 0};
    return (struct fd_text){arena_strndup(&job->arena, model->s, model->len), model->len};
}

static void shape(void *arg, struct fd_json_writer *w, const char *text, size_t len)
{
    struct door *door = arg;
    if (door->lane == DOOR_TEXT)
        completion_text(&door->completion, w, text, len);
    else
        completion_arguments(&door->completion, w, door->lane, text, len);
}

bool door_read(struct job *job)
{
    struct fd_json_fault json_fault;
    struct fd_completion_fault fault;
    struct fd_json_limits limits = {FD_COMPLETION_DEPTH_MAX, FD_COMPLETION_NODES_MAX};
    struct door *door = arena_zalloc(&job->arena, sizeof(*door));
    const struct fd_json *body = fd_json_parse(job->entry.body, job->entry.body_len, limits,
                                               arena_allocator(&job->prep->arena), &json_fault);
    job->door = door;
    job->row.apart = true;
    if (body == NULL || !fd_completion_request_read(body, &door->request, &fault))
        return false;
    completion_init(&door->completion, job->entry.id, job->entry.accepted_ms);
    door->completion.include_usage = door->request.include_usage;
    door->lane = DOOR_TEXT;
    job->answer.completion = &door->completion;
    job->outbox.shape = shape;
    job->outbox.shape_arg = door;

    job->request.message = last_question(job, door->request.messages);
    job->request.model_id = wished_model(job, &door->request.model);
    job->request.stream = door->request.stream;
    return true;
}

/* -- on ------------------------------------------------------------------------------------ */

bool door_wants(const struct llm_event *event)
{
    switch (event->type) {
    case LLM_EVENT_TOOL_START:
    case LLM_EVENT_TOOL_ARGS:
    case LLM_EVENT_TOOL_END: return event->index >= 0 && event->index < LLM_TOOL_CALLS_MAX;
    default: return false;
    }
}

static void answered_by(struct job *job)
{
    const struct model_candidate *candidate = &job->plan.candidates[job->candidate];
    completion_answered_by(&job->door->completion, candidate->endpoint->name, job->answer.model);
}

/* What came for another lane becomes an event of its own first. */
static void take_lane(struct job *job, int lane)
{
    if (job->door->lane != lane)
        outbox_cut(&job->outbox);
    job->door->lane = lane;
}

static void send_chunk(struct job *job, struct buf *data, struct fd_json_writer *w)
{
    if (buf_json_end(data, w))
        outbox_event(&job->outbox, FD_EVENT_DELTA, data->data, data->len);
    buf_free(data);
}

static void begin_chunk(struct buf *data, struct fd_json_writer *w)
{
    buf_init(data, (size_t)8 * LLM_TOOL_ID_MAX);
    buf_json(data, w);
}

static void call_started(struct job *job, const struct llm_event *event)
{
    struct buf data;
    struct fd_json_writer w;
    outbox_cut(&job->outbox);
    job->door->lane = event->index;
    begin_chunk(&data, &w);
    completion_call(&job->door->completion, &w, event->index, event->id, event->name);
    send_chunk(job, &data, &w);
}

static void call_goes_on(struct job *job, const struct llm_event *event)
{
    take_lane(job, event->index);
    job->door->told[event->index] = true;
    outbox_text(&job->outbox, event->text, event->text_len);
}

/* The whole call, for the answer in one piece and for a replay. */
static void call_ended(struct job *job, const struct llm_event *event)
{
    struct door *door = job->door;
    struct completion *c = &door->completion;
    if (job->request.stream && !door->told[event->index])
        call_goes_on(job, event);
    door->call_bytes += event->text_len + strlen(event->id) + strlen(event->name);
    c->cut = c->cut || door->call_bytes > FD_ANSWER_MAX || c->call_count == LLM_TOOL_CALLS_MAX;
    if (c->cut)
        return;
    c->calls[c->call_count++] = (struct completion_call){
        .id = arena_strdup(&job->arena, event->id),
        .name = arena_strdup(&job->arena, event->name),
        .arguments = arena_strndup(&job->arena, event->text, event->text_len),
    };
}

bool door_event(struct job *job, const struct llm_event *event)
{
    answered_by(job);
    switch (event->type) {
    case LLM_EVENT_TOOL_START:
        if (job->request.stream)
            call_started(job, event);
        return false;
    case LLM_EVENT_TOOL_ARGS:
        if (job->request.stream)
            call_goes_on(job, event);
        return false;
    case LLM_EVENT_TOOL_END: call_ended(job, event); return false;
    default: take_lane(job, DOOR_TEXT); return true;
    }
}

enum fd_problem_type door_problem(const struct llm_error *error)
{
    switch (error->class) {
    case LLM_ERROR_TIMEOUT: return FD_PROBLEM_PROVIDER_TIMEOUT;
    case LLM_ERROR_CONTEXT: return FD_PROBLEM_CONTEXT;
    case LLM_ERROR_FILTER: return FD_PROBLEM_FILTER;
    case LLM_ERROR_REQUEST:
        /* another status is of the platform's own settings */
        return error->status == 400 || error->status == 422 ? FD_PROBLEM_REFUSED
                                                            : FD_PROBLEM_PROVIDER;
    default: return FD_PROBLEM_PROVIDER;
    }
}

/* A model may have nothing to say, as long as it says why it ended. */
bool door_may_be_empty(struct job *job, enum llm_finish finish)
{
    answered_by(job);
    return finish == LLM_FINISH_STOP || finish == LLM_FINISH_LENGTH || finish == LLM_FINISH_FILTER;
}

/* -- out ----------------------------------------------------------------------------------- */

static void send_last_chunks(struct job *job)
{
    struct completion *c = &job->door->completion;
    struct buf data;
    struct fd_json_writer w;
    begin_chunk(&data, &w);
    outbox_cut(&job->outbox);
    completion_finish(c, &w, completion_reason(c, job->answer.finish));
    send_chunk(job, &data, &w);
    if (!c->include_usage)
        return;
    struct llm_usage usage;
    answer_usage(&job->answer, &usage);
    begin_chunk(&data, &w);
    completion_usage(c, &w, &usage);
    send_chunk(job, &data, &w);
}

void door_send_end(struct job *job)
{
    if (!job->request.stream) {
        outbox_event(&job->outbox, FD_EVENT_ANSWER, job->outcome.data, job->outcome.len);
        return;
    }
    send_last_chunks(job);
    outbox_event(&job->outbox, FD_EVENT_DONE, "{}", 2);
}
