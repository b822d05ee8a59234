/*
 * The body of POST /api/v1/chat: its schema, and its canonical form (fixed
 * order, absent fields left out, no credential) that is hashed for idempotency
 * and travels in the job.
 */
#ifndef FD_PROTOCOL_CHAT_REQUEST_H
#define FD_PROTOCOL_CHAT_REQUEST_H

#include "protocol/json.h"

struct fd_text {
    const char *s; /* NULL = absent; NUL terminated */
    size_t len;
};

struct fd_chat_request {
    struct fd_text client_api_key; /* never encoded */
    struct fd_text session_id;
    struct fd_text message;
    struct fd_text model_id;
    struct fd_text client_message_id;
    struct fd_text user_id;
    struct fd_text language;
    struct fd_text page_url;
    struct fd_text page_title;
    struct fd_text identity;
    bool stream;     /* after Accept was looked at */
    bool has_stream; /* the body said so */
    bool dry_run;
    bool cache; /* true unless the body says false */
};

struct fd_field_fault {
    char field[128];  /* path; "" = the body itself */
    char detail[192]; /* what is wrong and what would be right */
};

/* Checks every field against limits.h; false fills `fault`. Strings stay in
 * the value's memory. */
bool fd_chat_request_read(const struct fd_json *body, struct fd_chat_request *request,
                          struct fd_field_fault *fault);
/* The canonical form. The worker reads it back with fd_chat_request_read(). */
void fd_chat_request_write(struct fd_json_writer *w, const struct fd_chat_request *request);

/* sessions/start takes {client_api_key?, user_id?, language?} and nothing else. */
struct fd_session_request {
    struct fd_text client_api_key;
    struct fd_text user_id;
    struct fd_text language;
};
bool fd_session_request_read(const struct fd_json *body, struct fd_session_request *request,
                             struct fd_field_fault *fault);

#endif
