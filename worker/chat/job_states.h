/*
 * What the files of the job's states share. A state has two functions: enter starts
 * its work, on takes its events; both return the state that follows, their own to
 * stay. Private to job*.c.
 */
#ifndef FD_CHAT_JOB_STATES_H
#define FD_CHAT_JOB_STATES_H

#include "chat/budget.h"
#include "context/fuse.h"
#include "chat/execution.h"
#include "chat/toolbox.h"
#include "chat/job.h"
#include "chat/offer.h"

/* job_load.c */
enum job_state job_claimed_enter(struct job *job);
enum job_state job_claimed_on(struct job *job, const struct job_event *event);
enum job_state job_loading_enter(struct job *job);
enum job_state job_loading_on(struct job *job, const struct job_event *event);
enum job_state job_retrieving_enter(struct job *job);
enum job_state job_retrieving_on(struct job *job, const struct job_event *event);
/* job_meaning.c */
bool job_meaning_ask(struct job *job); /* true: JOB_EV_VECTOR is to come */
/* On a pool thread: the sections that mean what the question does, best first. */
size_t job_meaning_search(const struct job *job, struct db *db, struct arena *a,
                          struct ranked **found);
void job_meaning_end(struct job *job); /* no thread works for the job */
/* job_sentiment.c */
void job_sentiment_ask(struct job *job);    /* beside the answer; JOB_EV_SENTIMENT may come */
void job_sentiment_settle(struct job *job); /* the answer is over */
bool job_sentiment_open(const struct job *job);
void job_sentiment_drop(struct job *job); /* hangs up: nobody wants to know any more */
void job_sentiment_free(struct job *job);
/* job_route.c */
enum job_state job_routed_enter(struct job *job);
enum job_state job_dry_run(struct job *job); /* its answer is what would be asked */
/* job_reserve.c */
enum job_state job_reserving_enter(struct job *job);
enum job_state job_reserving_on(struct job *job, const struct job_event *event);
bool job_may_spend(const struct job *job);       /* false: RESERVING comes before the next call */
enum job_state job_over_budget(struct job *job); /* known without asking: it is used up */
void job_tell_quota(struct job *job);            /* the month's messages are used up */
/* job_ask.c */
enum job_state job_requesting_enter(struct job *job);
enum job_state job_requesting_on(struct job *job, const struct job_event *event);
enum job_state job_backoff_on(struct job *job, const struct job_event *event);
enum job_state job_streaming_on(struct job *job, const struct job_event *event);
void job_cancel_call(struct job *job);
/* A sentence of the server's, in a paragraph of its own. */
void job_say(struct job *job, const char *text);
/* job_tools.c, with CONFIRMING's */
enum job_state job_tools_enter(struct job *job);
enum job_state job_tools_on(struct job *job, const struct job_event *event);
/* job_check.c */
enum job_state job_checking_enter(struct job *job);
enum job_state job_checking_on(struct job *job, const struct job_event *event);
/* job_end.c */
enum job_state job_saving_enter(struct job *job);
enum job_state job_saving_on(struct job *job, const struct job_event *event);
enum job_state job_acking_enter(struct job *job);
enum job_state job_acking_on(struct job *job, const struct job_event *event);

/* job_recall.c */
void job_recall_ask(struct job *job); /* once its history is known to be none */
void job_recall_heard(struct job *job, const struct job_event *event);
enum job_state job_recalling_enter(struct job *job);
enum job_state job_recalling_on(struct job *job, const struct job_event *event);
void job_recall_keep(struct job *job); /* the answer is committed, or waits for its rating; once */
void job_recall_end(struct job *job);  /* nobody need wait for it any more */

/* job_say.c */
void job_send_first(struct job *job);
void job_send_reset(struct job *job);
void job_send_meta(struct job *job);
void job_send_notice(struct job *job, const char *kind, const char *text);
void job_send_citations(struct job *job, size_t count); /* the last `count` found */
void job_send_tool(struct job *job, const char *call_id, const char *name, const char *status,
                   int64_t ms);
void job_send_confirm(struct job *job, const char *call_id, const char *summary,
                      int64_t expires_ms);

/* How a job ends before or without an answer; all return JOB_SAVING. */
enum job_state job_fail(struct job *job, enum fd_problem_type problem, const char *detail,
                        const char *reason);
enum job_state job_cancel(struct job *job, const char *reason);
void job_dead_letter(struct job *job, const char *reason);
void job_prep_free(struct job *job);

/* A step on the pool: run() on a thread, then JOB_EV_OP with this op, which is freed
 * after it. Pinned by it, the job's fields may be read there; results go into the op. */
struct job_op {
    struct job *job;
    enum job_op_kind {
        JOB_OP_CLAIM,
        JOB_OP_LOAD,
        JOB_OP_RETRIEVE,
        JOB_OP_RESERVE,
        JOB_OP_VISITOR,
        JOB_OP_OFFER,
        JOB_OP_TOOL_BEGIN,
        JOB_OP_TOOL_ACCEPT,
        JOB_OP_TOOL_END,
        JOB_OP_PAST,
        JOB_OP_SAVE,
        JOB_OP_OUTCOME
    } kind;
    bool ran;
    enum db_status status;
    struct tenant *tenant; /* LOAD */
    struct toolbox *toolbox;
    bool wants_tenant, wants_toolbox, wants_history, ended, human;
    struct offer_visitor visitor; /* VISITOR */
    enum offer_when offer;        /* OFFER */
    struct llm_message *history;
    size_t history_count;
    struct summary summary;
    struct route_last last;
    struct retrieved retrieved; /* RETRIEVE */
    struct budget_ask ask;      /* RESERVE */
    struct budget_word word;
    struct job_call *call; /* TOOL_... */
    struct execution execution;
    struct execution_past past;
    struct arena arena;           /* of them */
    enum store_claim claim;       /* CLAIM, SAVE */
    struct store_outcome outcome; /* OUTCOME */
    bool found;                   /* the same; OFFER: it is the first */
};

/* False: the pool is full. */
bool job_submit(struct job *job, const struct job_op *op);
bool job_op_failed(const struct job_op *op);
/* Comes again with JOB_EV_TIMER, later each time. */
void job_retry_later(struct job *job);
void job_wait(struct job *job, int64_t ms); /* the same, once, after ms */
/* PostgreSQL's word on who owns the job, asked beside other work. */
void job_ask_owner(struct job *job);
/* Acts on it; the current state if nothing is to be done. */
enum job_state job_heed_owner(struct job *job, const struct job_op *op);

#endif
