/*
 * Trace: what an operator who tries the assistant out (ADM-4) is shown of a job, as events
 * between its others: docs/test-chat.md. Nothing is done and nothing costs where nobody asked
 * for it. No credential is in it: requests are shown without headers, and where a provider or
 * a tool repeats a key of ours, it is blotted out. Private to job*.c.
 */
#ifndef FD_CHAT_JOB_TRACE_H
#define FD_CHAT_JOB_TRACE_H

#include "chat/job_tools.h"

void job_trace_start(struct job *job);
void job_trace_free(struct job *job);
void job_trace_entered(struct job *job, enum job_state state);

/* Behind `meta`: intent, route, snippets, chunks. */
void job_trace_route(struct job *job);
/* What is asked of the provider now. */
void job_trace_request(struct job *job, const struct llm_request *request);
/* What the provider sends: options.on_raw of the call; NULL where nobody wants to see it. */
typedef void job_trace_raw_fn(void *arg, const char *bytes, size_t len);
job_trace_raw_fn *job_trace_raw(const struct job *job);
void job_trace_answered(struct job *job, const struct llm_error *error, enum llm_finish finish);
/* The calls of a round that is over. */
void job_trace_tools(struct job *job);
/* Before the terminal event: what it cost, and how long it took. */
void job_trace_end(struct job *job);

#endif
