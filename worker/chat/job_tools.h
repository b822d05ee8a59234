/*
 * The calls of an answer's tools: what job_tools.c (states), job_calls.c (what the
 * model asked for and is told), job_confirm.c (the visitor's word), job_claims.c
 * and job_language.c share. Private to job*.c.
 *
 * A call goes BEGIN (its row is written), for a write ASK and ACCEPT (the visitor's
 * word, and the row again), RUN, END (the row again), OVER.
 */
#ifndef FD_CHAT_JOB_TOOLS_H
#define FD_CHAT_JOB_TOOLS_H

#include "chat/execution.h"
#include "chat/job_states.h"
#include "chat/toolbox.h"
#include "llm/prompt_tools.h"

enum call_step { CALL_BEGIN, CALL_ASK, CALL_ACCEPT, CALL_RUN, CALL_END, CALL_OVER };

struct job_call {
    struct job *job;             /* once it is driven */
    struct job_call *next;       /* of the answer, in the order they were made */
    const struct job_call *twin; /* the same call, made before it in this round: its result */
    const struct tool *tool;     /* NULL: it is not offered */
    const char *id;              /* the model's, for the model */
    const char *name;
    const char *arguments; /* canonical JSON */
    const struct fd_json *json;
    char call_id[EXECUTION_CALL_ID_SIZE];
    char row[STORE_UUID_SIZE];

    enum call_step step;
    bool out; /* the step's work is out: a pool step, a run */
    struct tool_run *run;
    int64_t began_ms;
    const char *summary; /* what the visitor or an operator is asked */
    int64_t expires_ms;  /* unix; of the question */
    bool asked;          /* the visitor sees it */
    bool accepted;

    enum execution_status status;
    const char *failure; /* NULL = none */
    const char *result;  /* JSON, for the model */
    size_t result_len;
    const char *detail;
    int http_status;
    int64_t ms;
};

struct job_tools {
    struct arena arena; /* of the calls */
    struct toolbox *box;
    struct job_call *first, *last;
    struct job_call *round; /* the first of this round; NULL = the model called none */
    size_t round_count;     /* of this round, with those that were refused */
    size_t count;           /* that were not refused out of hand */
    unsigned rounds;        /* that ended */
    size_t result_bytes;
    bool closed;         /* no more calls, this request says */
    size_t text_from;    /* where this round's text begins */
    struct buf thinking; /* of this round; Ollama wants it back */
    bool prompted;       /* this request has its tools in words */
    struct prompt_tools_scan scan;
    bool asking;    /* the jobs server is asked for the visitor's word */
    bool acted;     /* a write ended well: */
    unsigned deeds; /* tool/deeds.h */
    bool informed;  /* a read did */
    bool awaits_approval;
};

/* -- job_calls.c ---------------------------------------------------------------------------- */

/* The organisation has tools: the request offers them. */
void job_tools_offer(struct job *job, struct toolbox *box);
void job_tools_free(struct job *job);
/* A new request of the model begins. What is to be sent: in `a` or the job's. */
struct llm_request job_tools_request(struct job *job, struct arena *a, bool native);
/* The model called: kept until its answer has ended well. */
void job_tools_take(struct job *job, const struct llm_event *event);
void job_tools_think(struct job *job, const struct llm_event *event);
bool job_tools_called(const struct job *job);
/* The answer did not end well: what it called is not done. */
void job_tools_drop(struct job *job);
/* Another round may follow: the prompt is still needed. */
bool job_tools_more(const struct job *job);
/* The round's calls and results become messages. */
void job_tools_tell_model(struct job *job);
void job_tools_add_messages(struct job *job, const struct llm_message *more, size_t count);

/* What the answer tells of them; they stay the job's. */
void job_tools_list(struct job *job);

/* {"error": {code, message, retryable}} */
void job_call_refuse(struct job *job, struct job_call *call, enum tool_failure failure,
                     const char *code, const char *message);
void job_call_result(struct job *job, struct job_call *call, const char *json, size_t len);

/* -- job_tools.c ---------------------------------------------------------------------------- */

/* Ends what runs; no callback comes any more. */
void job_tools_stop(struct job *job);
/* A run or a question has no end yet. */
bool job_tools_open(const struct job *job);

/* -- job_confirm.c -------------------------------------------------------------------------- */

/* What to do first with a call of this tool; refuses it where the visitor cannot be asked. */
void job_call_ask(struct job *job, struct job_call *call);
/* Its row is new: the visitor is asked, where there is time for an answer. */
void job_confirm_begin(struct job *job, struct job_call *call);
/* Asks the jobs server for the visitor's word on every open question. */
void job_confirm_poll(struct job *job);
void job_confirm_take(struct job *job, const redisReply *reply);
/* Questions whose time is over. */
void job_confirm_expire(struct job *job);
bool job_confirm_open(const struct job *job);

/* -- job_claims.c --------------------------------------------------------------------------- */

/* It claims an action that no call of its own confirmed, and what the conversation's earlier
 * ones did is not known yet. */
bool job_claims_wonder(const struct job *job);
/* What they did; NULL: it cannot be known, and the answer has the benefit of the doubt. */
void job_claims_recall(struct job *job, const struct execution_past *past);
/* The answer is over, unless it claims an action that no tool confirmed: true where the
 * model is asked to correct itself; else an honest sentence stands behind the claim. */
bool job_claims_retry(struct job *job);
/* The correction failed: the sentence has to do. False: none was under way. */
bool job_claims_settle(struct job *job);

/* -- job_language.c -------------------------------------------------------------------------- */

/* The answer may be asked for again: its prompt is still needed. */
bool job_language_keeps_prompt(const struct job *job);
/* The answer is over, unless it is in another language and may be asked for again: true. */
bool job_language_retry(struct job *job);
/* The other answer failed: the first has to do. False: none was asked for. */
bool job_language_settle(struct job *job);

#endif
