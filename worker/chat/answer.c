#include "chat/answer.h"

#include "chat/completion.h"
#include "chat/route_json.h"

#include "core/reason.h"
#include "protocol/job.h"

#include <string.h>

bool answer_usage_fill(struct llm_usage *usage, int64_t input_estimate, int64_t output_estimate)
{
    /* some servers (Ollama) count nothing where they said something */
    bool uncounted = usage->output < 0 || (usage->output == 0 && output_estimate > 0);
    bool estimated = usage->input < 0 || uncounted;
    if (usage->input < 0)
        usage->input = input_estimate;
    if (uncounted)
        usage->output = output_estimate;
    if (usage->cache_read < 0)
        usage->cache_read = 0;
    if (usage->cache_write < 0)
        usage->cache_write = 0;
    return estimated;
}

enum fd_event_type answer_event(const struct answer *answer)
{
    switch (answer->end) {
    case ANSWER_CANCELLED: return FD_EVENT_CANCELLED;
    case ANSWER_FAILED:
    case ANSWER_DEAD: return FD_EVENT_ERROR;
    case ANSWER_DONE: break;
    }
    return answer->stream ? FD_EVENT_DONE : FD_EVENT_ANSWER;
}

const char *answer_state(const struct answer *answer)
{
    switch (answer->end) {
    case ANSWER_DONE: return FD_JOB_DONE;
    case ANSWER_FAILED: return FD_JOB_FAILED;
    case ANSWER_CANCELLED: return FD_JOB_CANCELLED;
    case ANSWER_DEAD: break;
    }
    return FD_JOB_DEAD;
}

const char *answer_message_status(const struct answer *answer)
{
    if (answer->end == ANSWER_CANCELLED)
        return "cancelled";
    return answer->end == ANSWER_DONE && !answer->cut ? "complete" : "interrupted";
}

bool answer_usage(const struct answer *answer, struct llm_usage *sum)
{
    bool estimated = false;
    *sum = (struct llm_usage){0};
    for (size_t i = 0; i < answer->attempt_count; i++) {
        const struct answer_attempt *attempt = &answer->attempts[i];
        sum->input += attempt->usage.input;
        sum->output += attempt->usage.output;
        sum->cache_read += attempt->usage.cache_read;
        sum->cache_write += attempt->usage.cache_write;
        estimated = estimated || attempt->estimated;
    }
    return estimated;
}

static void write_usage(struct fd_json_writer *w, const struct answer *answer)
{
    struct llm_usage sum;
    bool estimated = answer_usage(answer, &sum);
    fd_jw_key(w, "usage");
    fd_jw_object(w);
    fd_jw_member_int(w, "input_tokens", sum.input);
    fd_jw_member_int(w, "output_tokens", sum.output);
    fd_jw_member_int(w, "cache_read_tokens", sum.cache_read);
    fd_jw_member_int(w, "cache_write_tokens", sum.cache_write);
    fd_jw_member_int(w, "total_tokens", sum.input + sum.output + sum.cache_read + sum.cache_write);
    fd_jw_member_bool(w, "estimated", estimated);
    fd_jw_end_object(w);
}

void answer_write_cost(struct fd_json_writer *w, const struct answer *answer)
{
    int64_t micro = 0;
    for (size_t i = 0; i < answer->attempt_count && micro >= 0; i++)
        micro = answer->attempts[i].cost_micro < 0 ? -1 : micro + answer->attempts[i].cost_micro;
    fd_jw_key(w, "cost");
    if (micro < 0)
        fd_jw_null(w);
    else
        fd_jw_double(w, (double)micro / 1e6);
}

