/*
 * Execution: a call of a tool as tool_executions has it (ENG-10). The row is written
 * before the tool runs and again when it ended, so that whoever takes the job over
 * knows what happened: what ended is reused, what was begun and has no end is never
 * run again. Straight-line functions for a pool thread; each may be repeated.
 */
#ifndef FD_CHAT_EXECUTION_H
#define FD_CHAT_EXECUTION_H

#include "chat/store.h"
#include "tool/tool.h"

enum execution_status {
    EXECUTION_CONFIRMING,
    EXECUTION_APPROVING,
    EXECUTION_APPROVED,
    EXECUTION_STARTED,
    EXECUTION_PENDING,
    EXECUTION_UNKNOWN,
    EXECUTION_DONE,
    EXECUTION_FAILED,
    EXECUTION_DECLINED,
    EXECUTION_EXPIRED,
    EXECUTION_STATUSES
};
const char *execution_status_name(enum execution_status status);
/* How a run ended. A write without a clear answer may have happened: UNKNOWN. */
enum execution_status execution_status_of(enum tool_risk risk, const struct tool_result *result);

#define EXECUTION_CALL_ID_SIZE 27 /* "c_" and 24 hex digits */

/* What makes two calls of a job the same one: the tool and its arguments, whatever the
 * order of their keys. A read may be made again in a later step, a write not: step < 0.
 * `canonical` becomes the arguments as they are stored and run. Pure. */
void execution_name(char call_id[EXECUTION_CALL_ID_SIZE], struct buf *canonical, int step,
                    const char *tool, const struct fd_json *arguments);
/* The row's id, known before it is written. */
void execution_uuid(char out[STORE_UUID_SIZE], const char *job, const char *call_id);

struct execution_call {
    const char *id; /* execution_uuid() */
    const char *call_id;
    const char *tool;
    enum tool_risk risk;
    int step;
    const char *arguments;        /* JSON */
    enum execution_status status; /* to begin with */
    const char *failure;          /* of FAILED, else NULL */
    const char *response;         /* the same */
    const char *summary;          /* what is asked; NULL = nobody is */
    int64_t expires_ms;           /* unix; of STARTED: when its worker must be gone */
};

struct execution {
    bool mine;  /* the job still is */
    bool made;  /* this epoch begins it now */
    bool human; /* nobody does: a person has the conversation, or is waited for */
    enum execution_status status;
    const char *response; /* JSON; NULL = none */
    const char *failure;
    int64_t ms;
    int64_t expires_ms;
};

/* Writes the row, unless the call has one; the job must be claimed. */
enum db_status execution_begin(struct db *db, struct arena *a, const struct store_job *job,
                               const struct execution_call *call, struct execution *execution);
/* CONFIRMING becomes STARTED: the visitor, or who tries it out, said yes. made false: somebody
 * else did, or it was decided otherwise. */
enum db_status execution_accept(struct db *db, const struct store_job *job, const char *id,
                                int64_t expires_ms, struct execution *execution);

struct execution_end {
    enum execution_status status;
    const char *failure;  /* NULL = none */
    const char *response; /* JSON, or any text */
    size_t response_len;
    const char *detail; /* for operators; may be NULL */
    int http_status;
    int64_t ms;
};
/* *stands is what the row says afterwards: an outcome that came before is kept. */
enum db_status execution_end(struct db *db, struct arena *a, const char *org, const char *id,
                             const struct execution_end *end, struct execution *stands);
/* What a job leaves unfinished: runs whose outcome nobody waits for, open questions. */
enum db_status execution_abandon(struct db *db, const struct store_job *job);

#define EXECUTION_PAST_MAX 64

/* What a conversation's answers may rest on by now; its strings are the arena's. */
struct execution_past {
    const char *acted[EXECUTION_PAST_MAX]; /* tools, no reads, with a call that ended well or was
                                              accepted: each once */
    size_t acted_count;
    bool informed; /* a read ended well, or an order was cited */
};
enum db_status execution_past(struct db *db, struct arena *a, const char *org,
                              const char *conversation_id, struct execution_past *past);

/* -- afterwards ------------------------------------------------------------------------------- */

/* The outcome that came late. *session is set where it was the first and counted;
 * *found false: there is no such call, or nothing is awaited for it. */
enum db_status execution_late(struct db *db, struct arena *a, const char *org, const char *id,
                              const struct fd_json *outcome, bool *found, const char **session);

#endif
