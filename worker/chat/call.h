/*
 * Call: one of nginx's short questions (protocol/call.h), from its fields to its answer. On the
 * loop.
 */
#ifndef FD_CHAT_CALL_H
#define FD_CHAT_CALL_H

#include "chat/engine.h"
#include "chat/outbox.h"
#include "chat/store.h"
#include "chat/visitor_call.h"
#include "core/log.h"

enum call_op { CALL_HISTORY, CALL_END, CALL_MODELS, CALL_REPLAY, CALL_OUTCOME, CALL_VISITOR };

struct call {
    struct engine *engine;
    struct call *prev, *next, **open; /* the list of those that are open */
    void (*gone)(struct call *call);  /* it is about to be freed: takes it out */
    void *arg;                        /* of who reads them */
    struct arena arena;
    enum call_op op;
    const char *id, *reply, *request, *org, *session, *job;
    int64_t deadline_ms; /* unix */
    struct log_context log;

    int limit;
    const char *cursor;
    const char *model;
    struct tenant *tenant;

    enum db_status status;
    enum store_page page;
    struct buf body;
    char conversation_id[STORE_UUID_SIZE];
    const char *facts; /* of END: what dashboards are told */
    struct store_outcome outcome;
    bool found;
    struct outbox outbox;

    const char *tool_call; /* of OUTCOME */
    const struct fd_json *tool_outcome;

    visitor_call_fn *visitor; /* of VISITOR */
    const struct fd_json *args;
    struct visitor_reply visitor_reply;
};

#define CALL_ANSWER_MAX 8388608 /* of one answer: a page of history, every byte escaped */

/* Does what its fields say, on a pool thread, and answers it. */
void call_work(struct call *call);
/* Answered without; it is gone then. */
void call_refuse(struct call *call, enum fd_problem_type type, const char *field,
                 const char *detail);
/* Without an answer. */
void call_free(struct call *call);

#endif