static void write_citations(struct fd_json_writer *w, const struct answer *answer, size_t most)
{
    fd_jw_array(w);
    for (size_t i = 0; i < answer->citation_count && i < most; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "id", answer->citations[i].id);
        fd_jw_member(w, "label", answer->citations[i].label);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void write_calls(struct fd_json_writer *w, const struct answer *answer)
{
    fd_jw_array(w);
    for (size_t i = 0; i < answer->call_count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "call_id", answer->calls[i].call_id);
        fd_jw_member(w, "name", answer->calls[i].name);
        fd_jw_member(w, "status", answer->calls[i].status);
        fd_jw_member_int(w, "ms", answer->calls[i].ms);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void write_tools(struct fd_json_writer *w, const struct tool_set *tools)
{
    fd_jw_key(w, "tools");
    fd_jw_array(w);
    for (size_t i = 0; tools != NULL && i < tools->count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "name", tools->list[i].name);
        fd_jw_member(w, "risk", tool_risk_name(tools->list[i].risk));
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

void answer_write_memory(struct fd_json_writer *w, const struct answer_memory *memory)
{
    fd_jw_key(w, "memory");
    fd_jw_object(w);
    fd_jw_member_int(w, "messages", (int64_t)memory->messages);
    fd_jw_member_int(w, "left_out", (int64_t)memory->left_out);
    fd_jw_member_int(w, "shortened", (int64_t)memory->shortened);
    fd_jw_key(w, "summary");
    if (memory->summarised > 0) {
        fd_jw_object(w);
        fd_jw_member_int(w, "messages", memory->summarised);
        fd_jw_member_int(w, "tokens", memory->summary_tokens);
        fd_jw_end_object(w);
    } else {
        fd_jw_null(w);
    }
    fd_jw_end_object(w);
}

/* What a dry run has instead of an answer (ENG-18). */
static void write_dry_run(struct fd_json_writer *w, const struct answer *answer)
{
    fd_jw_member_bool(w, "dry_run", true);
    fd_jw_member_int(w, "chunk_count", (int64_t)answer->chunks->count);
    route_write_chunks(w, answer->chunks);
    fd_jw_key(w, "route");
    fd_jw_object(w);
    route_write(w, &answer->route);
    fd_jw_end_object(w);
    write_tools(w, answer->tools);
    fd_jw_member_int(w, "context_tokens", answer->chunks->context_tokens);
    fd_jw_member_int(w, "prompt_tokens", answer->prompt_tokens);
    fd_jw_member_int(w, "likely_tokens", answer->likely_tokens);
    answer_write_memory(w, &answer->memory);
}

static void write_problem(struct fd_json_writer *w, const struct answer *answer)
{
    struct fd_problem problem = {.type = answer->problem,
                                 .detail = answer->detail,
                                 .field = answer->field,
                                 .request_id = answer->request_id};
    struct buf reason;

    problem.reason = reason_text(&reason, answer->detail);
    fd_problem_write(w, &problem);
    buf_free(&reason);
}

static void write_notice(struct fd_json_writer *w, const char *kind, const char *text)
{
    if (text == NULL)
        return;
    fd_jw_object(w);
    fd_jw_member(w, "kind", kind);
    fd_jw_member(w, "text", text);
    fd_jw_end_object(w);
}

/* What a reader of the stream was told by a `notice`. */
static void write_notices(struct fd_json_writer *w, const struct answer *answer)
{
    if (answer->upgrade == NULL && answer->offer == NULL && answer->ungrounded == NULL &&
        answer->otherwise == NULL)
        return;
    fd_jw_key(w, "notices");
    fd_jw_array(w);
    write_notice(w, "upgrade", answer->upgrade);
    write_notice(w, "handoff_offer", answer->offer);
    write_notice(w, "grounding", answer->ungrounded);
    write_notice(w, "language", answer->otherwise);
    fd_jw_end_array(w);
}

static const char *finish_reason(const struct answer *answer)
{
    return answer->dry_run     ? "dry_run"
           : answer->to_person ? "human"
                               : llm_finish_name(answer->finish);
}

static void write_done(struct fd_json_writer *w, const struct answer *answer)
{
    fd_jw_object(w);
    if (!answer->stream) {
        fd_jw_key(w, "response");
        if (answer->to_person)
            fd_jw_null(w);
        else
            fd_jw_string(w, answer->text, answer->text_len);
        fd_jw_member(w, "session_id", answer->session);
        fd_jw_key(w, "tool_calls_made");
        write_calls(w, answer);
        write_notices(w, answer);
    }
    fd_jw_member(w, "message_id", answer->message_id);
    fd_jw_member(w, "model", answer->model);
    fd_jw_member(w, "tier", answer->to_person ? NULL : route_tier_name(answer->route.tier));
    if (!answer->stream)
        fd_jw_member(w, "intent", answer->route.intent);
    fd_jw_member(w, "finish_reason", finish_reason(answer));
    write_usage(w, answer);
    answer_write_cost(w, answer);
    fd_jw_key(w, "citations");
    write_citations(w, answer, answer->dry_run ? DRY_RUN_CITATIONS : CITATIONS_MAX);
    fd_jw_member_bool(w, "cached", answer->cached);
    if (answer->dry_run)
        write_dry_run(w, answer);
    fd_jw_end_object(w);
}

static void write_answer(struct fd_json_writer *w, const struct answer *answer)
{
    if (answer->completion == NULL) {
        write_done(w, answer);
        return;
    }
    struct llm_usage usage;
    answer_usage(answer, &usage);
    completion_write(w, answer->completion, answer->text, answer->text_len,
                     completion_reason(answer->completion, answer->finish), &usage);
}

bool answer_data(const struct answer *answer, struct buf *out)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    switch (answer_event(answer)) {
    case FD_EVENT_CANCELLED:
        fd_jw_object(&w);
        fd_jw_end_object(&w);
        break;
    case FD_EVENT_ERROR: write_problem(&w, answer); break;
    default: write_answer(&w, answer); break;
    }
    return buf_json_end(out, &w);
}

bool answer_route_json(const struct answer *answer, struct buf *out)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    fd_jw_object(&w);
    route_write(&w, &answer->route);
    if (answer->first_token_ms > 0)
        fd_jw_member_int(&w, "first_token_ms", answer->first_token_ms);
    fd_jw_member_int(&w, "context_tokens", answer->chunks->context_tokens);
    fd_jw_member_int(&w, "chunks", (int64_t)answer->chunks->count);
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

bool answer_citations_json(const struct answer *answer, struct buf *out)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    write_citations(&w, answer, CITATIONS_MAX);
    return buf_json_end(out, &w);
}

bool answer_calls_json(const struct answer *answer, struct buf *out)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    write_calls(&w, answer);
    return buf_json_end(out, &w);
}
