/*
 * Answer: how a job ended, as a value: what PostgreSQL keeps, what is billed, and
 * the data of the terminal event. Pure.
 */
#ifndef FD_CHAT_ANSWER_H
#define FD_CHAT_ANSWER_H

#include "context/chunk.h"
#include "context/citation.h"
#include "route/route.h"
#include "core/buf.h"
#include "llm/price.h"
#include "protocol/event.h"
#include "protocol/problem.h"
#include "tool/tool.h"

#include <stdbool.h>
#include <stdint.h>

#define ANSWER_ATTEMPTS_MAX 16 /* rounds of tools, retries and a correction */
#define DRY_RUN_CITATIONS   12

struct completion;

enum answer_end {
    ANSWER_DONE,
    ANSWER_FAILED,
    ANSWER_CANCELLED,
    ANSWER_DEAD /* a dead letter */
};

/* One call of a model that cost something. */
struct answer_attempt {
    const char *provider;
    const char *model;
    struct llm_usage usage; /* no field is -1 but cost_micro */
    bool estimated;
    bool free;          /* the built-in provider */
    bool own_key;       /* of the organisation, not the platform's */
    int64_t cost_micro; /* -1 = the price is unknown; filled when it is saved */
};

/* How the visitor's message sounds, from -9 to 9: below 0 unhappy (ENG-14). */
struct answer_sentiment {
    int score;
    bool by_model;      /* else by rule */
    const char *model;  /* that was asked, or would have been; NULL = none is named */
    const char *failed; /* why the model did not rate it; NULL = it did, or none is named */
    int64_t ms;
    struct answer_attempt attempt; /* provider NULL: nothing is to be paid */
};

/* A call of a tool, as visitors and the message's row are told of it. */
struct answer_call {
    const char *call_id;
    const char *name;
    const char *status; /* execution_status_name() */
    int64_t ms;
};

/* What of the conversation the model is shown. */
struct answer_memory {
    size_t messages; /* as they were */
    size_t left_out; /* of the newest that were read */
    size_t shortened;
    int summarised;         /* messages that the summary tells of; 0 = none is shown */
    int64_t summary_tokens; /* estimated */
};

struct answer {
    enum answer_end end;
    enum fd_problem_type problem; /* of FAILED and DEAD */
    const char *detail;           /* of the problem; may be NULL */
    const char *field;
    const char *reason; /* for operators: jobs.reason; NULL = none */

    bool stream;
    bool dry_run;
    bool cached; /* given before, to the same question */
    const char *session;
    const char *conversation_id;
    const char *message_id;
    const char *request_id;

    const char *text; /* what was said, "" if nothing */
    size_t text_len;
    bool cut; /* the provider broke off after visible text */
    enum llm_finish finish;
    const char *model; /* that answered, NULL = none was asked */
    bool routed;       /* route and chunks are known */
    struct route route;
    int64_t first_token_ms; /* after the acceptance; 0 = none came */
    const struct chunk_set *chunks;
    const struct completion *completion; /* of a job behind the door; NULL = a chat */
    const struct citation *citations;
    size_t citation_count;
    const struct answer_call *calls;
    size_t call_count;
    const struct tool_set *tools; /* offered, of a dry run; NULL = none */

    struct answer_attempt attempts[ANSWER_ATTEMPTS_MAX];
    size_t attempt_count;
    struct answer_sentiment sentiment;
    bool to_person;              /* a person has the conversation: nobody else answers */
    const char *offer;           /* of a person: what is said of it; or NULL */
    const char *ungrounded;      /* not in the sources: what is said of it; or NULL */
    const char *otherwise;       /* in another language: what is said of it; or NULL */
    const char *upgrade;         /* the month's messages are used up: what is said of it; or NULL */
    int64_t prompt_tokens;       /* estimated; of a dry run */
    int64_t likely_tokens;       /* as the model's provider will count them; of a dry run */
    struct answer_memory memory; /* of a dry run */
};

/* What is not reported is estimated; true if anything was. */
bool answer_usage_fill(struct llm_usage *usage, int64_t input_estimate, int64_t output_estimate);

/* Of all calls; whether any of it is an estimate. */
bool answer_usage(const struct answer *answer, struct llm_usage *sum);

enum fd_event_type answer_event(const struct answer *answer);
/* "done", "failed", "cancelled" or "dead": of jobs.state and fd:job alike. */
const char *answer_state(const struct answer *answer);
/* "complete", "interrupted" or "cancelled": of the message. */
const char *answer_message_status(const struct answer *answer);
/* The terminal event's data. */
bool answer_data(const struct answer *answer, struct buf *out);

/* cost: dollars; null as soon as one price is unknown */
void answer_write_cost(struct fd_json_writer *w, const struct answer *answer);
/* memory: {messages, left_out, shortened, summary: {messages, tokens} or null} */
void answer_write_memory(struct fd_json_writer *w, const struct answer_memory *memory);
/* {tier, intent, reasons, version, split?, arm?, trial?, first_token_ms?, context_tokens,
 * chunks} and [{id, label}] for the message's row. */
bool answer_route_json(const struct answer *answer, struct buf *out);
bool answer_citations_json(const struct answer *answer, struct buf *out);
/* [{call_id, name, status, ms}]: tool_calls_made, messages.tool_calls */
bool answer_calls_json(const struct answer *answer, struct buf *out);

#endif
