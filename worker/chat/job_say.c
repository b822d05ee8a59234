/* The events that a job says beside its text. */
#include "chat/job_states.h"

#include "protocol/limits.h"

#include <time.h>

static void say(struct job *job, enum fd_event_type type, struct buf *data,
                struct fd_json_writer *w)
{
    if (buf_json_end(data, w))
        outbox_event(&job->outbox, type, data->data, data->len);
    buf_free(data);
}

static void begin(struct buf *data, struct fd_json_writer *w)
{
    buf_init(data, FD_EVENT_DATA_MAX);
    buf_json(data, w);
    fd_jw_object(w);
}

void job_send_reset(struct job *job)
{
    struct buf data;
    struct fd_json_writer w;
    begin(&data, &w);
    fd_jw_member_int(&w, "attempt", job->epoch);
    fd_jw_end_object(&w);
    say(job, FD_EVENT_RESET, &data, &w);
}

void job_send_meta(struct job *job)
{
    const struct route *route = &job->answer.route;
    struct buf data;
    struct fd_json_writer w;
    begin(&data, &w);
    fd_jw_member(&w, "message_id", job->message_id);
    fd_jw_member(&w, "conversation_id", job->conversation_id);
    fd_jw_member(&w, "session_id", job->entry.session);
    if (job->answer.routed) {
        fd_jw_member(&w, "model", job->answer.model);
        fd_jw_member(&w, "tier", route_tier_name(route->tier));
        fd_jw_member(&w, "intent", route->intent);
        fd_jw_key(&w, "reasons");
        fd_jw_array(&w);
        for (size_t i = 0; i < route->reason_count; i++)
            fd_jw_cstring(&w, route->reasons[i]);
        fd_jw_end_array(&w);
        if (job->plan.suggested != NULL)
            fd_jw_member(&w, "suggested_model_id", job->plan.suggested);
    }
    fd_jw_end_object(&w);
    say(job, FD_EVENT_META, &data, &w);
}

void job_send_notice(struct job *job, const char *kind, const char *text)
{
    struct buf data;
    struct fd_json_writer w;
    if (!job->request.stream)
        return;
    begin(&data, &w);
    fd_jw_member(&w, "kind", kind);
    fd_jw_member(&w, "text", text);
    fd_jw_end_object(&w);
    say(job, FD_EVENT_NOTICE, &data, &w);
}

void job_send_citations(struct job *job, size_t count)
{
    for (size_t i = job->citations.count - count; i < job->citations.count; i++) {
        struct buf data;
        struct fd_json_writer w;
        begin(&data, &w);
        fd_jw_member(&w, "id", job->citations.found[i].id);
        fd_jw_member(&w, "label", job->citations.found[i].label);
        fd_jw_end_object(&w);
        say(job, FD_EVENT_CITATION, &data, &w);
    }
}

/* A visitor learns what is done, not with what: no arguments, no results. */
void job_send_tool(struct job *job, const char *call_id, const char *name, const char *status,
                   int64_t ms)
{
    struct buf data;
    struct fd_json_writer w;
    if (!job->request.stream)
        return;
    begin(&data, &w);
    fd_jw_member(&w, "call_id", call_id);
    fd_jw_member(&w, "name", name);
    fd_jw_member(&w, "status", status);
    fd_jw_member_int(&w, "ms", ms);
    fd_jw_end_object(&w);
    say(job, FD_EVENT_TOOL, &data, &w);
}

void job_send_confirm(struct job *job, const char *call_id, const char *summary, int64_t expires_ms)
{
    struct buf data;
    struct fd_json_writer w;
    struct tm utc;
    char expires[32];
    time_t seconds = (time_t)(expires_ms / 1000);
    strftime(expires, sizeof(expires), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    begin(&data, &w);
    fd_jw_member(&w, "call_id", call_id);
    fd_jw_member(&w, "summary", summary);
    fd_jw_member(&w, "expires_at", expires);
    fd_jw_end_object(&w);
    say(job, FD_EVENT_CONFIRM, &data, &w);
}

/* n = 0 is `reset` in a later epoch and `meta` in the first, whatever follows. */
void job_send_first(struct job *job)
{
    if (job->outbox.next > 0)
        return;
    if (job->epoch > 1)
        job_send_reset(job);
    else
        job_send_meta(job);
}
