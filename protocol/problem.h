/*
 * Problem documents (RFC 9457): every error a client may see, with its stable
 * type, its status and a title a person understands. One table for both halves.
 */
#ifndef FD_PROTOCOL_PROBLEM_H
#define FD_PROTOCOL_PROBLEM_H

#include "protocol/json.h"

enum fd_problem_type {
    FD_PROBLEM_MALFORMED,     /* 400 malformed-json: not JSON, UTF-8, NUL, duplicate key... */
    FD_PROBLEM_BAD_REQUEST,   /* 400 bad-request: a header or a parameter */
    FD_PROBLEM_KEY_MISSING,   /* 401 */
    FD_PROBLEM_KEY_INVALID,   /* 401 unknown, revoked or expired */
    FD_PROBLEM_BUDGET,        /* 402 */
    FD_PROBLEM_ORIGIN,        /* 403 */
    FD_PROBLEM_KEY_KIND,      /* 403 wrong kind of key for this route */
    FD_PROBLEM_DISABLED,      /* 403 AI assistant is disabled for this org */
    FD_PROBLEM_ROLE,          /* 403 the user's role does not allow it */
    FD_PROBLEM_NOT_FOUND,     /* 404 */
    FD_PROBLEM_METHOD,        /* 405 */
    FD_PROBLEM_BUSY,          /* 409 the session's answer is still running; job_id */
    FD_PROBLEM_SESSION_ENDED, /* 409 */
    FD_PROBLEM_CONFLICT,      /* 409 it exists already, or something still needs it */
    FD_PROBLEM_TOO_LARGE,     /* 413 */
    FD_PROBLEM_MEDIA_TYPE,    /* 415 */
    FD_PROBLEM_FIELD,         /* 422 a field's type, range or name; field */
    FD_PROBLEM_IDEMPOTENCY_MISMATCH, /* 422 */
    FD_PROBLEM_RATE,                 /* 429 requests a minute */
    FD_PROBLEM_SESSION_RATE,         /* 429 */
    FD_PROBLEM_ADDRESS_RATE,         /* 429 session starts of an address */
    FD_PROBLEM_CONCURRENCY,          /* 429 concurrent chats */
    FD_PROBLEM_QUOTA,                /* 429 messages this month */
    FD_PROBLEM_HEADERS_TOO_LARGE,    /* 431 */
    FD_PROBLEM_INTERNAL,             /* 500 */
    FD_PROBLEM_PROVIDER,             /* 502 the model's provider failed */
    FD_PROBLEM_UNAVAILABLE,          /* 503 Redis or every worker away, or starting */
    FD_PROBLEM_OVERLOADED,           /* 503 queue full */
    FD_PROBLEM_PROVIDER_TIMEOUT,     /* 504 */
    FD_PROBLEM_DEADLINE,             /* 504 the job ran out of time */
    FD_PROBLEM_INTERRUPTED,          /* 502 the answer was cut; what came is kept */
    FD_PROBLEM_MODEL,                /* 404 no model of this name for this org */
    FD_PROBLEM_CONTEXT,              /* 400 more than the model can read */
    FD_PROBLEM_FILTER,               /* 400 the model's provider declines to answer it */
    FD_PROBLEM_REFUSED,              /* 400 the model's provider does not take the request */
    FD_PROBLEM_CANCELLED,            /* 409 somebody stopped the answer */
    FD_PROBLEM_SIGN_IN,              /* 401 no session, or it is over */
    FD_PROBLEM_PASSWORD,             /* 401 address and password do not match */
    FD_PROBLEM_CROSS_SITE,           /* 403 not sent by a page of ours */
    FD_PROBLEM_SIGN_IN_RATE,         /* 429 too many tries */
    FD_PROBLEM_CHANGED,              /* 412 If-Match names what is not there any more */
    FD_PROBLEM_RUNNING,              /* 409 the request of this idempotency key still runs */
    FD_PROBLEM_ORGANIZATION,         /* 409 the session acts in another one than expected */
    FD_PROBLEM_WHICH_ORGANIZATION,   /* 409 the password is right in several; organizations */
    FD_PROBLEM_TYPES
};

struct fd_problem {
    enum fd_problem_type type;
    const char *detail;      /* what happened this time; NULL = the title says it all */
    const char *reason;      /* the detail as a code with values, JSON; NULL = it has none */
    const char *field;       /* "context.page_url"; NULL where no field is at fault */
    const char *job_id;      /* busy, mismatch */
    const char *request_id;  /* may be NULL */
    int retry_after;         /* seconds, 0 = none */
    const char *openai_code; /* for openai_error.h alone; NULL = the type's */
};

int fd_problem_status(enum fd_problem_type type);
const char *fd_problem_title(enum fd_problem_type type);
const char *fd_problem_slug(enum fd_problem_type type); /* "session-busy" */
bool fd_problem_retryable(enum fd_problem_type type);   /* the same request may succeed later */

/* {type, title, status, code, detail?, reason?, field?, job_id?, request_id?,
 * retry_after?, retryable}; type is "urn:frontdesk:problem:<slug>". */
void fd_problem_write(struct fd_json_writer *w, const struct fd_problem *problem);
/* Such a document, read back; its strings stay in the document's memory. False: it is
 * none of ours. */
bool fd_problem_read(const struct fd_json *document, struct fd_problem *problem);

#endif
