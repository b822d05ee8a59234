/*
 * Test chat (ADM-4): a question that an operator asks in a visitor's place. It goes the way
 * of every other; what its entry in fd:jobs says beside the question, as JSON. Pure.
 */
#ifndef FD_CHAT_TEST_CHAT_H
#define FD_CHAT_TEST_CHAT_H

#include "core/arena.h"
#include "core/buf.h"
#include "protocol/chat_request.h"

#include <stdbool.h>

#define TEST_CHANNEL         "test" /* conversations.channel: in no inbox and no figure */
#define TEST_CHANNEL_LEN_MAX 32
#define TEST_PROMPT_MAX      16384

struct test_chat {
    bool trace;          /* its events tell all that is done: chat/job_trace.c */
    bool unattended;     /* nobody listens: a case of a run */
    bool allow_writes;   /* else tools that change something are not run */
    const char *by;      /* the operator, as actors are named; "" = a run's case */
    const char *channel; /* that tools are told it comes from */
    const char *prompt;  /* tried in place of the organisation's own text; NULL = none */
};

/* The question as an entry has it, streamed and not from the cache; it keeps the rules of a
 * visitor's. NULL: the fault says what is wrong. In the arena. */
const char *test_chat_body(struct arena *a, const struct fd_chat_request *asked,
                           struct fd_field_fault *fault);

bool test_chat_write(struct buf *out, const struct test_chat *test);
/* NULL: it is none. In the arena. */
const struct test_chat *test_chat_read(struct arena *a, const char *json, size_t len);

#endif
