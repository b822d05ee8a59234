/*
 * Job: one question, from its entry in fd:jobs to the end of what it holds there.
 * Library callbacks translate what happened into an event and post it; job_advance()
 * alone changes the state; the reaper alone frees, once no pool thread works for
 * the job any more.
 *
 *     CLAIMED     read; taken over from another worker: PostgreSQL is asked first
 *     LOADING     the organisation's settings, the conversation so far
 *     RETRIEVING  what its records say
 *     ROUTED      packed, routed, the model chosen; `meta` goes out
 *     RECALLING   the same question was answered before, or is being answered
 *     RESERVING   under a budget: what the call may cost is held before it
 *     REQUESTING  a provider was asked, nothing is visible yet: retry and fallback
 *     BACKOFF     waiting to ask again
 *     STREAMING   text is visible: no more fallback
 *     TOOLS       what the model called is run; REQUESTING comes again
 *     CONFIRMING  a visitor's word is all that is missing for it
 *     CHECKING    the model is done: what its answer claims, and in which language
 *     SAVING      PostgreSQL commits
 *     ACKING      the terminal event, then the finish script
 *     DONE        to be freed
 */
#ifndef FD_CHAT_JOB_H
#define FD_CHAT_JOB_H

#include "chat/answer.h"
#include "chat/cache.h"
#include "chat/engine.h"
#include "chat/entry.h"
#include "chat/handle.h"
#include "route/model.h"
#include "chat/outbox.h"
#include "chat/store.h"
#include "context/retrieve.h"
#include "context/summary.h"
#include "core/log.h"
#include "protocol/chat_request.h"

/* uthash's own choice falls through its cases without saying so to clang. */
#define HASH_FUNCTION(key, len, hash) HASH_FNV(key, len, hash)
#include <uthash.h>

enum job_state {
    JOB_CLAIMED,
    JOB_LOADING,
    JOB_RETRIEVING,
    JOB_ROUTED,
    JOB_RECALLING,
    JOB_RESERVING,
    JOB_REQUESTING,
    JOB_BACKOFF,
    JOB_STREAMING,
    JOB_TOOLS,
    JOB_CONFIRMING,
    JOB_CHECKING,
    JOB_SAVING,
    JOB_ACKING,
    JOB_DONE,
    JOB_STATES
};

enum job_event_type {
    JOB_EV_OP,        /* a pool step ended: op */
    JOB_EV_SUMMARY,   /* what live Redis has of the conversation's beginning: reply */
    JOB_EV_HISTORY,   /* the list in live Redis: reply */
    JOB_EV_MARK,      /* whether a person may have the conversation: reply */
    JOB_EV_VECTOR,    /* the question's vector came, or will not */
    JOB_EV_SENTIMENT, /* the message's score is known */
    JOB_EV_CACHED,    /* an answer given before: reply */
    JOB_EV_LEAD,      /* whether this job answers for others too: reply */
    JOB_EV_LLM,       /* llm */
    JOB_EV_LLM_END,   /* end */
    JOB_EV_TIMER,     /* the state's own */
    JOB_EV_TOOL,      /* a call's run ended: call, result */
    JOB_EV_CONFIRM,   /* the visitor said something about a call: a hint */
    JOB_EV_WORDS,     /* what the visitor said: reply */
    JOB_EV_OUTBOX,    /* all events are acknowledged, or none will be any more */
    JOB_EV_FINISHED,  /* the finish script: reply */
    JOB_EV_TURN,      /* a suspect may run now */
    JOB_EV_TAKEN,     /* a person has the conversation now */
    JOB_EV_CANCEL,    /* its visitor does not want it any more */
    JOB_EV_ABANDONED, /* nobody listens any more */
    JOB_EV_DEADLINE,
    JOB_EV_LOST /* a later epoch owns it */
};

struct door;
struct job_call;
struct job_op;
struct job_sentiment;
struct job_trace;
struct job_tools;
struct llm_call;
struct meaning_ask;
struct meaning_vector;
struct timer;
struct tool_result;

struct job_event {
    enum job_event_type type;
    struct job_op *op;
    const redisReply *reply;
    const struct llm_event *llm;
    struct job_call *call;
    const struct tool_result *result;
    struct {
        const struct llm_error *error;
        enum llm_finish finish;
        const struct llm_usage *usage;
    } end;
};

/* What only the requests to the provider need: gone with the first visible token, or
 * where tools may be called, with the last. */
struct job_prep {
    struct arena arena;
    struct llm_message *history;
    size_t history_count;
    struct summary summary; /* of what came before it */
    struct retrieved retrieved;
    struct llm_request request;
};

/* The call that the budget has granted. */
struct job_reserved {
    bool granted;
    size_t candidate;
    size_t attempts; /* calls before it */
    int64_t prompt_tokens;
};

