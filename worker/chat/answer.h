/*
 * Answer: how a job ended, as a value: what PostgreSQL keeps, what is billed, and
 * the data of the terminal event. Pure.
 */
#ifndef FD_CHAT_ANSWER_H
#define FD_CHAT_ANSWER_H

#include "chat/chunk.h"
#include "chat/citation.h"
#include "chat/route.h"
#include "core/buf.h"
#include "llm/price.h"
#include "protocol/event.h"
#include "protocol/problem.h"

#include <stdbool.h>
#include <stdint.h>

#define ANSWER_ATTEMPTS_MAX 8
#define DRY_RUN_CITATIONS   12

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
    int64_t cost_micro; /* -1 = the price is unknown; filled when it is saved */
};

struct answer {
    enum answer_end end;
    enum fd_problem_type problem; /* of FAILED and DEAD */
    const char *detail;           /* of the problem; may be NULL */
    const char *field;
    const char *reason; /* for operators: jobs.reason; NULL = none */

    bool stream;
    bool dry_run;
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
    const struct chunk_set *chunks;
    const struct citation *citations;
    size_t citation_count;

    struct answer_attempt attempts[ANSWER_ATTEMPTS_MAX];
    size_t attempt_count;
    int64_t prompt_tokens; /* estimated; of a dry run */
};

/* What is not reported is estimated; true if anything was. */
bool answer_usage_fill(struct llm_usage *usage, int64_t input_estimate, int64_t output_estimate);

enum fd_event_type answer_event(const struct answer *answer);
/* "done", "failed", "cancelled" or "dead": of jobs.state and fd:job alike. */
const char *answer_state(const struct answer *answer);
/* "complete", "interrupted" or "cancelled": of the message. */
const char *answer_message_status(const struct answer *answer);
/* The terminal event's data. */
bool answer_data(const struct answer *answer, struct buf *out);

/* {tier, intent, reasons, context_tokens, chunks} and [{id, label}] for the
 * message's row. */
bool answer_route_json(const struct answer *answer, struct buf *out);
bool answer_citations_json(const struct answer *answer, struct buf *out);

#endif
