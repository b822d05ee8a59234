/*
 * Admission: a question that does not come through nginx - an operator's, a case's - goes the
 * same way: one call of admit.lua, with the same limits, and the worker takes it like any
 * other. Blocking: for pool threads and commands.
 */
#ifndef FD_CHAT_ADMISSION_H
#define FD_CHAT_ADMISSION_H

#include "core/arena.h"
#include "core/config.h"
#include "protocol/ids.h"
#include "protocol/scripts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admission {
    const char *org;
    const char *session;    /* NULL: it starts one */
    const char *job;        /* NULL: a new one; the same one again is admitted once */
    const char *key_id;     /* uuid; NULL = none */
    const char *request_id; /* for logs */
    bool vouched;           /* whoever asks vouches for the user_id, as a secret key does */
    const char *body;       /* fd_chat_request_write()'s */
    const char *channel;    /* it came by a webhook; NULL = it did not */
    const char *test;       /* test_chat_write()'s; NULL = an ordinary question */
};

enum admission_verdict {
    ADMISSION_MADE,
    ADMISSION_BUSY,    /* its session has an answer that runs: `job` */
    ADMISSION_LIMITED, /* by the organisation's plan or the session: `limit`, `retry_ms` */
    ADMISSION_FULL,    /* the queue is */
    ADMISSION_AWAY     /* no worker lives, or Redis does not answer: `error` */
};

struct admission_word {
    const char *org;
    const char *job;
    const char *const *more; /* arguments behind the session's */
    size_t count;
};

struct admitted {
    enum admission_verdict verdict;
    char job[FD_JOB_ID_SIZE];
    char session[FD_SESSION_ID_SIZE];
    const char *limit; /* "rate", "session", "concurrency" or "quota"; in the arena */
    int64_t retry_ms;
    char error[256]; /* "" = none */
};

void admission_make(const struct config *config, struct arena *a, const struct admission *ask,
                    struct admitted *out);

/* Who asks the test that this job is, as actors are named; NULL: it is none of this organisation's,
 * a visitor's, over for long, or `error` says what is wrong. */
const char *admission_tester(const struct config *config, struct arena *a, const char *org,
                             const char *job, char error[256]);

/* A script of protocol/scripts that tells a job something on behalf of its organisation, cancel or
 * confirm, and the hint (FD_CONTROL_*) to its worker, which may be lost. The word that the script
 * says, in the arena; NULL: there is no such job, or `error` says what is wrong. */
const char *admission_tell_job(const struct config *config, struct arena *a, enum fd_script script,
                               const char *control, const struct admission_word *word,
                               char error[256]);

#endif
