/*
 * Door: a job whose client is an OpenAI SDK (docs/openai.md). Its messages, tools and
 * wishes go to the model as the caller wrote them: no history, no records, no prompt
 * and no tools of the organisation; its models, regions, limits and budget count.
 *
 * Its deltas are chunks in OpenAI's form. A call of a tool is the caller's to run: the
 * job ends with it.
 */
#ifndef FD_CHAT_DOOR_H
#define FD_CHAT_DOOR_H

#include "chat/completion.h"
#include "protocol/completion_request.h"
#include "protocol/problem.h"

struct job;

/* What a delta that waits is a piece of: the text, or a call's arguments. */
#define DOOR_TEXT (-1)

struct door {
    struct fd_completion_request request; /* in the prep's arena: not after the first token */
    struct completion completion;
    int lane;
    bool told[LLM_TOOL_CALLS_MAX]; /* arguments of the call were sent */
    size_t call_bytes;             /* kept of all calls */
};

/* -- door.c -- */
/* The entry's body; false: it cannot be read. */
bool door_read(struct job *job);
/* Whether an event of the provider's is a piece of a call, which is for the caller. */
bool door_wants(const struct llm_event *event);
/* Such a piece, or text. True: it is text, which goes the way of all text. */
bool door_event(struct job *job, const struct llm_event *event);
/* Of a job that is done: what comes before the terminal event, and the event. */
void door_send_end(struct job *job);
/* What a provider's failure is to the caller, who may have asked for what cannot be. */
enum fd_problem_type door_problem(const struct llm_error *error);
/* A call that ended without an event: whether that is an answer. */
bool door_may_be_empty(struct job *job, enum llm_finish finish);

/* -- door_prompt.c -- */
/* The request to the model, and its route. False: the job has failed. */
bool door_prompt(struct job *job);
/* Only candidates that can do what was asked stay. False: none, the job has failed. */
bool door_narrow(struct job *job);

#endif