/* The response cache, of a question that may be answered from it. */
struct job_recall {
    char key[FD_SHA256_HEX_SIZE]; /* "" = it may not */
    char digest[FD_SHA256_HEX_SIZE];
    bool asked; /* both replies are awaited */
    enum cache_lead lead;
    char leader[FD_SHA256_HEX_SIZE]; /* what another answers; "" = not known yet */
    struct cached_answer found;      /* text NULL = none */
    int64_t since_ms;                /* monotonic */
};

/* That its answer says that something was done. */
struct job_claims {
    size_t from;         /* where the text begins that was not judged yet */
    bool looked_up;      /* what earlier turns did is known: */
    unsigned deeds;      /* tool/deeds.h */
    bool informed;       /* one read something */
    bool corrected;      /* the model was told once that it claimed too much, */
    unsigned deeds_then; /* when so much was done */
    bool disputed;       /* the server said how it is */
};

struct job {
    struct engine *engine;
    handle self;
    UT_hash_handle hh; /* engine->running, by entry.id */
    struct arena arena;
    struct job_entry entry;
    struct log_context log;
    uint32_t epoch;
    int crashes;
    bool suspect; /* killed a worker before: runs alone */
    bool cancelled;

    enum job_state state;
    struct timer *timer;
    unsigned tries; /* of the state's step */
    unsigned ops;   /* steps on the pool: they pin the job */
    bool reaped;    /* its end is due */

    bool readable; /* its body is a chat request */
    struct fd_chat_request request;
    struct door *door; /* its client speaks OpenAI's protocol; NULL = a chat */
    const char *language;
    const char *misspoken; /* a whole answer in another one, after which it was asked again */
    char conversation_id[STORE_UUID_SIZE];
    char message_id[STORE_UUID_SIZE];
    char user_message_id[STORE_UUID_SIZE];
    struct store_job row;
    struct buf facts; /* of its conversation, for dashboards; written on the pool */
    bool claiming;    /* asking PostgreSQL who owns it */
    bool reserving;   /* asking PostgreSQL what it may spend */

    struct tenant *tenant;
    struct job_prep *prep;
    struct toolbox *toolbox;
    struct job_tools *tools; /* NULL: none are offered */
    struct job_claims claims;
    struct job_trace *trace; /* an operator wants to see all of it; NULL: nobody does */
    bool asked_memory;
    bool marked;               /* a person may have the conversation: PostgreSQL says */
    bool to_person;            /* one has */
    bool taken;                /* one took it while this ran */
    bool visitor_known;        /* who it is, or that nobody has proven anything */
    bool visitor_verified;     /* request.user_id is */
    const char *visitor_email; /* verified; NULL = not known */
    bool offering;             /* asking whether a person may be offered */
    bool mood_due;             /* whether to offer one for how the message sounds, */
    bool mood_known;           /* which is as well known as it will be */
    bool offer_told;
    bool asked_meaning;
    struct job_sentiment *sentiment; /* a model was asked how it sounds; NULL: none was */
    struct meaning_ask *meaning;     /* the question's vector is asked for */
    struct meaning_vector *vector;   /* it; NULL: words alone */
    bool ungrounded;                 /* what its records say could not be had */
    bool has_history;                /* it is known, be it empty */
    bool has_summary;                /* the same */
    bool whole;                      /* the session has no earlier message */
    bool long_talk;                  /* its beginning is, or will be, left out of prompts */
    struct route_last last;          /* of the conversation's latest answer */

    struct job_recall recall;
    struct llm_endpoints *endpoints; /* of its organisation or the platform; held */
    struct model_plan plan;
    size_t candidate;
    struct llm_call *call;
    unsigned calls;        /* to this candidate */
    int64_t first_call_ms; /* monotonic */
    int64_t prompt_tokens; /* estimated */
    struct job_reserved reserved;
    struct citation_scan citations;
    struct buf text;
    struct outbox outbox;
    struct answer answer;
    struct buf outcome; /* the terminal event's data */
    bool committed;     /* PostgreSQL has the answer */
    bool replays;       /* another epoch's answer is written anew */
    bool finishing;     /* the finish script is out */
    unsigned faults;    /* times PostgreSQL refused it for good */
    int64_t saved_ms;   /* monotonic; 0 = its outcome is not known yet */
};

/* From here on: of a job whose hash has expired, so that only PostgreSQL is left to
 * tell who owns it. Seconds are added, so that the last to come wins. */
#define JOB_EPOCH_EXPIRED 1000000000u

/* Takes the entry over as its own; epoch 1 for a fresh delivery. `entry` is read in
 * `a`, which becomes the job's. */
void job_start(struct engine *engine, const struct arena *a, const struct job_entry *entry,
               uint32_t epoch, int crashes, bool cancelled);
struct job *job_find(const struct engine *engine, const char *id);
/* Nobody was ever to listen. */
bool job_is_unattended(const struct job *job);
bool job_runs_entry(const struct engine *engine, const char *entry);
/* Finds the job, if it still lives, and advances it. */
void job_post(handle job, const struct job_event *event);
void job_advance(struct job *job, const struct job_event *event);
/* Ends it here and now, with the process: another worker has it. */
void job_drop(struct job *job);

#endif
