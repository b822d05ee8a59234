/*
 * The body of POST /v1/chat/completions as OpenAI's clients send it: its schema, and
 * its canonical form (fixed order, only what is passed on), which travels in the job.
 * docs/openai.md has the table of fields: what is passed on, what is left unused and
 * what is refused.
 */
#ifndef FD_PROTOCOL_COMPLETION_REQUEST_H
#define FD_PROTOCOL_COMPLETION_REQUEST_H

#include "protocol/chat_request.h"

struct fd_completion_request {
    struct fd_text model;
    bool stream;
    bool include_usage; /* of a stream: a last chunk tells it */
    int max_tokens;     /* 0 = not said */
    double temperature; /* -1 = not said, as is top_p */
    double top_p;
    double frequency_penalty; /* 0 = none */
    double presence_penalty;
    bool has_seed;
    int64_t seed;
    int parallel_tool_calls;      /* -1 = not said */
    const char *reasoning_effort; /* NULL = not said */
    const char *verbosity;

    /* Checked, so that whoever uses them need not; NULL = absent. */
    const struct fd_json *messages;
    const struct fd_json *tools; /* at least one */
    const struct fd_json *tool_choice;
    const struct fd_json *stop; /* a string, or some */
    const struct fd_json *response_format;
};

struct fd_completion_fault {
    struct fd_field_fault at; /* detail: a sentence that names the field */
    const char *code;         /* OpenAI's word for it */
};

/* Strings and values stay in the body's memory. False fills `fault`. */
bool fd_completion_request_read(const struct fd_json *body, struct fd_completion_request *request,
                                struct fd_completion_fault *fault);
/* The worker reads it back with fd_completion_request_read(). */
void fd_completion_request_write(struct fd_json_writer *w,
                                 const struct fd_completion_request *request);

#endif
